# maintenance.sh - runs sluicectl maintain while a stack is up, as a timer would; sourced by stack.
#
# Not as the superuser: what a member of sluice_admin can do has to be enough.
# shellcheck shell=bash disable=SC2154 # the variables are of stack

maintenance_start() {
    local -a ctl=(env PGHOST="$home/run" PGPORT=5432 PGDATABASE=sluice PGUSER=sluice_admin
        "$bin_dir/sluicectl" maintain)
    "${ctl[@]}"
    # shellcheck disable=SC2016 # it is the other shell that expands them
    ((maintain == 0)) || start_process maintenance "$log_dir/maintenance.log" \
        /bin/sh -c 'while sleep "$0"; do "$@"; done' "$maintain" "${ctl[@]}"
}

# The shell first, then what it was waiting for, which knows how to end.
maintenance_stop() {
    stop_process maintenance TERM 5 KILL 5
}
