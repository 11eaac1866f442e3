# apache.sh - Apache as Debian configures it; sourced by the fronts with Apache.
# shellcheck shell=bash

# shellcheck source=variables.sh
. "${BASH_SOURCE%/*}/variables.sh"
# shellcheck source=operator.sh
. "${BASH_SOURCE%/*}/operator.sh"

# What the package apache2 enables.
apache_stock_mods=(access_compat alias auth_basic authn_core authn_file authz_core authz_host
    authz_user autoindex deflate dir env filter mime mpm_event negotiation reqtimeout setenvif status)
apache_stock_confs=(charset localized-error-pages other-vhosts-access-log security serve-cgi-bin)

apache_check() {
    need /usr/sbin/a2enmod apache2
}

# apache_configure MODULES CONFS - the configuration of this stack, these of each enabled besides the
# distribution's own (words).
apache_configure() {
    conf=$home/etc/apache2
    rm -rf -- "$conf"
    install -d -m "$open_mode" "$conf"/{mods,conf,sites}-enabled "$home/tmp/apache/socks"
    cp -R /etc/apache2/{apache2.conf,ports.conf,envvars,magic,mods-available,sites-available} "$conf"
    cp -R /etc/apache2/conf-available "$conf"
    install_operator_files
    cp "$share"/apache/conf-available/* "$conf/conf-available"
    apache_places
    # shellcheck disable=SC2086 # words
    apache_enable mod "${apache_stock_mods[@]}" $1 ${tls_port:+ssl http2}
    # shellcheck disable=SC2086
    apache_enable conf "${apache_stock_confs[@]}" $2
    apache_enable site 000-default ${tls_port:+default-ssl}
}

# apache_enable mod|conf|site NAME...
apache_enable() {
    APACHE_CONFDIR=$conf APACHE_STATE_DIRECTORY=$home/tmp/apache "/usr/sbin/a2en$1" -q "${@:2}"
}

# What a private instance cannot share.
apache_places() {
    set_line "$conf/ports.conf" 'Listen 80' "Listen 127.0.0.1:$port"
    replace "$conf/ports.conf" 'Listen 443' "Listen 127.0.0.1:${tls_port:-443}"
    replace "$conf/sites-available/000-default.conf" '*:80' "*:$port"
    replace "$conf/sites-available/000-default.conf" /var/www/html "$home/www"
    replace "$conf/apache2.conf" /var/www/ "$home/www/"
    cat >>"$conf/envvars" <<END
export APACHE_RUN_USER=$worker_user APACHE_RUN_GROUP=$worker_group
export APACHE_PID_FILE=$home/tmp/front.pid APACHE_RUN_DIR=$home/tmp/apache
export APACHE_LOCK_DIR=$home/tmp/apache APACHE_LOG_DIR=$log_dir
END
    [[ -z $tls_port ]] || apache_tls
}

apache_tls() {
    local site=$conf/sites-available/default-ssl.conf
    sed -i -E "s/(\\*|_default_):443/*:$tls_port/" "$site"
    replace "$site" /var/www/html "$home/www"
    replace "$site" /etc/ssl/certs/ssl-cert-snakeoil.pem "$certificate"
    replace "$site" /etc/ssl/private/ssl-cert-snakeoil.key "$certificate"
}

# apache_program CONF - this file of conf-available starts the program of apache_worker.
apache_program() {
    local file=$conf/conf-available/$1.conf
    set_line "$file" 'Define SLUICE_INTAKE' "Define SLUICE_INTAKE $home/bin/intake"
    set_line "$file" 'Define SLUICE_CONFIG' "Define SLUICE_CONFIG $home/etc/sluice.conf"
}

# apache_worker COMMAND... - makes $home/bin/intake, which starts a worker by this command with its
# messages in intake.log; Apache would put them into its error log.
apache_worker() {
    printf '#!/bin/sh\nSTACK_HOME=%s exec %s 2>>%s/intake.log\n' "$home" "$*" "$log_dir" |
        install -m 755 /dev/stdin "$home/bin/intake"
}

# As apache2ctl does.
apache_start() {
    # shellcheck disable=SC2016 # for the shell that is started
    start_process front "$log_dir/front.log" /bin/sh -c \
        '. "$0/envvars" && exec /usr/sbin/apache2 -d "$0" -DFOREGROUND' "$conf"
}
