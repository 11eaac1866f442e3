"""Notifications of consumers and followers: when they are sent, and the programs of
sql-migrations/README.md, which wake by nothing else here."""

import contextlib
import json
import pathlib
import signal
import subprocess
import sys
import threading

import pytest

from consumers import Consumer, finish_all
from harness import (ENVIRONMENT, NDJSON, accepted_id, bulk_path, org_path, path_of, send, wait_for,
                     wait_until_equal)
from harness.documents import block

pytestmark = [pytest.mark.first_front, pytest.mark.database]

DOCUMENT = "sql-migrations/README.md"
CHANNELS = ("sluice_signal", "sluice_product_org")


class Listener(Consumer):
    def __init__(self, stack):
        super().__init__(stack, user="sluice_reader")
        for channel in CHANNELS:
            self.query(f"listen {channel}")
        self.query("listen sentinel")

    def heard(self):
        """The channels of the notifications until now, in order. They come in the order of commits,
        so that what is not there before the sentinel will not come."""
        self.query("notify sentinel")
        names = []
        while "sentinel" not in names:
            self.query("select 1")
            names += [each.channel for each in self.connection.notifies]
            self.connection.notifies.clear()
        return names[:-1]


@pytest.fixture
def quiet(stack):
    """The stack without notifications and with nothing to claim; the function turns them on."""
    finish_all(stack)

    def enable():
        stack.psql("select sluice.notifications_set('test', true)")
    yield stack, enable
    stack.psql("select sluice.notifications_set('test', false)")


def test_one_for_each_group_that_stores(quiet):
    """At once in the worker's session, which was there before; none for what stores nothing."""
    stack, enable = quiet
    key, product_key = stack.new_key(), stack.new_product_key()
    signal_path, product_path = path_of(key), org_path(product_key)
    batch = json.dumps([{"email": f"n{n}@example.com", "messageId": f"n{n}"}
                        for n in range(100)]).encode()
    with Listener(stack) as listener:
        accepted_id(send(stack, signal_path))
        assert listener.heard() == [], "they are off"
        enable()
        accepted_id(send(stack, signal_path))
        assert listener.heard() == ["sluice_signal"]
        assert send(stack, path_of(key, end="/batch"), batch).json["accepted"] == 100
        assert listener.heard() == ["sluice_signal"], "one for a batch"
        assert send(stack, path_of(key, end="/batch"), batch).json["duplicates"] == 100
        assert listener.heard() == [], "repeats are nothing new"
        accepted_id(send(stack, product_path, b'{"groupId":"g"}'))
        assert listener.heard() == ["sluice_product_org"]
        lines = b"".join(b'{"email":"b%d@example.com"}\n' % n for n in range(5000))
        assert send(stack, bulk_path(key), lines, NDJSON).json["accepted"] == 5000
        assert listener.heard() == ["sluice_signal"], "one for an import"
        assert send(stack, path_of({"key": "sk_" + "0" * 38})).status == 401
        assert send(stack, path_of(stack.one_of_each_key["deactivated"])).status == 401
        accepted_id(send(stack, signal_path, b'{"anonymousId":"visitor-n"}'))
        assert listener.heard() == [], "a cold signal is not for consumers yet"
        accepted_id(send(stack, signal_path, b'{"anonymousId":"visitor-n","userId":"u"}'))
        assert listener.heard() == ["sluice_signal"]
        stack.psql("select sluice.notifications_set('test', false)")
        accepted_id(send(stack, signal_path))
        assert listener.heard() == [], "off again"


