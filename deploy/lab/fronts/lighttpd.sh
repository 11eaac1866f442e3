# lighttpd.sh - lighttpd with mod_fastcgi; sourced by stack.
# shellcheck shell=bash

# shellcheck source=../parts/variables.sh
. "${BASH_SOURCE%/*}/../parts/variables.sh"
# shellcheck source=../parts/lighttpd.sh
. "${BASH_SOURCE%/*}/../parts/lighttpd.sh"

front_starts_workers() { false; }

front_check() {
    need /usr/sbin/lighttpd lighttpd
}

# The main configuration, which includes the operators' files.
front_config() {
    cat <<END
server.bind = "127.0.0.1"
server.port = $port
server.document-root = "$home/www"
server.pid-file = "$home/tmp/front.pid"
server.errorlog = "$log_dir/error.log"
server.upload-dirs = ( "$home/tmp/upload" )
accesslog.filename = "$log_dir/access.log"
server.max-request-size = 307200
server.max-keep-alive-requests = 65535
server.max-connections = 1024
server.http-parseopts = ( "url-path-2f-decode" => "disable" )
var.sluice_socket = "$socket"
var.sluice_settings_socket = "$settings_socket"
var.sluice_web = "$home/web/"
server.modules += ( "mod_auth", "mod_authn_file" )
\$HTTP["url"] =~ "^/(?:api/)?settings(?:/|\$)" {
    auth.backend = "htpasswd"
    auth.backend.htpasswd.userfile = "$home/etc/users"
    auth.require = ( "" => ( "method" => "basic", "realm" => "Sluice", "require" => "valid-user" ) )
}
END
    lighttpd_tls
    if ((EUID == 0)); then
        printf 'server.username = "%s"\nserver.groupname = "%s"\n' "$worker_user" "$worker_group"
    fi
    printf 'include "%s/lighttpd/%s"\n' "$deploy" sluice.conf "$deploy" sluice_settings.conf
}

front_start() {
    start_process front "$log_dir/front.log" /usr/sbin/lighttpd -D -f "$home/etc/front.conf"
}
