"""PostgreSQL misbehaves: what was answered 202 is there, and everybody gets an answer in time."""

import concurrent.futures
import contextlib
import os
import shutil
import signal
import subprocess
import time

import psycopg2
import pytest

from backends import INTAKE, end_backends
from harness import (FRONTS, JSON, NDJSON, PATIENCE, SEED, Load, accepted_id, assert_problem,
                     assert_staged_once, bulk_path, path_of, send, wait_for)
from oracle import Oracle
from postgresql_server import Server

REQUEST_S = 20  # the time limit of a request where a test is about how soon it is answered
SHORT_S = 3  # where a test waits for the limit; answers come within twice that


def recovered(stack, key, code=None):
    """Waits until a request is accepted again; each one before is told 503, and that reason."""
    def accepted():
        answer = send(stack, path_of(key))
        if answer.status != 202:
            assert_problem(answer, 503, code)
        return answer.status == 202
    wait_for(accepted, "the service recovers by itself")


def report(capsys, load, extra):
    with capsys.disabled():
        print(f" [{load.count(202)} accepted, {load.count(503)} answered 503,"
              f" {extra} stored though not answered 202]", end="", flush=True)


def assert_only_known_answers(load):
    """202, or our 503 with its advice: which of them is a matter of when the request came; nothing
    else, and no connection without an answer."""
    for entry in load.sent:
        if entry.status == 503:
            assert_problem(entry.answer, 503)
        else:
            assert entry.status == 202, entry


@pytest.mark.parametrize("front", FRONTS)
def test_killed_backends_under_load(make_stack, front, capsys):
    """pg_terminate_backend, many times, in the middle of groups."""
    stack = make_stack(front, workers=2)
    key = stack.new_key()
    with Load(stack, path_of(key), senders=32) as load:
        for _ in range(15):
            load.wait(40, 202)
            end_backends(stack)
        load.wait(40, 202)
    assert_only_known_answers(load)
    extra = assert_staged_once(stack, key, load, exactly=False)
    assert extra <= load.count(503)
    report(capsys, load, extra)


