"""Consumers on connections of their own, many at a time, dying, late; and those who only follow."""

import collections
import concurrent.futures
import contextlib
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import threading

import psycopg2
import pytest

from consumers import FINISH, Consumer, Follower, finish_all
from harness import ENVIRONMENT, NDJSON, Load, bulk_path, path_of, send, wait_for
from harness.documents import block

pytestmark = [pytest.mark.first_front, pytest.mark.database]


@pytest.fixture
def queue(stack):
    """The stack with nothing to be claimed."""
    finish_all(stack)
    yield stack
    stack.psql("alter database sluice reset sluice.max_attempts")


def stage(stack, key, count):
    """So many signals, their ids."""
    before = set(stack.ids(key))
    body = b"".join(b'{"email":"c-%d@example.com","n":%d}\n' % (n, n) for n in range(count))
    answer = send(stack, bulk_path(key), body, NDJSON)
    assert answer.status == 202 and answer.json["accepted"] == count
    return set(stack.ids(key)) - before


def claim_all(consumer, ids):
    """Claims until it has these and no others, {id: claim}."""
    claimed = {}
    wait_for(lambda: claimed.update(consumer.claim(100)) or len(claimed) >= len(ids),
             f"{len(ids)} rows can be claimed")
    assert set(claimed) == ids
    return claimed


def statuses(stack, ids):
    return dict(stack.psql("select status::text, count(*) from sluice.signal_staging"
                           " where id = any(%s) group by 1", list(ids)))


def test_each_row_is_claimed_by_one(queue, key):
    """Sixteen at once; together they do all of it, and nothing twice."""
    ids = stage(queue, key, 4000)
    claimed = []

    def work(number):
        with Consumer(queue, f"consumer-{number}") as consumer:
            empty = 0
            while empty < 3:  # what others roll back would come back; nobody does
                batch = consumer.claim(7)
                empty = 0 if batch else empty + 1
                claimed.extend(batch)
                assert consumer.finish(batch) == len(batch)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    # An empty answer may be a moment early: the rest, by one.
    with Consumer(queue) as consumer:
        while rest := consumer.claim(1000):
            claimed.extend(rest)
            consumer.finish(rest)
    assert sorted(claimed) == sorted(ids)
    assert statuses(queue, ids) == {"completed": 4000}
    assert queue.psql("select count(distinct claimed_by) > 1, max(attempts)"
                      " from sluice.signal_staging where id = any(%s)", list(ids)) == [(True, 1)]


def test_claims_while_intake_inserts(queue, key):
    stopping = threading.Event()
    claimed = []

    def work(number):
        with Consumer(queue, f"consumer-{number}") as consumer:
            while True:
                last = stopping.is_set()
                batch = consumer.claim(20)
                claimed.extend(batch)
                assert consumer.finish(batch) == len(batch)
                if last and not batch:
                    return
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(work, number) for number in range(4)]
        try:
            with Load(queue, path_of(key)) as load:
                load.wait(500, 202)
                wait_for(lambda: len(claimed) > 100, "rows are claimed while others come")
            accepted = load.accepted()
            wait_for(lambda: len(claimed) >= len(accepted), "all rows are claimed")
        finally:
            stopping.set()
        for worker in workers:
            worker.result()
    assert sorted(claimed) == sorted(accepted)
    assert statuses(queue, accepted) == {"completed": len(accepted)}


def test_a_lost_lease(queue, key):
    """Who comes too late cannot overwrite the other's result, under the same name either."""
    ids = stage(queue, key, 3)
    with Consumer(queue, "same") as slow, Consumer(queue, "same") as other:
        first = slow.claim(3, "1 second")
        assert set(first) == ids
        claim_all(other, ids)
        assert slow.finish(ids) == 0
        assert slow.finish(ids, claim=next(iter(first.values()))) == 0
        assert slow.query("select sluice.extend_signals(%s, '1 hour')", list(ids)) == [(0,)]
        assert statuses(queue, ids) == {"processing": 3}
        assert other.finish(ids, "failed", "no luck") == 3
        assert slow.finish(ids) == 0
    assert statuses(queue, ids) == {"failed": 3}


