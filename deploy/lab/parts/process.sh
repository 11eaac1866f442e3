# process.sh - the processes of one stack: starting, knowing and ending them; sourced by stack.
#
# $home/proc/NAME holds the id of a process and the time it was started, so that a number that was
# given to somebody else is never taken for ours. What such a process started in turn is found by
# the variable STACK_HOME in its environment.
# shellcheck shell=bash disable=SC2154 # the variables are of stack

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

# What the caller has open, a pipe that somebody reads to its end perhaps, is not for processes that
# stay. Of bash's own descriptors, 255 is the script.
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

# Field 22 of proc(5)'s stat, nothing for a process that is gone or a zombie.
started_at() {
    local stat
    local -a field
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    # The second field is the program's name in parentheses, which may hold anything.
    read -ra field <<<"${stat##*) }"
    [[ ${field[0]} == Z ]] || printf '%s' "${field[19]}"
}

# Prints the id of a recorded process that runs; fails when it does not.
process_id() {
    local pid='' start=''
    [[ -e $home/proc/$1 ]] || return 1
    read -r pid start <"$home/proc/$1" || return 1
    [[ -n $start && $(started_at "$pid") == "$start" ]] && printf '%s\n' "$pid"
}

process_gone() {
    ! process_id "$1" >/dev/null
}

# stop_process NAME SIGNAL SECONDS [SIGNAL SECONDS]... - signal after signal until it is gone.
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

# What is left when its parent was killed: asked to end first, then ended.
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
