# workers.sh - the intake workers and the settings service of one stack; sourced by stack.
#
# spawn-fcgi makes the socket and becomes multiwatch, which keeps the workers running. Not
# spawn-fcgi's own way into the background: it sends what the workers say to /dev/null.
# shellcheck shell=bash disable=SC2154 # the variables are of stack

workers_check() {
    local program
    for program in sluice-intake sluice-settings sluicectl; do
        [[ -x $bin_dir/$program ]] || die "$bin_dir/$program is missing: run make first"
    done
    need /usr/bin/spawn-fcgi spawn-fcgi
    need /usr/bin/multiwatch multiwatch
}

# workers_config ROLE - the common settings, as this role of the database.
workers_config() {
    cat <<END
database = host=$home/run port=5432 dbname=sluice user=$1
log_target = stderr
END
    ((${#settings[@]} == 0)) || printf '%s\n' "${settings[@]}"
}

settings_config() {
    workers_config sluice_settings
    # What --set says comes first, and once.
    [[ " ${settings[*]-} " == *" settings_trust_remote_user = "* ]] ||
        printf 'settings_trust_remote_user = on\n'
}

workers_prepare() {
    # A copy: the workers' user may not be able to enter the checkout, and a new build does not
    # change a running stack.
    install -m 755 "$bin_dir/sluice-intake" "$home/bin/sluice-intake"
    workers_config sluice_intake |
        install -m 640 -g "$worker_group" /dev/stdin "$home/etc/sluice.conf"
    "$bin_dir/sluicectl" config --config "$home/etc/sluice.conf"
    [[ $front_has_settings == yes ]] || return 0
    install -m 755 "$bin_dir/sluice-settings" "$home/bin/sluice-settings"
    settings_config | install -m 640 -g "$worker_group" /dev/stdin "$home/etc/settings.conf"
    "$bin_dir/sluicectl" config --config "$home/etc/settings.conf"
    cp -R -- "$web/." "$home/web"
    chmod -R a+rX "$home/web"
}

# For the web server's own authentication, the same password for all of the demo's users.
users_prepare() {
    local user hash
    hash=$(printf '%s\n' "$demo_password" | openssl passwd -apr1 -stdin)
    for user in olga adam edith vera sven; do
        printf '%s:%s\n' "$user" "$hash"
    done | install -m 640 -g "$worker_group" /dev/stdin "$home/etc/users"
}

# serve NAME SOCKET PROCESSES PROGRAM CONFIG - its log is log/NAME.log, but for the workers'.
serve() {
    local -a user=()
    local log=$log_dir/$1.log
    [[ $1 != workers ]] || log=$log_dir/intake.log
    if ((EUID == 0)); then
        user=(-u "$worker_user" -g "$worker_user" -U "$worker_user" -G "$worker_user")
    fi
    start_process "$1" "$log" \
        /usr/bin/spawn-fcgi -n -s "$2" -M 0660 "${user[@]}" -- \
        /usr/bin/multiwatch --forks="$3" --retry=1000000 -- "$home/bin/$4" --config "$5"
}

workers_start() {
    serve workers "$socket" "$workers" sluice-intake "$home/etc/sluice.conf"
}

settings_start() {
    serve settings "$settings_socket" 2 sluice-settings "$home/etc/settings.conf"
}

# multiwatch passes the wish on; workers answer what they have accepted.
workers_stop() {
    stop_process settings TERM 15 KILL 5
    stop_process workers TERM 15 KILL 5
    stop_stray_processes
}