def test_a_late_report_that_nobody_overtook(queue, key):
    ids = stage(queue, key, 1)
    with Consumer(queue) as consumer:
        assert set(consumer.claim(1, "1 millisecond")) == ids
        wait_for(lambda: queue.psql("select due_at < clock_timestamp() from sluice.signal_staging"
                                    " where id = any(%s)", list(ids)) == [(True,)], "it is late")
        assert consumer.finish(ids) == 1


def test_extended_and_released(queue, key):
    ids = stage(queue, key, 2)
    with Consumer(queue) as consumer, Consumer(queue) as other:
        kept, given = sorted(consumer.claim(2, "1 second"))
        assert consumer.query("select sluice.extend_signals(%s, '1 hour')", [kept]) == [(1,)]
        assert consumer.query("select sluice.release_signals(%s)", [given]) == [(1,)]
        assert set(wait_for(lambda: other.claim(2), "what was given back")) == {given}
        assert queue.psql("select attempts from sluice.signal_staging where id = %s", given) == \
            [(1,)], "what is given back was no attempt"
        assert other.finish([kept]) == 0 and other.finish([given]) == 1
        assert consumer.finish([kept]) == 1
    assert statuses(queue, ids) == {"completed": 2}


@pytest.mark.parametrize("committed", [False, True])
def test_a_consumer_is_killed(queue, key, committed):
    """In mid-transaction its claim is none; after the commit its lease ends."""
    ids = stage(queue, key, 50)
    with contextlib.suppress(psycopg2.Error), Consumer(queue, "victim") as victim:
        victim.connection.autocommit = committed
        assert set(victim.claim(50, "1 second")) == ids
        pid = victim.connection.get_backend_pid()
        with Consumer(queue) as other:
            if not committed:
                assert not other.claim(50), "rows of an open claim are passed over"
            queue.psql("select pg_terminate_backend(%s, 10000)", pid)
            claim_all(other, ids)
            assert other.finish(ids) == 50
        with pytest.raises(psycopg2.Error):
            victim.query("select 1")
    assert statuses(queue, ids) == {"completed": 50}
    assert queue.psql("select distinct attempts from sluice.signal_staging where id = any(%s)",
                      list(ids)) == [(2 if committed else 1,)]


def test_rows_fail_until_it_is_permanent(queue, key):
    queue.psql("alter database sluice set sluice.max_attempts = 3")
    ids = stage(queue, key, 10)
    with Consumer(queue) as consumer:
        for attempt in range(1, 4):
            batch = claim_all(consumer, ids)
            assert consumer.finish(batch, "failed", f"try {attempt}") == 10
            # Time passes: none of them was due yet.
            assert not consumer.claim(100)
            assert queue.psql("select bool_and(due_at > status_at + interval '10 s')"
                              " from sluice.signal_staging where id = any(%s) and status ="
                              " 'failed'", list(ids)) == [(True if attempt < 3 else None,)]
            queue.psql("update sluice.signal_queue set due_at = clock_timestamp()"
                       " where id = any(%s)", list(ids))
        assert statuses(queue, ids) == {"permanently_failed": 10}
        queue.psql("select setval('sluice.signal_queue_search', 0)")
        assert not consumer.claim(100)


def test_a_row_that_kills_its_consumers(queue, key):
    """Without a report it is not given to a sixth, or here a third."""
    queue.psql("alter database sluice set sluice.max_attempts = 2")
    ids = stage(queue, key, 1)
    for _ in range(2):
        with Consumer(queue) as consumer:
            assert set(wait_for(lambda c=consumer: c.claim(1, "1 millisecond"), "claimed")) == ids

    def gone():
        with Consumer(queue) as consumer:
            assert not consumer.claim(1)
        return statuses(queue, ids) == {"permanently_failed": 1}
    wait_for(gone, "the row is given up")


INSERT = ("insert into sluice.signal (id, organization_id, received_at, occurred_at, key_id,"
          " source, request_id, payload) select nextval('sluice.signal_id'), 1, now(), now(), 1,"
          " 's', %s, '{}' from generate_series(1, %s) returning id")


