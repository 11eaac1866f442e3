# workers.sh - the intake workers and the settings service of a stack; sourced by stack.
#
# spawn-fcgi makes the socket and executes multiwatch, which keeps the workers running. It stays in
# the foreground (-n): in the background it sends the workers' messages to /dev/null.
# shellcheck shell=bash

# shellcheck source=variables.sh
. "${BASH_SOURCE%/*}/variables.sh"

workers_check() {
    local program
    for program in sluice-intake sluice-settings sluicectl; do
        [[ -x $bin_dir/$program ]] || die "$bin_dir/$program is missing: run make first"
    done
    need /usr/bin/spawn-fcgi spawn-fcgi
    need /usr/bin/multiwatch multiwatch
}

# workers_config ROLE - the settings of both programs; they connect as ROLE.
workers_config() {
    cat <<END
database = host=$home/run port=5432 dbname=sluice user=$1
log_target = stderr
metrics_file = $home/metrics/$1
END
    ((${#settings[@]} == 0)) || printf '%s\n' "${settings[@]}"
}

settings_config() {
    workers_config sluice_settings
    # A key may be set once; --set takes precedence.
    [[ " ${settings[*]-} " == *" settings_trust_remote_user = "* ]] ||
        printf 'settings_trust_remote_user = on\n'
}

workers_prepare() {
    # Copies: the workers' user may not be able to enter the checkout, and a new build must not change
    # a running stack.
    install -m 755 "$bin_dir/sluice-intake" "$home/bin/sluice-intake"
    workers_config sluice_intake |
        install -m 640 -g "$worker_group" /dev/stdin "$home/etc/sluice.conf"
    "$bin_dir/sluicectl" config --config "$home/etc/sluice.conf"
    front_has_settings || return 0
    install -m 755 "$bin_dir/sluice-settings" "$home/bin/sluice-settings"
    settings_config | install -m 640 -g "$worker_group" /dev/stdin "$home/etc/settings.conf"
    "$bin_dir/sluicectl" config --config "$home/etc/settings.conf"
    cp -R -- "$web/." "$share/web"
    chmod -R a+rX "$share/web"
}

# Makes the password file for the web server's authentication; all demo users share one password.
users_prepare() {
    local user hash
    hash=$(printf '%s\n' "$demo_password" | openssl passwd -apr1 -stdin)
    for user in olga adam edith vera sven; do
        printf '%s:%s\n' "$user" "$hash"
    done | install -m 640 -g "$worker_group" /dev/stdin "$home/etc/sluice/users"
}

# serve NAME SOCKET PROCESSES PROGRAM CONFIG - logs to log/NAME.log, the workers to log/intake.log.
serve() {
    local -a user=()
    local log=$log_dir/$1.log
    [[ $1 != workers ]] || log=$log_dir/intake.log
    if ((EUID == 0)); then
        user=(-u "$worker_user" -g "$worker_user" -U "$worker_user" -G "$worker_user")
    fi
    start_process "$1" "$log" \
        /usr/bin/spawn-fcgi -n -b 4096 -s "$2" -M 0660 "${user[@]}" -- \
        /usr/bin/multiwatch --forks="$3" --retry=1000000 -- "$home/bin/$4" --config "$5"
}

workers_start() {
    serve workers "$socket" "$workers" sluice-intake "$home/etc/sluice.conf"
}

settings_start() {
    serve settings "$settings_socket" 2 sluice-settings "$home/etc/settings.conf"
}

# multiwatch passes the signal on; the workers answer the requests that they have accepted.
workers_stop() {
    stop_process settings TERM 15 KILL 5
    stop_process workers TERM 15 KILL 5
    stop_stray_processes
}
