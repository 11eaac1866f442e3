# lighttpd.sh - what the fronts with lighttpd share; sourced by them.
# shellcheck shell=bash

# shellcheck source=variables.sh
. "${BASH_SOURCE%/*}/variables.sh"

# Prints the listener for HTTPS, if one is asked for.
lighttpd_tls() {
    [[ -n $tls_port ]] || return 0
    cat <<END
server.modules += ( "mod_openssl" )
\$SERVER["socket"] == "127.0.0.1:$tls_port" {
    ssl.engine = "enable"
    ssl.pemfile = "$certificate"
}
END
}
