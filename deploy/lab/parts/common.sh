# common.sh - messages and waiting; sourced by the scripts of deploy/lab/.
# shellcheck shell=bash

say() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
    say "$*"
    exit 1
}

# wait_until SECONDS COMMAND... - repeats the command until it succeeds; fails after SECONDS.
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.05
    done
}

# need PROGRAM PACKAGE [WHAT] - WHAT is the argument with which deps installs the package.
need() {
    [[ -e $1 ]] || command -v "$1" >/dev/null ||
        die "$1 is missing (package $2): run deploy/lab/deps${3:+ $3}"
}

# Prints a free port of the loopback interface, below the range of outgoing connections.
free_port() {
    local port
    while port=$((10240 + RANDOM % 22528)); do
        (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    printf '%s\n' "$port"
}
