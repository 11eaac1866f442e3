# cluster.sh - the private PostgreSQL of one stack; sourced by stack.
#
# It listens on a socket in $home/run and nowhere else. Whoever can enter that directory is trusted:
# the caller, or as root: root, postgres and the group of the workers' user. Durable settings: the
# tests kill it and count what is left.
# shellcheck shell=bash disable=SC2154 # the variables are of stack

pg_bin=/usr/lib/postgresql/15/bin

# PostgreSQL refuses to run as root.
as_postgres() {
    (
        close_descriptors
        cd "$home" || exit
        if ((EUID == 0)); then
            exec runuser -u postgres -- "$@"
        else
            exec "$@"
        fi
    )
}

cluster_check() {
    need "$pg_bin/postgres" postgresql-15
    need "$pg_bin/initdb" postgresql-15
}

cluster_init() {
    # Without fsync: only this; until it is done there is nothing to lose.
    as_postgres "$pg_bin/initdb" --pgdata="$home/pg" --username=postgres --auth=trust \
        --encoding=UTF8 --locale=C.UTF-8 --data-checksums --no-sync --no-instructions
    as_postgres tee -a "$home/pg/postgresql.conf" >/dev/null <<END
listen_addresses = ''
port = 5432
unix_socket_directories = '$home/run'
fsync = on
synchronous_commit = on
full_page_writes = on
max_connections = 200
shared_buffers = 256MB
max_wal_size = 2GB
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
log_lock_waits = on
END
}

cluster_start() {
    as_postgres env STACK_HOME="$home" "$pg_bin/pg_ctl" start --pgdata="$home/pg" --silent \
        --wait --timeout=60 --log="$log_dir/postgresql.log"
    record_process postgresql "$(head -n 1 "$home/pg/postmaster.pid")"
}

# Fast, then immediate, which also frees the shared memory.
cluster_stop() {
    stop_process postgresql INT 30 QUIT 10 KILL 10
}
