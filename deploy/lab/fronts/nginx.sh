# nginx.sh - nginx; sourced by stack.
# shellcheck shell=bash

# shellcheck source=../parts/variables.sh
. "${BASH_SOURCE%/*}/../parts/variables.sh"

front_starts_workers() { false; }

front_check() {
    need /usr/sbin/nginx nginx test
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

# The main configuration, which includes the operators' files.
front_config() {
    local kind
    if ((EUID == 0)); then
        printf 'user %s %s;\n' "$worker_user" "$worker_group"
    fi
    cat <<END
daemon off;
pid $home/tmp/front.pid;
error_log $log_dir/error.log crit;
worker_processes 2;
worker_rlimit_nofile 4096;
events {
    worker_connections 1024;
}
http {
END
    for kind in client_body proxy fastcgi uwsgi scgi; do
        printf '    %s_temp_path %s/%s;\n' "$kind" "$home/tmp/upload" "$kind"
    done
    cat <<END
    include "$deploy/nginx/sluice_http.conf";
    upstream sluice {
        server unix:$socket;
    }
    upstream sluice_settings {
        server unix:$settings_socket;
    }
    server {
        listen 127.0.0.1:$port backlog=1024;
$(nginx_tls)
        server_name localhost;
        root $home/www;
        log_not_found off;
        access_log $log_dir/access.log sluice;
        include "$deploy/nginx/sluice.conf";
        set \$sluice_web $home/web;
        set \$sluice_users $home/etc/users;
        include "$deploy/nginx/sluice_settings.conf";
    }
}
END
}

front_start() {
    start_process front "$log_dir/front.log" \
        /usr/sbin/nginx -e "$log_dir/error.log" -c "$home/etc/front.conf"
}
