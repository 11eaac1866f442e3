"""What sql-migrations/README.md shows works as written, as sluice_reader, with something to see."""

import json
import os
import subprocess

import pytest

from harness import JSON, path_of, send, wait_for
from harness.documents import block
from sluicectl import FINE

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
    wait_for(lambda: stack.psql("select 1 from sluice.refusal where key_id = %s",
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


# ---- what a DBA adds and moves ----

ROWS = ("insert into sluice.signal (id, organization_id, received_at, occurred_at, key_id, source,"
        " request_id, payload) select nextval('sluice.signal_id'), 1, now() - d * interval '1 day',"
        " now(), 1, 's', 'r', '{}' from unnest(array[0, 2, 3]) as d")


def partition_of(database, days):
    return database.psql(
        "select partition_name from sluice.partition_bounds() where table_name = 'signal'"
        f" and lower_bound <= now() - interval '{days} days'"
        f" and upper_bound > now() - interval '{days} days'")[0][0]


@pytest.fixture
def changed(database):
    """A database with all that a DBA may do to the staging table."""
    database("migrate")
    name = database.env["PGDATABASE"]
    role = f"{name}_dba"
    day_before, moved, detached = (partition_of(database, days) for days in (2, 3, 4))
    database.psql(f"""
        create role {role};
        create schema archive;
        alter table sluice.{moved} set schema archive;
        alter table sluice.{day_before} owner to {role};
        alter table sluice.signal detach partition sluice.{detached};
        alter table sluice.signal add column mine text, add column filled text not null default 'x';
        create index mine_idx on sluice.signal (mine);
        create table public.seen (id bigint);
        grant all on public.seen to public;
        create function public.note() returns trigger language plpgsql as
            'begin insert into public.seen values (new.id); return new; end';
        create trigger note after insert on sluice.signal
            for each row execute function public.note();
        alter table sluice.signal enable row level security;
        create policy theirs on sluice.signal for select to {role} using (organization_id = 2);
        grant usage on schema sluice to {role};
        grant select on sluice.signal to {role};
        create publication everything for all tables;""")
    database.role, database.moved, database.given = role, moved, day_before
    try:
        yield database
    finally:
        database.psql(f"reassign owned by {role} to postgres; drop owned by {role} cascade")
        database.stack.psql(f"drop role {role}")


def steps(database):
    return {step["step"]: step["result"] for step in database.json("maintain")["steps"]}


def test_what_a_dba_has_changed_stops_nothing(changed):
    """Rows are stored, claimed, finished, followed and maintained, wherever their partitions are."""
    frontier = changed.psql("select sluice.frontier()")[0][0]
    changed.psql(ROWS)
    assert set(steps(changed).values()) == {"done"}
    changed.psql(ROWS)
    found = changed.psql("select count(*), count(distinct id) from sluice.claim_signals('c', 100,"
                         " '1 hour')")
    assert found == [(6, 6)]
    assert changed.psql("select sluice.finish_signals((select array_agg(id) from"
                        " sluice.signal_queue), 'completed')") == [(0,)], "another session's"
    assert changed.psql("select count(*) from sluice.signals_between("
                        f"'{frontier}', sluice.frontier())") == [(6,)]
    assert changed.psql("select count(*) from public.seen") == [(6,)]
    for table, delta in (("usage_delta", '{"organization_id": 1, "signals": 1, "duplicates": 0,'
                          ' "counted_at": "2026-11-01"}'),):
        changed.psql(f"insert into sluice.{table} select (jsonb_populate_record("
                     f"null::sluice.{table}, '{delta}')).*")
    assert set(steps(changed).values()) == {"done"}
    findings = {each["check"]: each for each in changed.json("check", exits=FINE)}
    partitions = findings["partitions"]
    assert partitions["result"] == "warning"
    assert f"archive.{changed.moved} is in schema archive" in partitions["detail"]
    assert f"{changed.given} belongs to {changed.role}" in partitions["detail"]


def test_new_partitions_are_like_the_others(changed):
    """Options and replica identity of the latest one; grants, triggers and indexes of the table."""
    latest = ("select c.oid::regclass::text, c.reloptions, c.relreplident,"
              f" has_table_privilege('{changed.role}', c.oid, 'select'),"
              " exists (select from pg_trigger as t where t.tgrelid = c.oid and t.tgname = 'note'),"
              " exists (select from pg_index as i join pg_inherits as h on h.inhrelid = i.indexrelid"
              "     where i.indrelid = c.oid and h.inhparent = 'sluice.mine_idx'::regclass)"
              " from pg_class as c join sluice.partition_bounds() as b on b.partition = c.oid"
              " where b.table_name = 'signal' order by b.lower_bound desc nulls last limit 1")
    before = changed.psql(latest)[0][0]
    changed.psql(f"alter table {before} set (autovacuum_enabled = off);"
                 f" alter table {before} replica identity full;"
                 " update sluice.retention set days_ahead = 8 where table_name = 'signal'")
    assert set(steps(changed).values()) == {"done"}
    made, *its = changed.psql(latest)[0]
    assert made != before and its == [["autovacuum_enabled=off"], "f", True, True, True]


def test_what_a_dba_has_changed_survives_a_repair(changed):
    changed.psql(ROWS)
    changed("migrate", "--repair")
    assert changed.psql(f"set role {changed.role}; select count(*) from sluice.signal") == [(0,)]
    changed.psql(ROWS)
    assert changed.psql("select count(*), count(filled) from sluice.signal") == [(6, 6)]
    assert changed.psql("select pubname from pg_publication") == [("everything",)]
    assert changed.psql("select count(*) from public.seen") == [(6,)]


def test_retention_detaches(changed):
    """What is past retention becomes a plain table, with all that is in it."""
    changed.psql("insert into sluice.signal (id, organization_id, received_at, occurred_at, key_id,"
                 " source, request_id, payload) values (1, 1, now() - interval '6 days', now(), 1,"
                 " 's', 'r', '{}')")
    name = partition_of(changed, 6)
    changed.psql("update sluice.retention set keep = '5 days', expired = 'detach'"
                 " where table_name = 'signal'")
    assert set(steps(changed).values()) == {"done"}
    assert changed.psql(f"select count(*) from sluice.{name}") == [(1,)]
    assert changed.psql("select count(*) from sluice.signal") == [(0,)]
    assert (name,) in changed.psql("select partition_name from sluice.detached_partition")
    assert set(steps(changed).values()) == {"done"}
