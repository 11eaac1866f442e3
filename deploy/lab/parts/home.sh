# home.sh - the files of a stack: where they are, who may use them, what is removed; sourced by stack.
#
# DIR/stack records whether up has made DIR, and the directory that holds everything ($home). That
# is DIR, unless the users postgres and www-data cannot enter it, its name is too long for the path
# of a socket (107 bytes), or the name would need quoting in the configuration files.
# shellcheck shell=bash

# shellcheck source=variables.sh
. "${BASH_SOURCE%/*}/variables.sh"

choose_home() {
    home=$dir
    if [[ ! $dir =~ ^[A-Za-z0-9._/+@-]{1,80}$ ]] || ! others_can_enter; then
        home=$(mktemp -d /tmp/sluice-stack.XXXXXX)
        chmod "$open_mode" "$home"
    fi
}

others_can_enter() {
    local user
    ((EUID == 0)) || return 0
    for user in "$pg_user" "$worker_user"; do
        runuser -u "$user" -- test -x "$dir" || return 1
    done
}

# The first to create DIR/stack owns the directory.
claim_dir() {
    local name
    if read_home; then
        [[ ! -d $home/proc ]] || die "$dir holds a stack: deploy/stack down --dir $dir"
        remove_files
    fi
    for name in env stack "${home_names[@]}"; do
        [[ ! -e $dir/$name ]] || die "$dir/$name already exists: choose another directory"
    done
    made_dir=no
    if [[ ! -d $dir ]]; then
        mkdir -p -- "$(dirname -- "$dir")"
        mkdir -m "$open_mode" -- "$dir"
        made_dir=yes
    fi
    choose_home
    (
        set -o noclobber
        printf '%s\n%s\n' "$made_dir" "$home" >"$dir/stack"
    )
    name_files
}

# Fails if DIR holds no stack, not even an incomplete one.
read_home() {
    [[ -e $dir/stack ]] || return 1
    [[ -O $dir/stack ]] || die "the stack in $dir belongs to another user"
    {
        read -r made_dir
        read -r home
    } <"$dir/stack"
    name_files
}

make_files() {
    local name
    install -d -m "$open_mode" "$home"/{bin,etc,etc/sluice,log,proc,share,share/web,tmp,www}
    install -d -m 700 -o "$pg_user" -g "$pg_group" "$home/pg"
    install -d -m 750 -o "$pg_user" -g "$worker_group" "$home/run"
    install -d -m 750 -g "$worker_group" "$home/fcgi"
    install -d -m 700 -o "$worker_user" -g "$worker_group" "$home/tmp/upload" "$home/metrics"
    install -m 640 -o "$pg_user" -g "$pg_group" /dev/null "$log_dir/postgresql.log"
    for name in intake settings access error; do
        install -m 640 -o "$worker_user" -g "$worker_group" /dev/null "$log_dir/$name.log"
    done
}

remove_all_but_logs() {
    local name
    # Children of a killed server may still be writing.
    for name in "${home_names[@]}"; do
        [[ $name == log ]] || wait_until 10 rm -rf -- "${home:?}/$name"
    done
    rm -f -- "$dir/env"
}

remove_files() {
    remove_all_but_logs
    rm -rf -- "${home:?}/log"
    rm -f -- "$dir/stack"
    if [[ $home != "$dir" ]]; then
        rmdir -- "$home"
    fi
    if [[ $made_dir == yes ]]; then
        rmdir --ignore-fail-on-non-empty -- "$dir"
    fi
}
