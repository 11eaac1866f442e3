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

# Few processes: each request may have a database connection.
front_config() {
    apache_config 2 alias cgid env <<END
ScriptSock "$home/tmp/cgid"
SetEnv STACK_HOME "$home"
Define SLUICE_INTAKE "$home/bin/intake"
Define SLUICE_CONFIG "$home/etc/sluice.conf"
Include "$deploy/cgi/apache.conf"
END
}

front_start() {
    apache_worker "$home/bin/sluice-intake"
    apache_start
}
