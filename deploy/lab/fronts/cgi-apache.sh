# cgi-apache.sh - Apache with mod_cgid, one worker process per request, as the web server of a stack;
# sourced by stack.
# shellcheck shell=bash disable=SC2034,SC2154 # the variables are of stack

# shellcheck source=../parts/apache.sh
. "$lab/parts/apache.sh"

front_starts_workers=yes

front_check() {
    apache_check
}

# Few processes, because each of their requests may have a database connection.
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
