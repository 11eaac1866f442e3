# cgi-apache.sh - Apache with mod_cgid, one worker process per request, as the web server of a stack;
# sourced by stack.
# shellcheck shell=bash disable=SC2034,SC2154 # the variables are of stack

apache_modules=/usr/lib/apache2/modules
front_starts_workers=yes

front_check() {
    need /usr/sbin/apache2 apache2-bin
}

# The main configuration: what belongs to this stack. The rest is the file that operators include.
front_config() {
    local module
    for module in mpm_event authz_core alias cgid env headers rewrite reqtimeout; do
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
ScriptSock "$home/tmp/cgid"
DocumentRoot "$home/www"
ErrorLog "$log_dir/error.log"
SetEnv STACK_HOME "$home"
Define SLUICE_INTAKE "$home/bin/intake"
Define SLUICE_CONFIG "$home/etc/sluice.conf"
Include "$deploy/cgi/apache.conf"
# As in apache.sh; fewer, because each of them may have a database connection.
ServerLimit 2
StartServers 2
ThreadsPerChild 50
MaxRequestWorkers 100
MinSpareThreads 1
MaxSpareThreads 100
CustomLog "$log_dir/access.log" sluice
END
}

# Apache would put what workers say into its own error log.
front_start() {
    printf '#!/bin/sh\nexec %s/bin/sluice-intake 2>>%s/intake.log\n' "$home" "$log_dir" |
        install -m 755 /dev/stdin "$home/bin/intake"
    start_process front "$log_dir/front.log" \
        /usr/sbin/apache2 -DFOREGROUND -f "$home/etc/front.conf"
}
