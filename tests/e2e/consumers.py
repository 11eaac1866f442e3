"""Consumers and followers: database sessions as sql-migrations/README.md has them."""

import collections

import psycopg2

CLAIM = "select id, claim_id from sluice.claim_signals(%s, %s, %s)"
FINISH = "select sluice.finish_signals(%s::bigint[], %s, %s, claim => %s)"


class Consumer:
    """A database session of sluice_consumer (or another role)."""

    def __init__(self, stack, name="consumer", user="sluice_consumer"):
        self.name = name
        self.connection = psycopg2.connect(
            host=stack.env["PGHOST"], port=stack.env["PGPORT"], dbname=stack.env["PGDATABASE"],
            user=user)
        self.connection.autocommit = True

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.connection.close()

    def query(self, sql, *params):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, params or None)
            return cursor.fetchall() if cursor.description else []

    def claim(self, rows, lease="5 minutes"):
        """{id: claim}"""
        return dict(self.query(CLAIM, self.name, rows, lease))

    def finish(self, ids, status="completed", error=None, claim=None):
        return self.query(FINISH, list(ids), status, error, claim)[0][0]


class Follower:
    """As sql-migrations/README.md says."""

    def __init__(self, stack):
        self.session = Consumer(stack, user="sluice_reader")
        self.seen = collections.Counter()
        self.frontier = self.session.query("select sluice.frontier()")[0][0]

    def step(self):
        upto = self.session.query("select sluice.frontier()")[0][0]
        self.seen.update(row[0] for row in self.session.query(
            "select id from sluice.signals_between(%s, %s)", self.frontier, upto))
        self.frontier = upto

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.session.connection.close()


def finish_all(stack):
    """Nothing is left to be claimed, whoever holds it."""
    stack.psql("update sluice.signal_queue set due_at = null, lease_ends_at = '-infinity'")
    with Consumer(stack, "sweeper", user="postgres") as consumer:
        while batch := consumer.claim(10000):
            consumer.finish(batch, "skipped")
