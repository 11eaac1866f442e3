# apache.sh - Apache with mod_proxy_fcgi as the web server of a stack; sourced by stack.
# shellcheck shell=bash disable=SC2154 # the variables are of stack

# shellcheck source=../parts/apache.sh
. "$deploy/parts/apache.sh"

front_check() {
    apache_check
    need "$apache_modules/mod_proxy_fcgi.so" apache2-bin
}

front_config() {
    apache_config 8 proxy proxy_fcgi <<END
Define SLUICE_SOCKET "$socket"
Include "$deploy/apache/sluice.conf"
END
}

front_start() {
    apache_start
}
