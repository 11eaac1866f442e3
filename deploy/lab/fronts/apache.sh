# apache.sh - Apache with mod_proxy_fcgi; sourced by stack.
# shellcheck shell=bash

# shellcheck source=../parts/variables.sh
. "${BASH_SOURCE%/*}/../parts/variables.sh"
# shellcheck source=../parts/apache.sh
. "${BASH_SOURCE%/*}/../parts/apache.sh"

front_starts_workers() { false; }

front_check() {
    apache_check
    need "$apache_modules/mod_proxy_fcgi.so" apache2-bin
}

front_config() {
    apache_config 8 proxy proxy_fcgi alias dir mime auth_basic authn_core authn_file \
        authz_user <<END
Define SLUICE_SOCKET "$socket"
Include "$deploy/apache/sluice.conf"
TypesConfig /etc/mime.types
Define SLUICE_SETTINGS_SOCKET "$settings_socket"
Define SLUICE_WEB "$home/web"
Include "$deploy/apache/sluice_settings.conf"
<LocationMatch "^/(?:api/)?settings(?:/|$)">
    AuthType Basic
    AuthName "Sluice"
    AuthBasicProvider file
    AuthUserFile "$home/etc/users"
    Require valid-user
</LocationMatch>
END
}

front_start() {
    apache_start
}
