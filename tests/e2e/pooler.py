"""PgBouncer in transaction mode before the PostgreSQL server of a stack."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import psycopg2

from harness import wait_for

PORT = 6432  # the name of a Unix socket
SIZE = 3
USERS = ("sluice_intake", "sluice_settings", "sluice_consumer")
CONFIG = """[databases]
sluice = host={server} port={port}
[pgbouncer]
listen_addr =
listen_port = {own_port}
unix_socket_dir = {home}
auth_type = trust
auth_file = {home}/users
admin_users = postgres
pool_mode = transaction
default_pool_size = {size}
server_round_robin = 1
server_reset_query_always = 1
server_login_retry = 1
logfile = {home}/log
pidfile =
"""


class Pooler:
    """A PgBouncer of its own before a stack's server, whose server connections take turns."""

    def __init__(self, stack):
        self.stack = stack
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="sluice-pool-"))
        owner = pathlib.Path(stack.psql("show data_directory")[0][0]).stat()
        (self.home / "users").write_text("".join(f'"{user}" ""\n' for user in (*USERS, "postgres")))
        (self.home / "ini").write_text(CONFIG.format(
            home=self.home, own_port=PORT, size=SIZE, server=stack.env["PGHOST"],
            port=stack.env["PGPORT"]))
        os.chmod(self.home, 0o755)
        for path in (self.home, *self.home.iterdir()):
            os.chown(path, owner.st_uid, owner.st_gid)
        self.owner = owner.st_uid
        self.start()

    def start(self):
        as_root = os.geteuid() == 0  # PgBouncer does not run as root
        self.process = subprocess.Popen(["/usr/sbin/pgbouncer", "-q", self.home / "ini"],
                                        user=self.owner if as_root else None,
                                        stderr=subprocess.DEVNULL)
        wait_for(self.listens, "PgBouncer listens")

    def listens(self):
        """Whether it answers: the socket of one that was killed is still there."""
        try:
            self.connect("postgres", "pgbouncer").close()
        except psycopg2.OperationalError:
            return False
        return True

    def kill(self):
        self.process.kill()
        self.process.wait()

    def control(self, command):
        """One of its console, such as PAUSE."""
        with contextlib.closing(self.connect("postgres", "pgbouncer")) as admin, \
                admin.cursor() as cursor:
            cursor.execute(command)
            return cursor.fetchall() if cursor.description else []

    def connect(self, user, database="sluice"):
        connection = psycopg2.connect(host=str(self.home), port=PORT, dbname=database, user=user)
        connection.autocommit = True
        return connection

    def fill(self, user):
        """Makes all server connections of a role's pool."""
        clients = [self.connect(user) for _ in range(SIZE)]
        for client in clients:
            client.cursor().execute("begin")
        for client in clients:
            client.cursor().execute("rollback")  # else its server connection would be closed
            client.close()

    def clients(self, user):
        return sum(row[1] == user for row in self.control("SHOW CLIENTS"))

    def serve(self, variable, pids):
        """Processes of this configuration connect to the pooler: others come for these."""
        path = pathlib.Path(self.stack.env[variable])
        path.write_text(path.read_text().replace(
            f"host={self.stack.env['PGHOST']} port={self.stack.env['PGPORT']}",
            f"host={self.home} port={PORT}"))
        for pid in pids:
            os.kill(pid, signal.SIGTERM)

    def close(self):
        self.kill()
        shutil.rmtree(self.home)
