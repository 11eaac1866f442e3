"""A copy of the signals elsewhere, by logical replication, as sql-migrations/README.md has it."""

import contextlib
import json

import psycopg2
import pytest

import harness
from harness import accepted_id, path_of, send, wait_until_equal
from harness.documents import block
from postgresql_server import Server

pytestmark = [pytest.mark.first_front, pytest.mark.database]

DOCUMENT = "sql-migrations/README.md"


@pytest.fixture
def warehouse():
    """Another cluster, where Sluice is not installed in the database that is used."""
    stack = harness.Stack(harness.FRONTS[0])
    try:
        stack.psql("create database warehouse")
        with contextlib.closing(psycopg2.connect(
                host=stack.env["PGHOST"], port=stack.env["PGPORT"], dbname="warehouse",
                user=stack.env["PGUSER"])) as connection:
            connection.autocommit = True
            yield connection.cursor()
    finally:
        stack.close()


def post(stack, key, *items):
    return [accepted_id(send(stack, path_of(key), json.dumps(item).encode())) for item in items]


def test_a_copy_elsewhere(stack_of_its_own, warehouse):
    """The initial copy, what comes later, what moves out of cold storage, and each row once though
    partitions are made under it."""
    stack = stack_of_its_own
    stack.psql("alter system set wal_level = logical")
    server = Server(stack)
    stack.disconnect()
    server.stop()
    server.start()
    key = stack.new_key()
    harness.wait_for(lambda: send(stack, path_of(key)).status == 202, "the worker is connected")
    ids = stack.ids(key)
    (cold,) = post(stack, key, {"anonymousId": "visitor"})
    stack.psql(block(DOCUMENT, "sql", "CREATE PUBLICATION"))
    here = " ".join(f"{name}={stack.env[variable]}" for name, variable in (
        ("host", "PGHOST"), ("port", "PGPORT"), ("dbname", "PGDATABASE"), ("user", "PGUSER")))
    script = block(DOCUMENT, "sql", "CREATE SUBSCRIPTION")
    tables, subscription = script.split("CREATE SUBSCRIPTION")
    warehouse.execute(tables)
    warehouse.execute("CREATE SUBSCRIPTION"
                      + subscription.replace("host=… dbname=sluice user=…", here))

    def copied():
        warehouse.execute("select id from sluice.signal order by id")
        return [row[0] for row in warehouse.fetchall()]

    def wait_for_copies(what):
        wait_until_equal(copied, sorted(ids), what)

    try:
        wait_for_copies("the initial copy")
        ids += post(stack, key, {"email": "a@example.com"})
        wait_for_copies("what came later")
        ids += [cold, *post(stack, key, {"anonymousId": "visitor", "userId": "u"})]
        wait_for_copies("what was moved")
        # Days without a partition: their rows come through the default partition.
        for (name,) in stack.psql("select partition_name from sluice.partition_bounds()"
                                  " where table_name = 'signal' and upper_bound > now()"):
            stack.psql(f"alter table sluice.signal detach partition sluice.{name}")
            stack.psql(f"alter table sluice.{name} rename to detached_{name}")
        ids += post(stack, key, {"email": "b@example.com"})
        stack.psql("insert into sluice.signal (id, organization_id, received_at, occurred_at,"
                   " key_id, source, request_id, payload)"
                   " select nextval('sluice.signal_id'), 1, at, at, 1, 'x', 'x', '{}'"
                   " from generate_series(1, 6000) as n, lateral (select now() +"
                   " case n when 1 then interval '1000 days' else '0' end as at) as t")
        ids += [row[0] for row in stack.psql("select id from sluice.signal where source = 'x'")]
        wait_for_copies("what came into the default partition")
        stack.ctl("maintain")
        assert stack.psql("select count(*) from sluice.signal_default") == [(1,)]
        ids += post(stack, key, {"email": "c@example.com"})
        wait_for_copies("what came into the days that were made of it")
    finally:
        warehouse.execute("drop subscription warehouse")
