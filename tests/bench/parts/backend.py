"""A private cluster with the schema, and groups of intake sent to it as workers send them. Its
backends may run under callgrind: then they write what they counted when they end, user mode only.
"""

import ctypes
import hashlib
import operator
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAYLOAD = ('{"event":"form_submission","email":"lead@example.com",'
           '"properties":{"form_name":"Demo Request","company":"Acme Corp"}}')
SIGNAL = {"sender": "int4", **dict.fromkeys(
    ("request_id", "source", "event_type", "event_name", "email", "user_id", "anonymous_id",
     "product_user_id", "crm_id", "marketing_automation_id", "phone", "product_org_id",
     "message_id"), "text"),
    "fingerprint": "uuid", "occurred_at": "timestamptz", "payload": "text",
    "payload_raw": "bytea", "envelope": "int4", "warnings": "jsonb", "cold": "bool",
    "traceparent": "text"}
SENDER = {"key_hash": "bytea", "secret_hash": "bytea", "for_product_orgs": "bool",
          "template_version": "int8"}
OIDS = {"bool": 16, "bytea": 17, "int8": 20, "int4": 23, "text": 25, "timestamptz": 1184,
        "uuid": 2950, "jsonb": 3802}


def value(data):
    """A field or element with its length."""
    return struct.pack(">i", -1) if data is None else struct.pack(">i", len(data)) + data


def encoded(kind, data):
    if data is None or kind in ("bytea", "uuid"):
        return data
    if kind == "int4":
        return struct.pack(">i", data)
    return bytes([data]) if kind == "bool" else data.encode()


def fingerprint(message_id, event_type, event_name):
    """As fcgi-app/key/fingerprint.c."""
    of_id = hashlib.sha256(message_id.encode()).digest()
    content = "\0".join(("event", event_type, event_name)).encode()
    return of_id[:8] + bytes(map(operator.xor, of_id[8:16], hashlib.sha256(content).digest()))


def record(types, columns):
    return struct.pack(">i", len(types)) + b"".join(
        struct.pack(">I", OIDS[kind]) + value(encoded(kind, columns.get(name)))
        for name, kind in types.items())


def array(elements):
    """Of a composite type: the server takes the one that the parameter has."""
    return struct.pack(">iiIii", 1, 1, 0, len(elements), 1) + b"".join(map(value, elements))


class Connection:
    """As much of libpq as is needed: psycopg2 does not speak the extended protocol."""

    def __init__(self, conninfo):
        self.pq = ctypes.CDLL("libpq.so.5")
        for name in ("PQconnectdb", "PQexec", "PQprepare", "PQgetResult", "PQgetvalue"):
            getattr(self.pq, name).restype = ctypes.c_void_p
        for name in ("PQerrorMessage", "PQresultErrorMessage"):
            getattr(self.pq, name).restype = ctypes.c_char_p
        self.conn = ctypes.c_void_p(self.pq.PQconnectdb(conninfo.encode()))
        if self.pq.PQstatus(self.conn) != 0:
            message = self.pq.PQerrorMessage(self.conn).decode()
            self.close()
            raise ConnectionError(message)

    def first(self, result):
        """The first value of a result, None without one."""
        result = ctypes.c_void_p(result)
        if self.pq.PQresultStatus(result) not in (1, 2):
            raise SystemExit(f"bench: {self.pq.PQresultErrorMessage(result).decode()}")
        found = None
        if self.pq.PQntuples(result) > 0 and not self.pq.PQgetisnull(result, 0, 0):
            found = ctypes.string_at(self.pq.PQgetvalue(result, 0, 0),
                                     self.pq.PQgetlength(result, 0, 0))
        self.pq.PQclear(result)
        return found

    def run(self, sql):
        return self.first(self.pq.PQexec(self.conn, sql.encode()))

    def prepare(self, sql):
        self.first(self.pq.PQprepare(self.conn, b"s", sql.encode(), 0, None))

    def execute(self, params):
        count = len(params)
        return self.first(self.pq.PQexecPrepared(
            self.conn, b"s", count, (ctypes.c_char_p * count)(*params),
            (ctypes.c_int * count)(*(len(p or b"") for p in params)),
            (ctypes.c_int * count)(*[1] * count), 1))

    def pid(self):
        return self.pq.PQbackendPID(self.conn)

    def close(self):
        self.pq.PQfinish(self.conn)


def schema():
    """The files of this tree's schema, in the order of sluicectl migrate."""
    sql = ROOT / "sql-migrations"
    return [sql / "roles.sql", *sorted(sql.glob("[0-9]*.sql")), *sorted(sql.glob("views/*.sql")),
            *sorted(sql.glob("functions/*.sql")), sql / "access.sql"]


