"""The network swallows everything, and the server moves to another host."""

import contextlib
import ctypes
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import psycopg2
import pytest

from backends import Backends
from direct import sender
from fastcgi_client import STDIN, Worker, begin, params, record, variables_of
from harness import ENVIRONMENT, wait_for
from oracle import Oracle
from postgresql_server import Server, frozen
from relay import Relay

QUICK = {"SLUICE_CONNECT_TIMEOUT": "1s", "SLUICE_DATABASE_TIMEOUT": "2s",
         "SLUICE_REQUEST_TIMEOUT": "4s"}
LIMIT_S = 4
HERE, THERE = "198.18.66.1", "198.18.66.2"  # reserved for tests between networks
CLONE_NEWNET = 0x40000000


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


class Network:
    """Another network namespace, connected to this one by a cable."""

    def __init__(self):
        self.name = f"sluice-{os.getpid()}"
        self.ends = [f"sl{side}{os.getpid()}" for side in "ab"]
        ip("netns", "add", self.name)
        ip("link", "add", self.ends[0], "type", "veth", "peer", self.ends[1])
        ip("link", "set", self.ends[1], "netns", self.name)
        ip("address", "add", f"{HERE}/30", "dev", self.ends[0])
        ip("-n", self.name, "address", "add", f"{THERE}/30", "dev", self.ends[1])
        ip("link", "set", self.ends[0], "up")
        ip("-n", self.name, "link", "set", self.ends[1], "up")

    def close(self):
        ip("link", "del", self.ends[0])  # the namespace would take it along, but later
        ip("netns", "del", self.name)

    def listen(self):
        """A socket that listens there, whoever uses it."""
        made = []

        def enter():  # this thread alone
            descriptor = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
            assert ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) == 0
            os.close(descriptor)
            made.append(socket.create_server((THERE, 5432), backlog=64))
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        return made[0]

    @contextlib.contextmanager
    def black_hole(self):
        """Packets go to an address that no card has, in both directions."""
        nowhere = "02:00:00:00:00:01"
        ip("neighbour", "replace", THERE, "lladdr", nowhere, "dev", self.ends[0])
        ip("-n", self.name, "neighbour", "replace", HERE, "lladdr", nowhere, "dev", self.ends[1])
        try:
            yield
        finally:
            ip("neighbour", "del", THERE, "dev", self.ends[0])
            ip("-n", self.name, "neighbour", "del", HERE, "dev", self.ends[1])


@contextlib.contextmanager
def worker_beyond(stack):
    """(The network, a worker whose database is there)."""
    database = (f"host={THERE} port=5432 dbname=sluice user=sluice_intake"
                " sslmode=disable gssencmode=disable")
    with contextlib.ExitStack() as held:
        network = Network()
        held.callback(network.close)
        held.enter_context(Relay(stack, network.listen()))
        yield network, held.enter_context(
            Worker(stack, more={**QUICK, "SLUICE_DATABASE": database}))


@pytest.mark.skipif(os.geteuid() != 0, reason="another network takes root")
def test_black_hole(module_stack, capsys):
    stack = module_stack
    key = stack.new_key()
    with contextlib.ExitStack() as held:
        network, worker = held.enter_context(worker_beyond(stack))
        backends = held.enter_context(Backends(stack))
        oracle = held.enter_context(Oracle(stack, key, LIMIT_S, send=sender(worker, key)))
        first, healed = oracle.endure(network.black_hole(), LIMIT_S + 4, accepted=50)
    told = oracle.assert_shed(first, healed)
    oracle.report(capsys, f", {told}, {backends.most} backends")
    oracle.check()
    assert backends.most <= 4  # those of the stack's own worker and of ours, and two


def metrics_of(worker):
    with worker.talk() as talk:
        talk.write(begin() + params(variables_of("/sluice/metrics", None, method="GET"))
                   + record(STDIN))
        output, ended = talk.read()
    assert ended and output.startswith(b"Status: 200 "), output
    return output


@pytest.mark.skipif(os.geteuid() != 0, reason="another network takes root")
def test_metrics_in_a_black_hole(module_stack):
    """Nothing has told the worker yet that its own connection leads nowhere."""
    up, down = b"\nsluice_database_up 1\n", b"\nsluice_database_up 0\n"
    with worker_beyond(module_stack) as (network, worker), Backends(module_stack) as backends:
        wait_for(lambda: up in metrics_of(worker), "it is connected")
        with network.black_hole():
            assert all(down in metrics_of(worker) for _ in range(4))
        wait_for(lambda: up in metrics_of(worker), "the database answers again")
    assert backends.most <= 4  # as above


