# variables.sh - the variables that the parts of a stack share, each declared here and nowhere else.
#
# stack reads this first and then sets them. The parts and fronts name it so that shellcheck knows
# the variables; the second and later readings do nothing.
# shellcheck shell=bash disable=SC2034 # used by those who source it

[[ ! -v stack_variables ]] || return 0
stack_variables=declared

# Prints where the programs of the latest installed PostgreSQL are, in Debian's place; where none
# is, the place that says so in a message.
pg_bin_of_latest() {
    local -a servers=(/usr/lib/postgresql/*/bin/initdb)
    local latest
    latest=$(printf '%s\n' "${servers[@]}" | sort -V | tail -n 1)
    printf '%s\n' "${latest%/initdb}"
}

# ---- where things are in the checkout ----

deploy=$(readlink -f -- "${BASH_SOURCE%/*}/../..")  # with the files that operators include
lab=$deploy/lab
migrations=$(readlink -m -- "$deploy/../sql-migrations")
web=$(readlink -m -- "$deploy/../fcgi-app/web")
pg_bin=$(pg_bin_of_latest)

# ---- options ----

dir=''                                                # --dir, absolute
front=''                                              # --front
port=0                                                # --port; start_front replaces 0
workers=''                                            # --workers
demo=no                                               # --demo: yes or no
bin_dir=$(readlink -m -- "$deploy/../build/release")  # --bindir
maintain=600                                          # --maintain, in seconds
settings=()                                           # --set, as lines of a configuration file
tls_port=''                                           # --tls
certificate=''                                        # --certificate, absolute
template=''                                           # --template, absolute

# ---- who owns the processes and files ----

if ((EUID == 0)); then
    pg_user=postgres pg_group=postgres worker_user=www-data worker_group=www-data open_mode=711
else
    pg_user=$(id -un) pg_group=$(id -gn) worker_user=$pg_user worker_group=$pg_group open_mode=700
fi

# ---- files (home.sh) ----

home=''      # holds everything; DIR, or a directory in /tmp
made_dir=no  # whether up has made DIR: yes or no
home_names=(bin etc fcgi log metrics pg proc run share tmp www)
share=''     # what `make install` puts into datadir
conf=''      # the web server's configuration (the fronts)
log_dir='' socket='' settings_socket=''

# Sets what depends on $home.
name_files() {
    log_dir=$home/log
    share=$home/share
    socket=$home/fcgi/intake.sock
    settings_socket=$home/fcgi/settings.sock
}

# ---- what up makes ----

organization=demo
demo_key=''
demo_password=''

# ---- the step that up is in, for its message when it fails ----

doing=''
doing_log=''
