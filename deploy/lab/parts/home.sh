# home.sh - the files of one stack: where they lie, who may use them, what is removed; sourced by
# stack.
#
# DIR/stack says whether up has made DIR, and names the directory that holds everything ($home).
# That is DIR itself unless the users postgres and www-data cannot enter it, its name is too long
# for a socket's (107 bytes), or it would need quoting in the configuration files.
# shellcheck shell=bash disable=SC2154 # the variables are of stack

home='' made_dir=no log_dir='' socket='' settings_socket=''
home_names=(bin etc fcgi log pg proc run tmp web www)

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

# Whoever writes DIR/stack has the directory.
claim_dir() {
    local name
    if read_home; then
        [[ ! -d $home/proc ]] || die "$dir holds a stack: deploy/stack down --dir $dir"
        remove_files
    fi
    for name in env stack "${home_names[@]}"; do
        [[ ! -e $dir/$name ]] || die "$dir/$name is there already: choose another directory"
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

name_files() {
    log_dir=$home/log
    # shellcheck disable=SC2034 # of workers.sh and the fronts
    socket=$home/fcgi/intake.sock
    # shellcheck disable=SC2034 # the same
    settings_socket=$home/fcgi/settings.sock
}

# Fails when there is no stack in DIR, not even half a one.
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
    install -d -m "$open_mode" "$home"/{bin,etc,log,proc,tmp,web,www}
    install -d -m 700 -o "$pg_user" -g "$pg_group" "$home/pg"
    install -d -m 750 -o "$pg_user" -g "$worker_group" "$home/run"
    install -d -m 750 -g "$worker_group" "$home/fcgi"
    install -d -m 700 -o "$worker_user" -g "$worker_group" "$home/tmp/upload"
    install -m 640 -o "$pg_user" -g "$pg_group" /dev/null "$log_dir/postgresql.log"
    for name in intake settings access error; do
        install -m 640 -o "$worker_user" -g "$worker_group" /dev/null "$log_dir/$name.log"
    done
}

remove_all_but_logs() {
    local name
    # A server that had to be killed leaves processes that still write when their parent is gone.
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
