# maintenance.sh - runs sluicectl maintain while a stack is up, as a timer would; sourced by stack.
#
# As sluice_maintenance, not as the superuser: its rights must suffice.
# shellcheck shell=bash

# shellcheck source=variables.sh
. "${BASH_SOURCE%/*}/variables.sh"

maintenance_start() {
    local -a ctl=(env PGHOST="$home/run" PGPORT=5432 PGDATABASE=sluice PGUSER=sluice_maintenance
        "$bin_dir/sluicectl" maintain)
    "${ctl[@]}"
    # shellcheck disable=SC2016 # for the shell that is started
    ((maintain == 0)) || start_process maintenance "$log_dir/maintenance.log" \
        /bin/sh -c 'while sleep "$0"; do "$@"; done' "$maintain" "${ctl[@]}"
}

# Ends the shell; workers_stop ends what it was running.
maintenance_stop() {
    stop_process maintenance TERM 5 KILL 5
}
