# workers.sh - the intake workers of one stack; sourced by stack.
#
# spawn-fcgi makes the socket and becomes multiwatch, which keeps the workers running. Not
# spawn-fcgi's own way into the background: it sends what the workers say to /dev/null.
# shellcheck shell=bash disable=SC2154 # the variables are of stack

workers_check() {
    local program
    for program in sluice-intake sluicectl; do
        [[ -x $bin_dir/$program ]] || die "$bin_dir/$program is missing: run make first"
    done
    need /usr/bin/spawn-fcgi spawn-fcgi
    need /usr/bin/multiwatch multiwatch
}

workers_config() {
    cat <<END
database = host=$home/run port=5432 dbname=sluice user=sluice_intake
log_target = stderr
END
    ((${#settings[@]} == 0)) || printf '%s\n' "${settings[@]}"
}

workers_prepare() {
    # A copy: the workers' user may not be able to enter the checkout, and a new build does not
    # change a running stack.
    install -m 755 "$bin_dir/sluice-intake" "$home/bin/sluice-intake"
    workers_config | install -m 640 -g "$worker_group" /dev/stdin "$home/etc/sluice.conf"
    "$bin_dir/sluicectl" config --config "$home/etc/sluice.conf"
}

workers_start() {
    local -a user=()
    if ((EUID == 0)); then
        user=(-u "$worker_user" -g "$worker_user" -U "$worker_user" -G "$worker_user")
    fi
    start_process workers "$log_dir/intake.log" \
        /usr/bin/spawn-fcgi -n -s "$socket" -M 0660 "${user[@]}" -- \
        /usr/bin/multiwatch --forks="$workers" --retry=1000000 -- \
        "$home/bin/sluice-intake" --config "$home/etc/sluice.conf"
}

# multiwatch passes the wish on; workers answer what they have accepted.
workers_stop() {
    stop_process workers TERM 15 KILL 5
    stop_stray_processes
}
