# apache.sh - what the fronts with Apache share; sourced by them.
# shellcheck shell=bash

# shellcheck source=variables.sh
. "${BASH_SOURCE%/*}/variables.sh"

apache_modules=/usr/lib/apache2/modules

apache_check() {
    need /usr/sbin/apache2 apache2-bin
}

# apache_config PROCESSES MODULE... - prints the main configuration. Standard input is the front's own
# part, which includes the operators' file.
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
# All processes from the start: when Apache ends an idle one it closes its kept-alive connections,
# even one on which a request is arriving.
ServerLimit $processes
StartServers $processes
ThreadsPerChild 50
MaxRequestWorkers $((50 * processes))
MinSpareThreads 1
MaxSpareThreads $((50 * processes))
END
    cat
    apache_tls
    printf 'CustomLog "%s/access.log" sluice\n' "$log_dir"
}

# Prints the virtual host for HTTPS, if one is asked for. What the main server has holds there, too;
# the rewrite rules only if they are inherited.
apache_tls() {
    [[ -n $tls_port ]] || return 0
    cat <<END
LoadModule ssl_module $apache_modules/mod_ssl.so
LoadModule http2_module $apache_modules/mod_http2.so
Listen 127.0.0.1:$tls_port
<VirtualHost 127.0.0.1:$tls_port>
    SSLEngine on
    SSLCertificateFile "$certificate"
    Protocols h2 http/1.1
    RewriteEngine On
    RewriteOptions Inherit
</VirtualHost>
END
}

# apache_worker COMMAND... - makes $home/bin/intake, which starts a worker by this command with its
# messages in intake.log; Apache would put them into its error log.
apache_worker() {
    printf '#!/bin/sh\nexec %s 2>>%s/intake.log\n' "$*" "$log_dir" |
        install -m 755 /dev/stdin "$home/bin/intake"
}

apache_start() {
    start_process front "$log_dir/front.log" \
        /usr/sbin/apache2 -DFOREGROUND -f "$home/etc/front.conf"
}
