"""A follower and a server that crashes: a frontier that was kept goes on being right."""

import concurrent.futures

import psycopg2

from consumers import Consumer, Follower
from harness import wait_for
from postgresql_server import Server

INSERT = ("insert into sluice.signal (id, organization_id, received_at, occurred_at, key_id,"
          " source, request_id, payload) values (nextval('sluice.signal_id'), 1, now(), now(), 1,"
          " 's', 's', '{}') returning id, stored_xact")
DELAY_S = 3


def frontier_before_a_crash(stack, server, follower):
    """Asks for a frontier right after a rollback that nobody has waited for, and lets the server
    crash. Returns the number of the transaction, and the frontier where the crash left one."""
    with Consumer(stack, user="postgres") as writer, \
            concurrent.futures.ThreadPoolExecutor(1) as pool:
        for _ in range(40):  # pages that go to the WAL whole, in which the number would be saved
            writer.query(INSERT)
        writer.connection.autocommit = False
        number = writer.query(INSERT)[0][1]
        writer.connection.rollback()
        asked = pool.submit(follower.query, "select sluice.frontier()")
        wait_for(lambda: asked.done() or stack.psql(
            "select 1 from pg_stat_activity where pid = %s and wait_event = 'PgSleep'",
            follower.connection.get_backend_pid()), "it has an answer, or waits for one")
        stack.disconnect()
        server.stop("immediate")
        try:
            return number, asked.result()[0][0]
        except psycopg2.Error:
            return number, None


def test_a_number_that_is_given_again(make_stack):
    """What rolled back shortly before a crash has left nothing on disk: its number is given again,
    and what is stored under it comes to a follower who was told that it is over."""
    stack = make_stack("lighttpd")
    stack.psql(f"alter system set wal_writer_delay = '{DELAY_S}s'")
    server = Server(stack)
    server.stop()
    server.start()
    stack.disconnect()
    for _ in range(5):
        with Follower(stack) as follower:
            number, told = frontier_before_a_crash(stack, server, follower.session)
            kept = told or follower.frontier
        server.start()
        with Consumer(stack, user="postgres") as writer, Follower(stack) as follower:
            follower.frontier = kept
            ids = dict(writer.query(INSERT)[0][::-1] for _ in range(10))
            follower.step()
        if number in ids:
            break
    else:
        raise AssertionError("the number was not given again")
    assert follower.seen[ids[number]] == 1 and set(ids.values()) <= set(follower.seen)
