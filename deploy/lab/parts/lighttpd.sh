# lighttpd.sh - lighttpd as Debian configures it; sourced by the fronts with lighttpd.
# shellcheck shell=bash

# shellcheck source=variables.sh
. "${BASH_SOURCE%/*}/variables.sh"
# shellcheck source=operator.sh
. "${BASH_SOURCE%/*}/operator.sh"

lighttpd_check() {
    need /usr/sbin/lighttpd lighttpd
}

# lighttpd_configure NAME... - the configuration of this stack, these files of conf-available enabled.
lighttpd_configure() {
    local name
    conf=$home/etc/lighttpd
    rm -rf -- "$conf"
    install -d -m "$open_mode" "$conf"
    # When lighttpd reloads, it lists this as its own user; Debian lets it.
    install -d -m 755 "$conf/conf-enabled"
    cp -R /etc/lighttpd/lighttpd.conf /etc/lighttpd/conf-available "$conf"
    install_operator_files
    cp "$share"/lighttpd/conf-available/* "$conf/conf-available"
    for name in 10-accesslog "$@" ${tls_port:+10-ssl}; do
        ln -s "../conf-available/$name.conf" "$conf/conf-enabled/$name.conf"
    done
    lighttpd_places
}

# What a private instance cannot share.
lighttpd_places() {
    local main=$conf/lighttpd.conf
    sed -i --follow-symlinks "s,/var/log/lighttpd/,$log_dir/,g" "$main" "$conf"/conf-enabled/*
    replace "$main" /etc/lighttpd/ "$conf/"
    replace "$main" /var/www/html "$home/www"
    replace "$main" /var/cache/lighttpd/uploads "$home/tmp/upload"
    replace "$main" /run/lighttpd.pid "$home/tmp/front.pid"
    set_line "$main" 'server.port ' "server.port = $port"
    set_line "$main" use-ipv6.pl 'server.bind = "127.0.0.1"'
    set_line "$main" 'server.username ' "server.username = \"$worker_user\""
    set_line "$main" 'server.groupname ' "server.groupname = \"$worker_group\""
    [[ -z $tls_port ]] || lighttpd_tls
}

lighttpd_tls() {
    local file=$conf/conf-available/10-ssl.conf
    replace "$file" /etc/lighttpd/server.pem "$certificate"
    replace "$file" 0.0.0.0:443 "127.0.0.1:$tls_port"
    sed -i '/use-ipv6/d' "$file"
}

lighttpd_start() {
    start_process front "$log_dir/front.log" /usr/sbin/lighttpd -D -f "$conf/lighttpd.conf"
}
