# apache.sh - Apache with mod_proxy_fcgi as the web server of a stack; sourced by stack.
# shellcheck shell=bash disable=SC2154 # the variables are of stack

apache_modules=/usr/lib/apache2/modules

front_check() {
    need /usr/sbin/apache2 apache2-bin
    need "$apache_modules/mod_proxy_fcgi.so" apache2-bin
}

# The main configuration: what belongs to this stack. The rest is the file that operators include.
front_config() {
    local module
    for module in mpm_event authz_core headers proxy proxy_fcgi rewrite reqtimeout; do
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
Define SLUICE_SOCKET "$socket"
Include "$deploy/apache/sluice.conf"
# As many processes as ever needed, from the start: Apache closes kept-alive connections, also such as
# a request is just arriving on, when it ends a process that it finds idle.
ServerLimit 8
StartServers 8
ThreadsPerChild 50
MaxRequestWorkers 400
MinSpareThreads 1
MaxSpareThreads 400
CustomLog "$log_dir/access.log" sluice
END
}

front_start() {
    start_process front "$log_dir/front.log" \
        /usr/sbin/apache2 -DFOREGROUND -f "$home/etc/front.conf"
}
