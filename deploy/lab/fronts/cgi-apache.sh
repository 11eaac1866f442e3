# cgi-apache.sh - Apache with mod_cgid, one process per request; sourced by stack.
# shellcheck shell=bash

# shellcheck source=../parts/variables.sh
. "${BASH_SOURCE%/*}/../parts/variables.sh"
# shellcheck source=../parts/apache.sh
. "${BASH_SOURCE%/*}/../parts/apache.sh"

front_starts_workers() { true; }

front_check() {
    apache_check
}

front_configure() {
    apache_configure "headers proxy_fcgi substitute cgid" "sluice sluice-cgi"
    apache_program sluice-cgi
}

front_start() {
    apache_worker "$home/bin/sluice-intake"
    apache_start
}