class Standby:
    """A standby of a stack's server, which confirms each commit."""

    def __init__(self, stack):
        self.stack = stack
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sluice-standby-"))
        if os.geteuid() == 0:
            shutil.chown(self.dir, "postgres", "postgres")
        self.dir.chmod(0o755)
        self.run("pg_basebackup", "-D", self.dir / "pg", "-R", "-c", "fast", "-h",
                 stack.env["PGHOST"], "-p", stack.env["PGPORT"], "-U", stack.env["PGUSER"])
        self.start()
        stack.psql("alter system set synchronous_standby_names = '*'")
        stack.psql("select pg_reload_conf()")
        wait_for(lambda: stack.psql("select 1 from pg_stat_replication where sync_state = 'sync'"),
                 "it confirms")

    def run(self, program, *arguments):
        subprocess.run([pathlib.Path(self.stack.env["PG_BIN"], program), *arguments], check=True,
                       cwd="/", user="postgres" if os.geteuid() == 0 else None, env=ENVIRONMENT,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self):
        self.run("pg_ctl", "start", "-D", self.dir / "pg", "-w", "-s", "-l", self.dir / "log",
                 "-o", f"-c port=5433 -c unix_socket_directories={self.dir}")

    @contextlib.contextmanager
    def away(self, end):
        if end == "freeze":
            with frozen(self.dir / "pg"):
                yield
        else:
            self.run("pg_ctl", "stop", "-D", self.dir / "pg", "-m", "immediate")
            yield
            self.start()

    def is_up_to_date(self):
        (sent,), = self.stack.psql("select pg_current_wal_flush_lsn()")
        return self.psql("select pg_last_wal_replay_lsn() >= %s", sent)[0][0]

    def promote(self):
        self.run("pg_ctl", "promote", "-D", self.dir / "pg", "-w")

    def psql(self, sql, *params):
        with contextlib.closing(psycopg2.connect(
                host=str(self.dir), port=5433, dbname="sluice",
                user=self.stack.env["PGUSER"])) as connection, connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchall()

    def close(self):
        self.run("pg_ctl", "stop", "-D", self.dir / "pg", "-m", "immediate")
        shutil.rmtree(self.dir)


@pytest.mark.parametrize("end", ["crash", "freeze"])
def test_promotion(make_stack, capsys, end):
    """The primary is lost, or silent; its standby takes over, and has all that was accepted."""
    stack = make_stack("lighttpd")
    key, server = stack.new_key(), Server(stack)
    standby = Standby(stack)
    database = (f"host={stack.env['PGHOST']},{standby.dir} port={stack.env['PGPORT']},5433"
                " dbname=sluice user=sluice_intake target_session_attrs=read-write")
    with contextlib.ExitStack() as held:
        held.callback(standby.close)
        worker = held.enter_context(Worker(stack, more={**QUICK, "SLUICE_DATABASE": database}))
        with Oracle(stack, key, LIMIT_S, send=sender(worker, key)) as oracle:
            oracle.psql = standby.psql
            wait_for(lambda: oracle.count(202) >= 50, "the load is accepted")
            stack.disconnect()
            if end == "crash":
                server.stop("immediate")
            else:
                held.enter_context(server.frozen())
            wait_for(lambda: oracle.count(503), "the loss is noticed")
            standby.promote()
            since = time.monotonic()
            wait_for(lambda: oracle.count(202, since) >= 50, "the new primary is found")
        oracle.report(capsys)
        oracle.check()


@pytest.mark.parametrize("end", ["crash", "freeze"])
def test_standby_vanishes(make_stack, capsys, end):
    """The only one that confirms: nothing is accepted without it, and what was is on it, too."""
    stack = make_stack("lighttpd")
    key, standby = stack.new_key(), Standby(stack)
    with contextlib.ExitStack() as held:
        held.callback(standby.close)
        worker = held.enter_context(Worker(stack, more=QUICK))
        backends = held.enter_context(Backends(stack))
        oracle = held.enter_context(Oracle(stack, key, LIMIT_S, send=sender(worker, key)))
        first, healed = oracle.endure(standby.away(end), LIMIT_S + 2, accepted=50)
        waited_for = [each for each in oracle.attempts if first < each.start < healed - LIMIT_S]
        assert not [each for each in waited_for if each.answer.status == 202]
        oracle.stop()
        told = oracle.assert_shed(first, healed)
        oracle.report(capsys, f", {told}, {backends.most} backends")
        oracle.check()
        oracle.psql = standby.psql
        wait_for(standby.is_up_to_date, "it has all of it")
        oracle.check()
    assert backends.most <= 4  # those of the stack's own worker and of ours, and two
