"""A second PostgreSQL cluster: another system identifier, and transaction numbers of its own.

SLUICE_OTHER_PG_BIN names the directory of its server's programs, for another version than the
stack's; it must not be older.
"""

import contextlib
import json
import os
import pathlib
import secrets
import shutil
import subprocess

import psycopg2
import pytest

from harness import BUILD, ENVIRONMENT, FRONTS, SEED, free_port, run
from harness.client import Answer
from sluicectl import Tool


class Database:
    """A database of a cluster, the tool on it, and requests by plain CGI."""

    def __init__(self, stack, host, port, name, user="postgres"):
        self.name = name
        self.env = {"PGHOST": str(host), "PGPORT": str(port), "PGDATABASE": name, "PGUSER": user}
        self.tool = Tool(stack, **self.env)

    def connect(self, user=None):
        connection = psycopg2.connect(host=self.env["PGHOST"], port=self.env["PGPORT"],
                                      dbname=self.name, user=user or self.env["PGUSER"])
        connection.autocommit = True
        return connection

    def psql(self, sql, *params, user=None):
        with contextlib.closing(self.connect(user)) as connection, connection.cursor() as cursor:
            cursor.execute(sql, params or None)
            return cursor.fetchall() if cursor.description else []

    def value(self, sql, *params, user=None):
        return self.psql(sql, *params, user=user)[0][0]

    def send(self, path, body=SEED, content_type="application/json"):
        """One request to sluice-intake without a web server."""
        database = " ".join(f"{name}={self.env[variable]}" for name, variable in
                            (("host", "PGHOST"), ("port", "PGPORT"), ("dbname", "PGDATABASE")))
        done = subprocess.run(
            [BUILD / "sluice-intake", "--allow-root"], input=body, capture_output=True, check=True,
            env={"GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "POST", "REQUEST_URI": path,
                 "CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(body)),
                 "SLUICE_DATABASE": f"{database} user=sluice_intake"})
        head, _, text = done.stdout.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n")]
        return Answer(int(dict(headers)["Status"].split()[0]), headers, text)

    def new_key(self, **options):
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        return self.tool.json("key", "create", "--organization", "Restored", "--name",
                              f"restored {secrets.token_hex(4)}", *arguments)

    def findings(self):
        """{check: its finding} and the exit code of sluicectl check."""
        process = self.tool.start("check", "--json")
        stdout, stderr = process.communicate(timeout=120)
        assert stderr == ""
        return {each["check"]: each for each in json.loads(stdout)["findings"]}, \
            process.returncode

    def not_ok(self):
        """{check: result} of what check does not find right."""
        return {name: found["result"] for name, found in self.findings()[0].items()
                if found["result"] != "ok"}


class Cluster:
    """Listens on a socket in its directory and trusts everybody there."""

    def __init__(self, stack):
        self.stack = stack
        self.programs = pathlib.Path(os.environ.get("SLUICE_OTHER_PG_BIN", stack.env["PG_BIN"]))
        self.dir = run.new_directory("sluice-cluster-")
        if os.geteuid() == 0:
            shutil.chown(self.dir, "postgres", "postgres")
        self.port = free_port()
        self.run("initdb", "--pgdata", self.dir / "pg", "--username=postgres", "--auth=trust",
                 "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        with (self.dir / "pg" / "postgresql.conf").open("a") as file:
            file.write(f"listen_addresses = ''\nport = {self.port}\n"
                       f"unix_socket_directories = '{self.dir}'\nwal_level = logical\n"
                       "timezone = 'UTC'\nlog_line_prefix = '%m [%p] %q%u@%d '\n")
        self.run("pg_ctl", "start", "--pgdata", self.dir / "pg", "--wait", "--silent",
                 "--log", self.dir / "postgresql.log")
        self.server = Database(stack, self.dir, self.port, "postgres")

    def run(self, program, *arguments):
        subprocess.run([self.programs / program, *arguments], check=True, cwd="/",
                       user="postgres" if os.geteuid() == 0 else None, env=ENVIRONMENT,
                       stdout=subprocess.DEVNULL)

    def database(self, name):
        return Database(self.stack, self.dir, self.port, name)

    def create(self, owner="postgres"):
        name = f"other_{secrets.token_hex(6)}"
        self.server.psql(f"create database {name} owner {owner}")
        return self.database(name)

    def clear(self):
        """No databases and no roles but those of initdb."""
        for (name,) in self.server.psql("select datname from pg_database where not datistemplate"
                                        " and datname <> 'postgres'"):
            self.server.psql(f"drop database {name} with (force)")
        # Sluice's first: the roles that granted them cannot be dropped while they are members.
        for (name,) in self.server.psql("select rolname from pg_roles where oid >= 16384"
                                        " order by rolname !~ '^sluice_'"):
            self.server.psql(f'drop role "{name}"')

    def close(self):
        self.run("pg_ctl", "stop", "--pgdata", self.dir / "pg", "--mode=immediate", "--silent")
        shutil.rmtree(self.dir, ignore_errors=True)


@pytest.fixture(scope="session")
def other_cluster(shared):
    """Made when it is first asked for; each test clears it before."""
    cluster = Cluster(shared(FRONTS[0]))
    try:
        yield cluster
    finally:
        cluster.close()
