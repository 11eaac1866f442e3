"""What sql-migrations/README.md shows works as written, as sluice_reader, with something to see."""

import json
import os
import subprocess

import pytest

from harness import JSON, path_of, send, wait_for
from harness.documents import block

pytestmark = [pytest.mark.first_front, pytest.mark.database]


def psql(stack, sql, user="sluice_reader"):
    return subprocess.run(["psql", "-XA", "-v", "ON_ERROR_STOP=1"], input=sql, text=True,
                          check=True, capture_output=True,
                          env={**os.environ, **stack.env, "PGUSER": user}).stdout


@pytest.fixture(scope="module")
def lived_in(stack):
    """Signals, warm and cold, a duplicate, a reject and a refusal."""
    key = stack.new_key(name="dba's")
    stack.psql("alter role sluice_reader login")
    body = [{"email": "dba@example.com", "messageId": "m"}, {"anonymousId": "nobody"}, 7]
    for _ in range(2):
        assert send(stack, path_of(key), json.dumps(body).encode()).status == 202
    secret = stack.new_key(name="dba's secret", secret=True)
    assert send(stack, path_of(secret), headers={**JSON, "X-Api-Secret": "guessed"}).status == 401
    wait_for(lambda: stack.psql("select 1 from sluice.refused_request where key_id = %s",
                                secret["id"]), "the refusal is counted")
    return key, secret


def test_the_walk_through(stack, lived_in):
    shown = psql(stack, block("sql-migrations/README.md", "sql", "What came in last"))
    assert "dba@example.com" in shown
    assert "dba's secret|active||" in shown and "secret_wrong" in shown
    assert "not_an_object|2|2|" in shown
    assert "signal_default" in shown


def test_views(stack, lived_in):
    key, secret = lived_in
    assert stack.psql("select sum(signals)::int, sum(cold)::int from sluice.intake_per_hour"
                      " where key_id = %s", key["id"]) == [(3, 2)]
    assert stack.psql("select last_refusal, refused_today::int, refused_7_days::int, last_used_at"
                      " from sluice.key_health where key_id = %s", secret["id"]) \
        == [("secret_wrong", 1, 1, None)]
    assert stack.psql("select entries::int, last_detail from sluice.rejects_by_reason"
                      " where key_id = %s", key["id"]) == [(2, "not an object at byte 76")]
    pending = stack.psql("select count(*) from sluice.signal_staging where status = 'pending'")
    assert stack.psql("select sum(pending)::bigint from sluice.backlog"
                      " where table_name = 'signal_staging'") == pending


def test_described_by_psql(stack, lived_in):
    """Each column says what it is, of the table and of a day's partition."""
    for table in ("signal_staging", "signal_cold_storage", "delivery", "key_health", "backlog"):
        shown = psql(stack, f"\\d+ sluice.{table}")
        assert "organization" in shown, shown


def test_nothing_secret_can_be_read(stack, lived_in):
    """All that the reader may read, as text, holds no credential."""
    tables = psql(stack, """select c.oid::regclass from pg_class c
        where c.relnamespace = 'sluice'::regnamespace and c.relkind in ('r', 'v')
        and has_table_privilege('sluice_reader', c.oid, 'SELECT')""")
    names = [name for name in tables.split() if name.startswith("sluice.")]
    assert len(names) > 20
    shown = psql(stack, "".join(f"table {name};\n" for name in names))
    # Not those of other tests, some of which send a key where an email belongs.
    made = {key["key"] for key in lived_in} | {key["secret"] for key in lived_in if key["secret"]}
    assert len(made) == 3 and not [each for each in made if each in shown]
