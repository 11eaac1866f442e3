"""The database's default isolation level is a DBA's: nothing is stored, claimed or followed wrongly
in another than read committed."""

import collections
import concurrent.futures
import contextlib
import itertools
import json
import threading

import psycopg2.errors
import pytest

from consumers import Consumer, Follower
from harness import Load, assert_problem, path_of, wait_for

pytestmark = [pytest.mark.first_front, pytest.mark.database,
              pytest.mark.shape(workers=2)]

ROLES = ("sluice_intake", "sluice_settings", "sluice_consumer", "sluice_reader",
         "sluice_maintenance", "sluice_admin")
LEVELS = ("repeatable read", "serializable")
IDS = 300  # different ids, each sent again and again


class Work:
    """Consumers at work until they are stopped; `failed` counts calls that had to be repeated."""

    def __init__(self, stack, count=4):
        self.stack, self.stopping = stack, threading.Event()
        self.finished, self.failed = [], collections.Counter()
        self.pool = concurrent.futures.ThreadPoolExecutor(count)
        self.consumers = [self.pool.submit(self.run, f"consumer-{n}") for n in range(count)]

    def run(self, name):
        with Consumer(self.stack, name) as consumer:
            while not self.stopping.is_set():
                batch = self.call(lambda: consumer.claim(20))
                if batch and self.call(lambda ids=list(batch): consumer.finish(ids)) == len(batch):
                    self.finished.extend(batch)

    def call(self, function):
        while True:
            try:
                return function()
            except psycopg2.errors.SerializationFailure:
                self.failed["40001"] += 1

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stopping.set()
        for consumer in self.consumers:
            consumer.result()
        self.pool.shutdown()


def step(follower):
    with contextlib.suppress(psycopg2.errors.SerializationFailure):
        follower.step()


def everything(stack):
    """Senders who repeat each other's deliveries, consumers, a follower and maintenance, all at the
    same time. Returns how often consumers had to call again."""
    key = stack.new_key()
    order = itertools.count()

    def body(_):
        number = next(order) % IDS
        return json.dumps({"email": "a@example.com", "number": number, "type": "track",
                           "messageId": f"id-{key['id']}-{number}"}).encode()

    with Follower(stack) as follower, Work(stack) as work:
        with Load(stack, path_of(key), senders=8, body=body) as load:
            load.wait(2 * IDS, 202)
            step(follower)
            stack.ctl("maintain")
            load.wait(IDS, 202)
        stored = stack.psql("select id, payload->>'number' from sluice.signal"
                            " where key_id = %s", key["id"])
        ids = {row[0] for row in stored}
        wait_for(lambda: ids <= set(work.finished), "all are finished")
        while not ids <= set(follower.seen):
            step(follower)
    for entry in load.sent:
        if entry.status != 202:
            assert_problem(entry.answer, 503)
    assert {entry.answer.json["id"] for entry in load.sent if entry.status == 202} <= ids
    assert len({row[1] for row in stored}) == len(stored) == IDS, "each delivery once"
    assert sorted(each for each in work.finished if each in ids) == sorted(ids)
    assert {each: follower.seen[each] for each in ids} == dict.fromkeys(ids, 1)
    assert stack.psql("select status::text, count(*) from sluice.signal_staging where key_id = %s"
                      " group by 1", key["id"]) == [("completed", IDS)]
    assert stack.psql("select coalesce(sum(signals), 0) from sluice.usage_overview") \
        == stack.psql("select count(*) from sluice.signal"), "each is counted once"
    return work.failed["40001"]


@pytest.mark.parametrize("level", LEVELS)
def test_the_database_has_another_level(stack_of_its_own, level):
    """The roles keep theirs: nobody has to call again."""
    stack = stack_of_its_own
    stack.psql(f"alter database sluice set default_transaction_isolation = '{level}'")
    stack.disconnect()
    assert stack.psql("show transaction_isolation") == [(level,)]
    stack.psql("select pg_terminate_backend(pid, 10000) from pg_stat_activity"
               " where usename = 'sluice_intake'")
    assert everything(stack) == 0


@pytest.mark.parametrize("level", LEVELS)
def test_the_roles_have_another_level(stack_of_its_own, level):
    """Calls may fail, and what failed has changed nothing."""
    stack = stack_of_its_own
    for role in ROLES:
        stack.psql(f"alter role {role} in database sluice"
                   f" set default_transaction_isolation = '{level}'")
    stack.psql("select pg_terminate_backend(pid, 10000) from pg_stat_activity"
               " where usename = 'sluice_intake'")
    with Consumer(stack) as consumer:
        assert consumer.query("show transaction_isolation") == [(level,)]
    everything(stack)
