# process.sh - starting, recording and ending the processes of a stack; sourced by stack.
#
# $home/proc/NAME holds a process id and its start time, so that a reused id is not taken for ours.
# Descendants are found by the variable STACK_HOME in their environment.
# shellcheck shell=bash

# shellcheck source=variables.sh
. "${BASH_SOURCE%/*}/variables.sh"

# start_process NAME LOG COMMAND... - in a session of its own, so that Ctrl-C does not reach it.
start_process() {
    local name=$1 log=$2
    shift 2
    (
        close_descriptors
        cd "$home" || exit
        exec env STACK_HOME="$home" setsid -- "$@" </dev/null >>"$log" 2>&1
    ) &
    record_process "$name" $!
}

# Daemons must not inherit the caller's descriptors: a pipe would never reach its end. Descriptor 255
# is bash's, for the script.
close_descriptors() {
    local fd
    for fd in "/proc/$BASHPID/fd"/*; do
        fd=${fd##*/}
        ((fd <= 2 || fd == 255)) || exec {fd}>&-
    done
}

record_process() {
    printf '%s %s\n' "$2" "$(started_at "$2")" >"$home/proc/$1"
}

# Prints field 22 of /proc/PID/stat (proc(5)); nothing for a zombie or if there is no such process.
started_at() {
    local stat
    local -a field
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    # The second field, the program's name in parentheses, may hold anything.
    read -ra field <<<"${stat##*) }"
    [[ ${field[0]} == Z ]] || printf '%s' "${field[19]}"
}

# Prints the id of a recorded process; fails if it does not run.
process_id() {
    local pid='' start=''
    [[ -e $home/proc/$1 ]] || return 1
    read -r pid start <"$home/proc/$1" || return 1
    [[ -n $start && $(started_at "$pid") == "$start" ]] && printf '%s\n' "$pid"
}

process_gone() {
    ! process_id "$1" >/dev/null
}

# stop_process NAME SIGNAL SECONDS [SIGNAL SECONDS]... - sends one signal after the other, and waits
# so long after each, until the process has ended.
stop_process() {
    local name=$1 pid
    shift
    while (($# > 0)) && pid=$(process_id "$name"); do
        kill -s "$1" "$pid" 2>/dev/null || true
        wait_until "$2" process_gone "$name" || true
        shift 2
    done
    rm -f "$home/proc/$name"
}

stray_processes() {
    grep -lzxF -- "STACK_HOME=$home" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3
}

no_stray_processes() {
    [[ -z $(stray_processes) ]]
}

# Ends processes that outlived their parent.
stop_stray_processes() {
    local signal
    local -a strays
    for signal in TERM KILL; do
        mapfile -t strays < <(stray_processes)
        ((${#strays[@]} > 0)) || return 0
        kill -s "$signal" "${strays[@]}" 2>/dev/null || true
        wait_until 5 no_stray_processes || true
    done
}
