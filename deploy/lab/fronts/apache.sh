# apache.sh - Apache with mod_proxy_fcgi; sourced by stack.
# shellcheck shell=bash

# shellcheck source=../parts/variables.sh
. "${BASH_SOURCE%/*}/../parts/variables.sh"
# shellcheck source=../parts/apache.sh
. "${BASH_SOURCE%/*}/../parts/apache.sh"

front_starts_workers() { false; }

front_check() {
    apache_check
}

front_configure() {
    apache_configure "headers proxy_fcgi substitute" "sluice sluice-connections sluice-settings"
    set_line "$conf/conf-available/sluice.conf" 'Define SLUICE_SOCKET' \
        "Define SLUICE_SOCKET $socket"
    set_line "$conf/conf-available/sluice-settings.conf" 'Define SLUICE_SETTINGS_SOCKET' \
        "Define SLUICE_SETTINGS_SOCKET $settings_socket"
}

front_start() {
    apache_start
}
