# cluster.sh - the private PostgreSQL cluster of a stack; sourced by stack.
#
# It listens on a socket in $home/run only, and trusts every user that can enter that directory: the
# caller; as root also postgres and the workers' group. Its settings are durable: tests kill it and
# count what is left.
# shellcheck shell=bash

# shellcheck source=variables.sh
. "${BASH_SOURCE%/*}/variables.sh"

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
    need "$pg_bin/postgres" postgresql
    need "$pg_bin/initdb" postgresql
    [[ -z $template ]] || template_cluster >/dev/null ||
        die "no stopped database in $template: deploy/stack template --dir $template"
}

# Prints the directory of the template's cluster; fails if there is none, or if it runs.
template_cluster() {
    local cluster
    cluster=$(sed -n 2p "$template/stack" 2>/dev/null)/pg
    [[ -s $cluster/PG_VERSION && ! -e $cluster/postmaster.pid ]] && printf '%s\n' "$cluster"
}

cluster_init() {
    # --no-sync concerns initdb alone: there is nothing to lose yet.
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

# The directory of the sockets is the one line in which the clusters of two stacks differ.
cluster_copy() {
    local from
    from=$(template_cluster)
    cp -a --reflink=auto --sparse=always -- "$from/." "$home/pg"
    as_postgres sed -i "s,^unix_socket_directories = .*,unix_socket_directories = '$home/run'," \
        "$home/pg/postgresql.conf"
}

cluster_start() {
    as_postgres env STACK_HOME="$home" "$pg_bin/pg_ctl" start --pgdata="$home/pg" --silent \
        --wait --timeout=60 --log="$log_dir/postgresql.log"
    record_process postgresql "$(head -n 1 "$home/pg/postmaster.pid")"
}

# Fast shutdown, then immediate, which also frees the shared memory.
cluster_stop() {
    stop_process postgresql INT 30 QUIT 10 KILL 10
}
