# apache-fcgid.sh - Apache with mod_fcgid, which starts the workers; sourced by stack.
# shellcheck shell=bash

# shellcheck source=../parts/variables.sh
. "${BASH_SOURCE%/*}/../parts/variables.sh"
# shellcheck source=../parts/apache.sh
. "${BASH_SOURCE%/*}/../parts/apache.sh"

front_starts_workers() { true; }

front_check() {
    apache_check
    need "$apache_modules/mod_fcgid.so" libapache2-mod-fcgid test
}

front_config() {
    apache_config 8 fcgid <<END
FcgidIPCDir "$home/tmp/upload"
FcgidProcessTableFile "$home/tmp/fcgid"
FcgidInitialEnv STACK_HOME "$home"
Define SLUICE_INTAKE "$home/bin/intake"
Include "$deploy/apache-fcgid/sluice.conf"
END
}

front_start() {
    apache_worker "$home/bin/sluice-intake" --config "$home/etc/sluice.conf"
    apache_start
}
