# cgi.sh - lighttpd with mod_cgi, one worker process per request, as the web server of a stack;
# sourced by stack.
# shellcheck shell=bash disable=SC2034,SC2154 # the variables are of stack

front_starts_workers=yes

front_check() {
    need /usr/sbin/lighttpd lighttpd
}

# The main configuration: what belongs to this stack. The rest is the file that operators include.
# What workers say goes to the log that is meant for all CGI programs' errors.
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
server.max-keep-alive-requests = 1000000
server.max-connections = 100
server.http-parseopts = ( "url-path-2f-decode" => "disable" )
setenv.add-environment = ( "STACK_HOME" => "$home" )
var.sluice_intake = "$home/bin/sluice-intake"
var.sluice_config = "$home/etc/sluice.conf"
END
    if ((EUID == 0)); then
        printf 'server.username = "%s"\nserver.groupname = "%s"\n' "$worker_user" "$worker_group"
    fi
    printf 'include "%s/cgi/lighttpd.conf"\n' "$deploy"
}

# It opens the directory that the program is in.
front_start() {
    ((EUID != 0)) || chmod 755 "$home/bin"
    start_process front "$log_dir/front.log" /usr/sbin/lighttpd -D -f "$home/etc/front.conf"
}