def test_backends_killed_hard_under_load(make_stack, capsys):
    """kill -9 of a backend: the server restarts itself and throws everybody out."""
    stack = make_stack("lighttpd")
    key = stack.new_key()
    with Load(stack, path_of(key), senders=32) as load:
        for _ in range(4):
            load.wait(40, 202)
            for (pid,) in wait_for(lambda: quietly(stack, INTAKE), "a backend is there"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        load.wait(40, 202)
    assert_only_known_answers(load)
    wait_for(lambda: quietly(stack, "select 1"), "the server takes connections")
    extra = assert_staged_once(stack, key, load, exactly=False)
    assert extra <= load.count(503)
    report(capsys, load, extra)


def quietly(stack, sql):
    """The rows, or none while the server is away."""
    try:
        return stack.psql(sql)
    except psycopg2.Error:
        return []


@pytest.mark.parametrize("front", FRONTS)
def test_immediate_restart_under_load(make_stack, front, capsys):
    stack = make_stack(front)
    key, server = stack.new_key(), Server(stack)
    with Load(stack, path_of(key), senders=32) as load:
        for _ in range(2):
            load.wait(100, 202)
            server.stop("immediate")
            server.start()
        load.wait(100, 202)
    assert_only_known_answers(load)
    wait_for(lambda: quietly(stack, "select 1"), "the server takes connections")
    extra = assert_staged_once(stack, key, load, exactly=False)
    assert extra <= load.count(503)
    report(capsys, load, extra)


@pytest.mark.parametrize("front", FRONTS)
def test_stopped_server_is_answered_quickly(make_stack, front):
    """Nobody waits for a connection that cannot be made; small, batch and bulk alike: all of them
    together take less time than one request may."""
    stack = make_stack(front, settings={"request_timeout": f"{REQUEST_S}s"})
    key, server = stack.new_key(), Server(stack)
    accepted_id(send(stack, path_of(key)))
    server.stop()
    try:
        wait_for(lambda: send(stack, path_of(key)).status == 503, "the loss is noticed")
        large = b"\n".join([SEED] * 4000)
        start = time.monotonic()
        for path, body, headers in ((path_of(key), SEED, JSON),
                                    (path_of(key, end="/batch"), b"[" + SEED + b"]", JSON),
                                    (path_of(key, end="/batch"), large, NDJSON),
                                    (bulk_path(key), SEED, NDJSON)):
            for _ in range(5):
                assert_problem(send(stack, path, body, headers), 503, "database_unavailable")
        assert time.monotonic() - start < REQUEST_S * PATIENCE
        # What needs no database is still told: the sender's own mistakes.
        assert send(stack, "/api/signal-staging/webhook/x/y/z").status == 404
        assert send(stack, path_of(key), None, {}, "GET").status == 405
        assert_problem(send(stack, path_of({"key": "sk_no"})), 401, "unauthenticated")
        assert send(stack, "/sluice/health", None, {}, "GET").status == 503
    finally:
        server.start()
    recovered(stack, key, "database_unavailable")
    assert send(stack, "/sluice/health", None, {}, "GET").status == 200


@pytest.mark.parametrize("front", FRONTS)
def test_frozen_server_is_answered_in_time(make_stack, front):
    """A server that takes the statement and says nothing: every request ends within its limit."""
    stack = make_stack(front, settings={"request_timeout": f"{SHORT_S}s", "bulk_timeout": "4s",
                                        "database_timeout": "1500ms", "connect_timeout": "1s"})
    key, server = stack.new_key(), Server(stack)
    large = b"\n".join([SEED] * 4000)
    with Load(stack, path_of(key), senders=16) as load:
        load.wait(100, 202)
        with server.frozen():
            since = time.monotonic()
            load.wait(48, 503)
            for path in (path_of(key, end="/batch"), bulk_path(key)):
                start = time.monotonic()
                assert_problem(send(stack, path, large, NDJSON), 503)
                assert time.monotonic() - start < 2 * SHORT_S * PATIENCE
        recovered(stack, key)
        load.wait(50, 202)
    assert_only_known_answers(load)
    assert max(entry.seconds for entry in load.sent if entry.start > since - 1) \
        < 2 * SHORT_S * PATIENCE
    rows_by_load = stack.psql("select count(*) from sluice.signal_staging where key_id = %s"
                              " and payload ? 'number'", key["id"])[0][0]
    ids = set(stack.ids(key))
    assert set(load.accepted()) <= ids
    assert rows_by_load - load.count(202) <= load.count(503)


def test_one_frozen_backend(make_stack):
    """Only the worker's own backend stands still: a new connection takes over."""
    stack = make_stack("lighttpd", settings={"request_timeout": f"{SHORT_S}s",
                                             "database_timeout": "1s", "connect_timeout": "1s"})
    key = stack.new_key()
    accepted_id(send(stack, path_of(key)))
    backends = [pid for (pid,) in stack.psql(INTAKE)]
    assert backends
    for pid in backends:  # idle: one that holds locks would stop the whole server
        os.kill(pid, signal.SIGSTOP)
    try:
        with Load(stack, path_of(key), senders=16) as load:
            load.wait(1, 503)
            load.wait(100, 202)
    finally:
        for pid in backends:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    assert_only_known_answers(load)
    assert max(entry.seconds for entry in load.sent) < 2 * SHORT_S * PATIENCE
    assert set(load.accepted()) <= set(stack.ids(key))


def test_locked_table_is_answered_in_time(make_stack):
    """Somebody holds a lock on the staging table."""
    stack = make_stack("lighttpd", settings={"request_timeout": f"{SHORT_S}s",
                                             "database_timeout": "1s"})
    key = stack.new_key()
    accepted_id(send(stack, path_of(key)))
    with stack.locked(), concurrent.futures.ThreadPoolExecutor(8) as pool:
        start = time.monotonic()
        answers = list(pool.map(lambda _: send(stack, path_of(key)), range(8)))
    assert time.monotonic() - start < 2 * SHORT_S * PATIENCE
    for answer in answers:  # what was sent may still be stored, what was not is not: two reasons
        assert_problem(answer, 503)
    recovered(stack, key)


@pytest.mark.parametrize("front", FRONTS)
def test_read_only_server(make_stack, front):
    """Each sender is told why, also between two attempts to connect."""
    stack = make_stack(front)
    key = stack.new_key()
    accepted_id(send(stack, path_of(key)))
    stack.psql("alter system set default_transaction_read_only = on")
    stack.psql("select pg_reload_conf()")
    large = b"\n".join([SEED] * 4000)
    wait_for(lambda: send(stack, path_of(key)).status == 503, "the setting is in force")
    before = stack.rows(key)
    for path, body, headers in ((path_of(key), SEED, JSON), (bulk_path(key), SEED, NDJSON),
                                (path_of(key, end="/batch"), large, NDJSON)):
        for _ in range(10):
            assert_problem(send(stack, path, body, headers), 503, "database_read_only")
    stack.psql("set default_transaction_read_only = off")
    stack.psql("alter system reset default_transaction_read_only")
    stack.psql("select pg_reload_conf()")
    assert stack.rows(key) == before
    recovered(stack, key, "database_read_only")


@pytest.mark.parametrize("front", FRONTS)
def test_no_connections_left(make_stack, front):
    """The role may not connect any more: 503, and back when it may."""
    stack = make_stack(front)
    key = stack.new_key()
    stack.psql("alter role sluice_intake connection limit 0")
    end_backends(stack)
    wait_for(lambda: send(stack, path_of(key)).status == 503, "the loss is noticed")
    for path in (path_of(key), bulk_path(key)):
        assert_problem(send(stack, path), 503, "database_unavailable")
    stack.psql("alter role sluice_intake connection limit -1")
    recovered(stack, key, "database_unavailable")


@pytest.mark.parametrize("damage, repair", [
    ("alter table sluice.signal rename to away", "alter table sluice.away rename to signal"),
    ("revoke execute on all functions in schema sluice from sluice_intake",
     "grant execute on all functions in schema sluice to sluice_intake"),
], ids=["table", "grant"])
def test_misconfigured_database(make_stack, damage, repair):
    """Our own trouble is 503 and loud in the log, never 4xx."""
    stack = make_stack("lighttpd")
    key = stack.new_key()
    accepted_id(send(stack, path_of(key)))
    stack.psql(damage)
    for _ in range(3):
        assert_problem(send(stack, path_of(key)), 503, "misconfigured")
    stack.wait_logged("level=error")
    stack.psql(repair)
    recovered(stack, key, "misconfigured")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system takes root")
def test_full_disk(make_stack):
    """The staging tables lie on a small file system that fills up."""
    stack = make_stack("lighttpd")
    key, server = stack.new_key(), Server(stack)
    place = stack.dir / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", place], check=True)
    try:
        os.chown(place, os.stat(server.data).st_uid, -1)
        stack.psql(f"create tablespace small location '{place}'")
        tables = stack.psql("select inhrelid::regclass::text from pg_inherits"
                            " where inhparent = 'sluice.signal'::regclass")
        for (table,) in tables:
            stack.psql(f"alter table {table} set tablespace small")
        filler = b'{"email":"a@b.c","filler":"%s"}' % os.urandom(50_000).hex().encode()
        accepted = 0
        for _ in range(200):
            answer = send(stack, path_of(key), filler)
            if answer.status != 202:
                break
            accepted += 1
        assert accepted > 0
        assert_problem(answer, 503, "database_full")
        large = b"[" + b",".join([filler] * 8) + b"]"
        assert_problem(send(stack, path_of(key, end="/batch"), large), 503, "database_full")
        assert stack.rows(key) == accepted
        for (table,) in tables:
            stack.psql(f"alter table {table} set tablespace pg_default")
        recovered(stack, key, "database_full")
        stack.psql("drop tablespace small")
    finally:
        server.end()
        subprocess.run(["umount", place], check=True)


@contextlib.contextmanager
def small_wal(server, place):
    """The WAL of a stopped server lies on a small file system; yields how to enlarge it."""
    wal, owner = server.data / "pg_wal", os.stat(server.data).st_uid
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80m", "none", place], check=True)
    try:
        shutil.copytree(wal, place / "wal")
        subprocess.run(["chown", "-R", str(owner), place], check=True)
        shutil.rmtree(wal)
        wal.symlink_to(place / "wal")
        yield lambda: subprocess.run(["mount", "-o", "remount,size=1g", place], check=True)
    finally:
        server.end()
        subprocess.run(["umount", place], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system takes root")
def test_full_wal_disk(make_stack, capsys):
    """PostgreSQL panics, and stays away until there is room again."""
    stack = make_stack("lighttpd")
    key, server = stack.new_key(), Server(stack)
    stack.disconnect()
    server.stop()
    with small_wal(server, stack.dir / "small") as enlarge:
        server.start()
        with Oracle(stack, key, REQUEST_S) as oracle:
            wait_for(lambda: oracle.count(202) >= 50, "the load is accepted")
            with contextlib.suppress(psycopg2.Error):
                stack.psql("create table public.filler as select repeat(md5(n::text), 50) as t"
                           " from generate_series(1, 200000) as n")
                pytest.fail("there is room")
            since = time.monotonic()
            wait_for(lambda: oracle.count(503, since) >= 50, "requests are refused")
            server.end()
            enlarge()
            server.start()
            healed = time.monotonic()
            wait_for(lambda: oracle.count(202, healed) >= 50, "requests are accepted again")
        oracle.report(capsys)
        oracle.check()
        stack.disconnect()


def test_synchronous_commit_stays_on(make_stack):
    """A database that was told to be quick and forgetful is overruled for what is answered 202."""
    stack = make_stack("lighttpd")
    key = stack.new_key()
    stack.psql("alter role sluice_intake set synchronous_commit = off")
    end_backends(stack)
    recovered(stack, key)
    server = Server(stack)
    with Load(stack, path_of(key), senders=16) as load:
        load.wait(200, 202)
        server.stop("immediate")
        server.start()
        load.wait(50, 202)
    wait_for(lambda: quietly(stack, "select 1"), "the server takes connections")
    load.sent = [entry for entry in load.sent if entry.status == 202]
    assert set(load.accepted()) <= set(stack.ids(key))