def test_rows_committed_late(queue):
    """What becomes visible behind those that are done already is claimed, too."""
    with Consumer(queue, user="postgres") as late, Consumer(queue, user="postgres") as early, \
            Consumer(queue) as consumer:
        late.connection.autocommit = False
        behind = {row[0] for row in late.query(INSERT, "late", 5)}
        for _ in range(3):
            ahead = {row[0] for row in early.query(INSERT, "early", 50)}
            assert min(ahead) > max(behind)
            consumer.finish(claim_all(consumer, ahead))
        late.connection.commit()
        consumer.finish(claim_all(consumer, behind))


def entries_read(stack):
    """How many entries of the queue's index were read so far, by all."""
    stack.psql("select pg_stat_force_next_flush()")
    return stack.psql("select idx_tup_read from pg_stat_all_indexes"
                      " where indexrelid = 'sluice.signal_queue_pkey'::regclass")[0][0]


def test_an_open_snapshot_does_not_make_claims_slow(queue):
    """While a dump runs no dead entry can be removed; claims must not read all of them."""
    rows, batch = 60000, 20
    with Consumer(queue, user="postgres") as dump, Consumer(queue, user="postgres") as owner, \
            Consumer(queue) as consumer:
        dump.connection.set_session(isolation_level="REPEATABLE READ", readonly=True,
                                    autocommit=False)
        dump.query("select count(*) from sluice.signal_staging")
        owner.query(INSERT, "dumped", rows)
        done = consumer.finish(consumer.claim(10000))
        # From now on without a search from the very beginning, which would help, too.
        owner.query("select setval('sluice.signal_queue_search',"
                    " (extract(epoch from now() + interval '1 hour') * 1000000)::bigint)")
        while done < rows:
            done += consumer.finish(consumer.claim(10000))
        owner.query(INSERT, "dumped", 70 * batch)
        for _ in range(5):  # it notes where the living begin
            assert len(consumer.claim(batch)) == batch
        consumer.query("select pg_stat_force_next_flush()")
        before = entries_read(queue)
        for _ in range(50):
            assert len(consumer.claim(batch)) == batch
        consumer.query("select pg_stat_force_next_flush()")
        consumer.query("select 1")
        read = entries_read(queue) - before
        owner.query("select setval('sluice.signal_queue_search', 0)")
    assert 50 * batch <= read < 50 * rows / 10, read


# ---- following ----

def test_following_commits_out_of_order(queue):
    with Consumer(queue, user="postgres") as first, Consumer(queue, user="postgres") as second, \
            Follower(queue) as follower, Consumer(queue) as consumer:
        first.connection.autocommit = False
        low = first.query(INSERT, "follow", 1)[0][0]
        high = second.query(INSERT, "follow", 1)[0][0]
        assert low < high
        visible = [row[0] for row in queue.psql(
            "select id from sluice.signal_staging where request_id = 'follow'")]
        assert visible == [high], "by id the lower one would be missed now"
        follower.step()
        assert follower.seen == {high: 1}, "an open transaction holds back its own rows"
        first.connection.commit()
        follower.step()
        assert follower.seen == {low: 1, high: 1}
        # What a consumer does with a row does not bring it again.
        wait_for(lambda: consumer.finish(consumer.claim(10)), "claimed and finished")
        follower.step()
        assert follower.seen == {low: 1, high: 1}


def test_following_many_writers(queue):
    """Long and short ones, some roll back, consumers change the rows: each row exactly once."""
    committed, stopping = [], threading.Event()

    def write(number):
        chance = random.Random(number)
        with Consumer(queue, user="postgres") as writer:
            writer.connection.autocommit = False
            for _ in range(30):
                ids = []
                for _ in range(chance.randrange(1, 5)):
                    ids += [row[0] for row in writer.query(INSERT, "many", chance.randrange(1, 4))]
                if chance.random() < 0.2:
                    writer.connection.rollback()
                else:
                    writer.connection.commit()
                    committed.extend(ids)

    def consume():
        with Consumer(queue) as consumer:
            while not stopping.is_set():
                consumer.finish(consumer.claim(5))

    with Follower(queue) as follower, concurrent.futures.ThreadPoolExecutor(8) as pool:
        consumer = pool.submit(consume)
        writers = [pool.submit(write, number) for number in range(6)]
        try:
            while not all(writer.done() for writer in writers):
                follower.step()
        finally:
            stopping.set()
        consumer.result()
        for writer in writers:
            writer.result()
        follower.step()
    assert follower.seen == collections.Counter(committed)
    assert len(committed) > 100


