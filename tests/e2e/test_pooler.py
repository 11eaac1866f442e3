"""Everything that asks the database goes through PgBouncer in transaction mode, where each
transaction may get another server connection and prepared statements are lost at its end."""

import contextlib
import json
import pathlib
import subprocess

import pytest

from harness import (JSON, NDJSON, SEED, Load, accepted_id, assert_staged_once, bulk_path,
                     path_of, send, wait_for)
from pooler import SIZE, Pooler
from settings_api import get, post

pytestmark = [pytest.mark.first_front, pytest.mark.database]

@pytest.fixture
def pooler(stack_of_its_own):
    found = Pooler(stack_of_its_own)
    try:
        yield found
    finally:
        found.close()


def backends(stack, user):
    return stack.psql("select count(*) from pg_stat_activity where usename = %s", user)[0][0]


def test_intake_works_unprepared(stack_of_its_own, pooler):
    """Requests of all kinds, and many at a time."""
    stack = stack_of_its_own
    key, before = stack.new_key(), stack.workers()
    pooler.fill("sluice_intake")
    pooler.serve("WORKERS_CONFIG", before)
    wait_for(lambda: stack.workers() not in ([], before), "a new worker")
    first = accepted_id(send(stack, path_of(key), SEED))
    assert pooler.clients("sluice_intake") == 1
    assert stack.staged(first, "email") == json.loads(SEED)["email"]

    named = json.dumps({"messageId": "m", "email": "a@example.com"}).encode()
    once = [send(stack, path_of(key), named) for _ in range(6)]
    assert {accepted_id(answer) for answer in once} == {once[0].json["id"]}
    assert [answer.json.get("duplicate") for answer in once] == [None] + 5 * [True]

    assert send(stack, path_of(key), b"[" + named + b", 1]", JSON).json["rejected"] == 1
    items = b"".join(json.dumps({"messageId": f"b{n}", "userId": "u"}).encode() + b"\n"
                     for n in range(5000))
    for expected in ((5000, 0), (0, 5000)):
        answer = send(stack, bulk_path(key), items, NDJSON)
        assert (answer.status, answer.json["accepted"], answer.json["duplicates"]) == \
            (202, *expected)
    many = stack.new_key()
    with Load(stack, path_of(many)) as load:
        load.wait(500, 202)
    assert load.count(202) == len(load.sent)
    assert_staged_once(stack, many, load)
    assert backends(stack, "sluice_intake") == SIZE


def test_consumers_give_the_claim_s_number(stack_of_its_own, pooler):
    """Claims and reports of one consumer are in different sessions of the server."""
    stack = stack_of_its_own
    key = stack.new_key()
    for _ in range(20):
        accepted_id(send(stack, path_of(key), SEED))
    pooler.fill("sluice_consumer")
    with contextlib.closing(pooler.connect("sluice_consumer")) as session, \
            session.cursor() as cursor:
        pids, finished = set(), 0
        while True:
            cursor.execute("select pg_backend_pid()")
            pids.add(cursor.fetchone()[0])
            cursor.execute("select id, claim_id from sluice.claim_signals('pooled', 2, '1 minute')")
            claimed = cursor.fetchall()
            if not claimed:
                break
            cursor.execute("select sluice.extend_signals(%s, '2 minutes', %s)",
                           ([row[0] for row in claimed], claimed[0][1]))
            assert cursor.fetchone() == (len(claimed),)
            cursor.execute("select sluice.finish_signals(%s, 'completed', claim => %s)",
                           ([row[0] for row in claimed], claimed[0][1]))
            finished += cursor.fetchone()[0]
    assert len(pids) == SIZE
    assert finished == 20
    assert stack.psql("select status::text, count(*) from sluice.signal_staging group by 1") == \
        [("completed", 20)]


def test_settings_work_through_a_pooler(stack_of_its_own, pooler):
    stack = stack_of_its_own
    before = get(stack, "olga", "keys").json
    pooler.fill("sluice_settings")
    processes = subprocess.run(["pgrep", "-P", stack.env["SETTINGS_PID"]], check=True,
                               stdout=subprocess.PIPE, text=True).stdout.split()
    pooler.serve("SETTINGS_CONFIG", map(int, processes))
    wait_for(lambda: not any(pathlib.Path("/proc", pid).exists() for pid in processes),
             "they have ended")
    assert get(stack, "olga", "keys").json == before
    assert pooler.clients("sluice_settings") > 0
    for n in range(6):
        assert post(stack, "olga", "keys", {"name": f"pooled {n}"}).status == 201
    after = get(stack, "olga", "keys").json
    assert len(after["keys"]) == len(before["keys"]) + 6
    assert get(stack, "vera", "statistics").status == 200
