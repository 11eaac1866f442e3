# apache-fcgid.sh - Apache with mod_fcgid, which starts the workers; sourced by stack.
# shellcheck shell=bash

# shellcheck source=../parts/variables.sh
. "${BASH_SOURCE%/*}/../parts/variables.sh"
# shellcheck source=../parts/apache.sh
. "${BASH_SOURCE%/*}/../parts/apache.sh"

front_starts_workers() { true; }

front_check() {
    apache_check
    need /usr/lib/apache2/modules/mod_fcgid.so libapache2-mod-fcgid test
}

front_configure() {
    apache_configure "headers proxy_fcgi substitute fcgid" "sluice sluice-fcgid sluice-connections"
    apache_program sluice-fcgid
    cat >>"$conf/mods-available/fcgid.conf" <<END
FcgidIPCDir "$home/tmp/upload"
FcgidProcessTableFile "$home/tmp/fcgid"
END
}

# The argument tells this stack's workers from another's.
front_start() {
    apache_worker "$home/bin/sluice-intake" --config "$home/etc/sluice.conf"
    apache_start
}
