# cgi.sh - lighttpd with mod_cgi, one process per request; sourced by stack.
# shellcheck shell=bash

# shellcheck source=../parts/variables.sh
. "${BASH_SOURCE%/*}/../parts/variables.sh"
# shellcheck source=../parts/lighttpd.sh
. "${BASH_SOURCE%/*}/../parts/lighttpd.sh"

front_starts_workers() { true; }

front_check() {
    lighttpd_check
}

front_configure() {
    local file
    lighttpd_configure 95-sluice 96-sluice-cgi
    file=$conf/conf-available/96-sluice-cgi.conf
    set_line "$file" 'var.sluice_config = ' "var.sluice_config = \"$home/etc/sluice.conf\""
    set_line "$file" 'var.sluice_messages = ' "var.sluice_messages = \"$log_dir/intake.log\""
}

# lighttpd opens the directory that the program is in.
front_start() {
    ((EUID != 0)) || chmod 755 "$home/bin"
    lighttpd_start
}
