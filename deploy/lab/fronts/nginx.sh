# nginx.sh - nginx as Debian configures it; sourced by stack.
# shellcheck shell=bash

# shellcheck source=../parts/variables.sh
. "${BASH_SOURCE%/*}/../parts/variables.sh"
# shellcheck source=../parts/operator.sh
. "${BASH_SOURCE%/*}/../parts/operator.sh"

front_starts_workers() { false; }

front_check() {
    need /usr/sbin/nginx nginx test
}

front_configure() {
    conf=$home/etc/nginx
    rm -rf -- "$conf"
    install -d -m "$open_mode" "$conf"
    cp -R /etc/nginx/* "$conf"
    rm -f -- "$conf"/conf.d/* "$conf"/sites-enabled/*
    ln -s ../sites-available/default "$conf/sites-enabled/default"
    install_operator_files
    cp "$share"/nginx/conf.d/* "$conf/conf.d"
    cp "$share"/nginx/snippets/* "$conf/snippets"
    nginx_operator
    nginx_places
}

# As the files' first lines say.
nginx_operator() {
    local upstreams=$conf/conf.d/sluice.conf
    replace "$conf/sites-available/default" '	server_name _;' '	server_name _;
	include snippets/sluice[.]conf;
	include snippets/sluice-connections[.]conf;
	include snippets/sluice-settings[.]conf;'
    replace "$conf/nginx.conf" 'worker_connections 768' 'worker_connections 16384'
    replace "$conf/nginx.conf" 'worker_processes auto;' 'worker_processes auto;
worker_rlimit_nofile 32768;'
    replace "$upstreams" /run/sluice/intake.sock "$socket"
    replace "$upstreams" /run/sluice-settings/settings.sock "$settings_socket"
}

# What a private instance cannot share. The paths of temporary files are compiled in.
nginx_places() {
    local main=$conf/nginx.conf site=$conf/sites-available/default kind
    replace "$main" /etc/nginx/ "$conf/"
    replace "$main" /run/nginx.pid "$home/tmp/front.pid"
    replace "$main" 'user www-data' "user $worker_user $worker_group"
    ((EUID == 0)) || sed -i '/^user /d' "$main"
    sed -i "s,/var/log/nginx/,$log_dir/,g" "$main" "$conf/snippets/sluice.conf"
    for kind in client_body proxy fastcgi uwsgi scgi; do
        printf '%s_temp_path %s/%s;\n' "$kind" "$home/tmp/upload" "$kind"
    done >"$conf/conf.d/places.conf"
    replace "$site" /var/www/html "$home/www"
    replace "$site" 'listen 80 default_server;' "listen 127.0.0.1:$port default_server;"
    replace "$site" 'listen [::]:80 default_server;' "$(nginx_tls)"
}

# Prints the listener for HTTPS, if one is asked for.
nginx_tls() {
    [[ -n $tls_port ]] || return 0
    cat <<END
listen 127.0.0.1:$tls_port ssl http2;
	ssl_certificate $certificate;
	ssl_certificate_key $certificate;
END
}

front_start() {
    start_process front "$log_dir/front.log" \
        /usr/sbin/nginx -e "$log_dir/error.log" -c "$conf/nginx.conf" -g 'daemon off;'
}