class Server:
    """A private cluster with the schema and 33 keys; counting: its postmaster under callgrind."""

    def __init__(self, place, counting=True, settings=("autovacuum=off",), files=None):
        """files: the schema's, when it is not that of this tree."""
        self.place, self.settings = place, settings
        self.bin = subprocess.run(["pg_config", "--bindir"], stdout=subprocess.PIPE, text=True,
                                  check=True).stdout.strip()
        self.as_owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.as_owner:
            shutil.chown(place, "postgres")
        self.call("initdb", "-D", f"{place}/data", "-E", "UTF8", "--locale=C", "-A", "trust",
                  "-U", "postgres")
        self.start([])
        self.connection("postgres", "postgres", lambda c: c.run("CREATE DATABASE sluice"))
        self.call("psql", "-Xq", "-1", "-v", "ON_ERROR_STOP=1", "-h", place, "-U", "postgres",
                  "-d", "sluice", stdin="".join(f.read_text() for f in files or schema()))
        self.connection("sluice", "postgres", lambda c: c.run(
            "SET client_min_messages = warning; ALTER ROLE sluice_intake LOGIN;"
            # Under callgrind everything takes fifty times as long.
            "ALTER ROLE sluice_intake IN DATABASE sluice SET statement_timeout = 0;"
            "SELECT sluice.organization_create('bench', 'bench');"
            "SELECT sluice.key_create('bench', 'bench', 'key ' || i, NULL, sha256(i::text::bytea), "
            "U&'sk_aaaa\\2026zzzz', NULL, NULL, NULL) FROM generate_series(1, 33) AS i;"
            "CHECKPOINT"))
        self.stop()
        self.start(["valgrind", "-q", "--tool=callgrind",
                    f"--callgrind-out-file={place}/counted.%p"] if counting else [])
        # The first backend of a database writes files that the others read.
        self.connection("sluice", "postgres", lambda c: c.run("SELECT 1"))

    def call(self, program, *arguments, stdin=None):
        subprocess.run([*self.as_owner, f"{self.bin}/{program}", *arguments], input=stdin,
                       text=True, check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "PGOPTIONS": "-c client_min_messages=warning"})

    def start(self, tool):
        self.process = subprocess.Popen(
            [*self.as_owner, *tool, f"{self.bin}/postgres", "-D", f"{self.place}/data",
             "-c", "listen_addresses=", "-c", f"unix_socket_directories={self.place}",
             "-c", "fsync=off", *(word for each in self.settings for word in ("-c", each))],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(1200):
            try:
                return self.connection("postgres", "postgres", lambda c: None)
            except ConnectionError:
                time.sleep(0.1)
        raise SystemExit("bench: the server does not start")

    def stop(self):
        pid = pathlib.Path(self.place, "data/postmaster.pid").read_text().split()[0]
        os.kill(int(pid), signal.SIGINT)
        self.process.wait()

    def connection(self, database, user, use):
        connection = Connection(f"host={self.place} dbname={database} user={user}")
        try:
            return use(connection)
        finally:
            connection.close()

    def counted(self, use):
        """Instructions of a backend for what use() does with its connection, the connection's own
        included."""
        def using(connection):
            use(connection)
            return connection.pid()

        backend = self.connection("sluice", "sluice_intake", using)
        report = pathlib.Path(self.place, f"counted.{backend}")
        for _ in range(1200):
            text = report.read_text() if report.exists() else ""
            found = re.search(r"^totals: (\d+)", text, re.M)
            if found:
                return int(found[1])
            time.sleep(0.1)
        raise SystemExit("bench: a backend has counted nothing")

    def senders(self, count, first=1):
        return array([
            record(SENDER, {"key_hash": hashlib.sha256(str(i).encode()).digest()})
            for i in range(first, first + count)])

    def signals(self, count, columns):
        return array([record(SIGNAL, self.signal(columns(i))) for i in range(count)])

    def signal(self, columns):
        """A signal's columns: its fingerprint by its message id."""
        found = {"sender": 1, "request_id": "0123456789abcdef01234567", "source": "generic",
                 "event_name": "form_submission", "email": "lead@example.com", "payload": PAYLOAD,
                 **columns}
        if found.get("message_id"):
            found["fingerprint"] = fingerprint(found["message_id"], found.get("event_type", ""),
                                               found["event_name"])
        return found


# As fcgi-app/commit/statement.c has them.
XACT = ", pg_current_xact_id_if_assigned(), now()"
ORDINARY = ("SELECT sluice.intake_ordinary($1::sluice.intake_sender[],"
            " $2::sluice.intake_signal[], $3::boolean, $4::boolean, $5::jsonb[])" + XACT)
ANY = ("SELECT sluice.intake($1::sluice.intake_sender[], $2::sluice.intake_signal[],"
       " $3::sluice.intake_product_org[], $4::jsonb[], $5::sluice.intake_reject[],"
       " $6::sluice.intake_refusal[], $7::boolean, $8::boolean)" + XACT)
NO, YES = b"\0", b"\1"
