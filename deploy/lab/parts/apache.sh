# apache.sh - what the stacks with Apache have in common; sourced by those of fronts/.
# shellcheck shell=bash disable=SC2154 # the variables are of stack

apache_modules=/usr/lib/apache2/modules

apache_check() {
    need /usr/sbin/apache2 apache2-bin
}

# apache_config PROCESSES MODULE... - the main configuration: what belongs to this stack. Standard
# input is the part of one front, with the file that operators include.
apache_config() {
    local processes=$1 module
    shift
    for module in mpm_event authz_core headers rewrite reqtimeout "$@"; do
        printf 'LoadModule %s_module %s/mod_%s.so\n' "$module" "$apache_modules" "$module"
    done
    if ((EUID == 0)); then
        printf 'User %s\nGroup %s\n' "$worker_user" "$worker_group"
    fi
    cat <<END
ServerRoot "$home"
ServerName localhost
Listen 127.0.0.1:$port
PidFile "$home/tmp/front.pid"
DefaultRuntimeDir "$home/tmp"
DocumentRoot "$home/www"
ErrorLog "$log_dir/error.log"
# As many processes as ever needed, from the start: Apache closes kept-alive connections, also such as
# a request is just arriving on, when it ends a process that it finds idle.
ServerLimit $processes
StartServers $processes
ThreadsPerChild 50
MaxRequestWorkers $((50 * processes))
MinSpareThreads 1
MaxSpareThreads $((50 * processes))
END
    cat
    printf 'CustomLog "%s/access.log" sluice\n' "$log_dir"
}

# apache_worker COMMAND... - makes $home/bin/intake, which starts a worker by this command. Apache
# would put what workers say into its own error log.
apache_worker() {
    printf '#!/bin/sh\nexec %s 2>>%s/intake.log\n' "$*" "$log_dir" |
        install -m 755 /dev/stdin "$home/bin/intake"
}

apache_start() {
    start_process front "$log_dir/front.log" \
        /usr/sbin/apache2 -DFOREGROUND -f "$home/etc/front.conf"
}