# ---- what sql-migrations/README.md says ----

DOCUMENT = "sql-migrations/README.md"


def psql(stack, user, script, *options):
    done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *options], input=script,
                          env={**ENVIRONMENT, **stack.env, "PGUSER": user}, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.splitlines()


def test_readme_in_sql(queue, key):
    ids = stage(queue, key, 5)
    send(queue, path_of(key), b'{"userId":"somebody"}')
    ids = set(queue.ids(key))
    queue.psql("select setval('sluice.signal_queue_search', 0)")
    lines = psql(queue, "sluice_consumer", block(DOCUMENT, "sql", "claim_signals"))
    assert len(lines) == 6 + 2 and lines[-2:] == ["5", "1"], lines
    assert statuses(queue, ids) == {"completed": 5, "skipped": 1}
    assert queue.psql("select mapped_rule, error, count(*) from sluice.signal_staging"
                      " where id = any(%s) group by 1, 2 order by 1", list(ids)) == \
        [("leads", None, 5), (None, "nobody to write to", 1)]


def test_readme_in_shell(queue, key):
    ids = stage(queue, key, 12)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="sluice-readme-"))
    script, handler = directory / "consume", directory / "handle-signal"
    script.write_text(block(DOCUMENT, "sh", "claim_signals"))
    handler.write_text("#!/bin/sh\nread -r payload\nprintf '%s\\n' \"$payload\" >>seen\n"
                       "case $payload in\n*'\"n\": 7'*) echo \"it's 7\" >&2; exit 1 ;;\nesac\n")
    script.chmod(0o755)
    handler.chmod(0o755)
    process = subprocess.Popen([script], cwd=directory, env={**ENVIRONMENT, **queue.env},
                               start_new_session=True, stdin=subprocess.DEVNULL)
    try:
        wait_for(lambda: statuses(queue, ids) == {"completed": 11, "failed": 1},
                 "all signals are handled")
        assert process.poll() is None, "it waits for more"
        more = stage(queue, key, 1)
        wait_for(lambda: statuses(queue, more) == {"completed": 1}, "more came")
    finally:
        os.killpg(process.pid, 15)
        process.wait()
        seen = (directory / "seen").read_text().splitlines()
        shutil.rmtree(directory)
    assert len(seen) == 13
    assert queue.psql("select error from sluice.signal_staging where id = any(%s)"
                      " and status = 'failed'", list(ids)) == [("it's 7",)]


def test_readme_following(queue, key):
    start = queue.psql("select sluice.frontier()")[0][0]
    ids = stage(queue, key, 4)
    script = block(DOCUMENT, "sql", "signals_between")
    lines = psql(queue, "sluice_reader", script + script + r"\echo :from", "-v", f"from={start}")
    assert {int(line.split("|")[0]) for line in lines[:-1]} == ids and len(lines) == 5
    assert lines[-1] != start


@pytest.mark.slow
def test_reports_do_not_depend_on_statistics(stack_of_its_own):
    """A million rows that the planner has not heard of, as when autovacuum is kept from its work: a
    report reads the rows it is about, not the table."""
    stack = stack_of_its_own
    stack.psql("alter role sluice_consumer login")
    stack.psql("alter system set autovacuum = off")
    stack.psql("select pg_reload_conf()")
    wait_for(lambda: stack.psql("show autovacuum") == [("off",)], "it is reloaded")
    stack.psql(f"with i as ({INSERT}) select count(*) from i", "done", 1_000_000)
    with Consumer(stack) as consumer:
        while batch := consumer.claim(100_000):
            consumer.finish(batch)
        stack.psql(f"with i as ({INSERT}) select count(*) from i", "waiting", 300_000)
        claimed = consumer.claim(100)
        assert len(claimed) == 100
        plan = consumer.query("explain (analyze, buffers, format json) " + FINISH,
                              list(claimed), "completed", None, None)
    top = plan[0][0][0]["Plan"]
    assert top["Shared Hit Blocks"] + top["Shared Read Blocks"] < 20_000
    assert statuses(stack, set(claimed)) == {"completed": 100}