def test_what_comes_back_and_what_is_moved_later(quiet):
    stack, enable = quiet
    key = stack.new_key()
    accepted_id(send(stack, path_of(key)))
    cold = accepted_id(send(stack, path_of(key), b'{"anonymousId":"visitor-l"}'))
    enable()
    with Listener(stack) as listener, Consumer(stack) as consumer:
        claimed = list(wait_for(lambda: consumer.claim(1), "a claim"))
        assert listener.heard() == [], "claiming tells nobody"
        assert consumer.query("select sluice.release_signals(%s::bigint[])", claimed) == [(1,)]
        assert listener.heard() == ["sluice_signal"]
        claimed = list(wait_for(lambda: consumer.claim(1), "another"))
        assert consumer.finish(claimed) == 1
        assert listener.heard() == []
        stack.psql("select sluice.requeue_signals(%s::bigint[])", claimed)
        assert listener.heard() == ["sluice_signal"]
        # By maintenance: the visitor is known, though no signal said so when the cold one came.
        stack.psql("insert into sluice.identity (organization_id, anonymous_id, signal_id,"
                   " identified_at) select organization_id, anonymous_id, 1, now()"
                   " from sluice.signal_cold_storage where id = %s", cold)
        stack.ctl("maintain")
        assert stack.psql("select count(*) from sluice.signal where id = %s", cold) == [(1,)]
        assert listener.heard() == ["sluice_signal"]


@contextlib.contextmanager
def running(stack, directory, word, user, *arguments):
    """The document's program, which does not look again for a day; yields the lines it prints."""
    script = block(DOCUMENT, "python", word)
    assert script.count(", 30)") == 1
    program = pathlib.Path(directory, "program.py")
    program.write_text(script.replace(", 30)", ", 86400)"))
    here = " ".join(f"{name}={stack.env[variable]}" for name, variable in (
        ("host", "PGHOST"), ("port", "PGPORT"), ("dbname", "PGDATABASE")))
    process = subprocess.Popen(
        [sys.executable, program, f"{here} user={user} application_name=program", *arguments],
        env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    lines = []
    reader = threading.Thread(target=lambda: [lines.append(line) for line in process.stdout])
    reader.start()
    try:
        yield lines
        assert process.poll() is None, "it waits for more"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        reader.join()


def asleep(stack, word):
    return stack.psql("select 1 from pg_stat_activity where application_name = 'program'"
                      " and state = 'idle' and query like %s", f"%{word}%") == [(1,)]


def test_readme_consumer(quiet, tmp_path):
    stack, enable = quiet
    key = stack.new_key()
    enable()
    with running(stack, tmp_path, "claim_signals", "sluice_consumer"):
        for _ in range(3):
            wait_for(lambda: not stack.psql("select 1 from sluice.backlog where pending > 0 and"
                                            " table_name = 'signal_staging'")
                     and asleep(stack, "claim_signals"), "it has nothing to do")
            ident = accepted_id(send(stack, path_of(key)))
            wait_until_equal(lambda i=ident: stack.psql(
                "select status::text, claimed_by from sluice.signal_staging where id = %s", i),
                [("completed", "crm")], "it was woken")


def test_readme_follower(quiet, tmp_path):
    stack, enable = quiet
    key = stack.new_key()
    enable()
    start = stack.psql("select sluice.frontier()")[0][0]
    ids = []
    with running(stack, tmp_path, "signals_between", "sluice_reader", start) as lines:
        for _ in range(3):
            wait_for(lambda: asleep(stack, "signals_between"), "it has nothing to do")
            ids.append(accepted_id(send(stack, path_of(key))))
            wait_until_equal(lambda: [int(line.split(" ")[0]) for line in lines], ids,
                             "it was woken")


def test_a_group_that_rolls_back_tells_nobody(quiet):
    stack, enable = quiet
    enable()
    with Listener(stack) as listener, Consumer(stack, user="postgres") as writer:
        writer.connection.autocommit = False
        writer.query("select sluice.notify_consumers('signal')")
        writer.connection.rollback()
        assert listener.heard() == []
        writer.query("select sluice.notify_consumers('signal')")
        assert listener.heard() == [], "not before the commit"
        writer.connection.commit()
        assert listener.heard() == ["sluice_signal"]
