# cgi.sh - lighttpd with mod_cgi, one process per request; sourced by stack.
# shellcheck shell=bash

# shellcheck source=../parts/variables.sh
. "${BASH_SOURCE%/*}/../parts/variables.sh"
# shellcheck source=../parts/lighttpd.sh
. "${BASH_SOURCE%/*}/../parts/lighttpd.sh"

front_starts_workers() { true; }

front_check() {
    need /usr/sbin/lighttpd lighttpd
}

# The main configuration, which includes the operators' file. The workers' messages go to the log for
# the errors of CGI programs.
front_config() {
    cat <<END
server.bind = "127.0.0.1"
server.port = $port
server.document-root = "$home/www"
server.pid-file = "$home/tmp/front.pid"
server.errorlog = "$log_dir/error.log"
server.breakagelog = "$log_dir/intake.log"
server.upload-dirs = ( "$home/tmp/upload" )
accesslog.filename = "$log_dir/access.log"
server.max-request-size = 307200
server.max-keep-alive-requests = 65535
server.max-connections = 100
server.http-parseopts = ( "url-path-2f-decode" => "disable" )
setenv.add-environment = ( "STACK_HOME" => "$home" )
var.sluice_intake = "$home/bin/sluice-intake"
var.sluice_config = "$home/etc/sluice.conf"
END
    lighttpd_tls
    if ((EUID == 0)); then
        printf 'server.username = "%s"\nserver.groupname = "%s"\n' "$worker_user" "$worker_group"
    fi
    printf 'include "%s/cgi/lighttpd.conf"\n' "$deploy"
}

# lighttpd opens the directory that the program is in.
front_start() {
    ((EUID != 0)) || chmod 755 "$home/bin"
    start_process front "$log_dir/front.log" /usr/sbin/lighttpd -D -f "$home/etc/front.conf"
}
