# apache-fcgid.sh - Apache with mod_fcgid, which starts the workers itself, as the web server of a
# stack; sourced by stack.
# shellcheck shell=bash disable=SC2034,SC2154 # the variables are of stack

apache_modules=/usr/lib/apache2/modules
front_starts_workers=yes

front_check() {
    need /usr/sbin/apache2 apache2-bin test
    need "$apache_modules/mod_fcgid.so" libapache2-mod-fcgid test
}

# The main configuration: what belongs to this stack. The rest is the file that operators include.
front_config() {
    local module
    for module in mpm_event authz_core fcgid headers rewrite reqtimeout; do
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
FcgidIPCDir "$home/tmp/upload"
FcgidProcessTableFile "$home/tmp/fcgid"
FcgidInitialEnv STACK_HOME "$home"
Define SLUICE_INTAKE "$home/bin/intake"
Include "$deploy/apache-fcgid/sluice.conf"
# As in apache.sh.
ServerLimit 8
StartServers 8
ThreadsPerChild 50
MaxRequestWorkers 400
MinSpareThreads 1
MaxSpareThreads 400
CustomLog "$log_dir/access.log" sluice
END
}

# Apache would put what workers say into its own error log.
front_start() {
    printf '#!/bin/sh\nexec %s/bin/sluice-intake --config %s/etc/sluice.conf 2>>%s/intake.log\n' \
        "$home" "$home" "$log_dir" | install -m 755 /dev/stdin "$home/bin/intake"
    start_process front "$log_dir/front.log" \
        /usr/sbin/apache2 -DFOREGROUND -f "$home/etc/front.conf"
}
