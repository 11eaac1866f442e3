# lighttpd.sh - lighttpd with mod_fastcgi; sourced by stack.
# shellcheck shell=bash

# shellcheck source=../parts/variables.sh
. "${BASH_SOURCE%/*}/../parts/variables.sh"
# shellcheck source=../parts/lighttpd.sh
. "${BASH_SOURCE%/*}/../parts/lighttpd.sh"

front_starts_workers() { false; }

front_check() {
    lighttpd_check
}

front_configure() {
    lighttpd_configure 05-auth 95-sluice 95-sluice-connections 96-sluice-settings
    set_line "$conf/conf-available/95-sluice.conf" 'var.sluice_socket = ' \
        "var.sluice_socket = \"$socket\""
    set_line "$conf/conf-available/96-sluice-settings.conf" 'var.sluice_settings_socket = ' \
        "var.sluice_settings_socket = \"$settings_socket\""
}

front_start() {
    lighttpd_start
}
