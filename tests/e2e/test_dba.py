"""What sql-migrations/README.md shows works as written, as sluice_reader, with something to see."""

import concurrent.futures
import contextlib
import json
import os
import re
import subprocess

import psycopg2
import pytest

from harness import BUILD, JSON, accepted_id, path_of, send, wait_for
from harness.documents import block
from other_cluster import Database
from sluicectl import FAILED, FINE

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
                      " where key_id = %s", key["id"]) == [(2, "not an object at byte offset 76")]
    pending = stack.psql("select count(*) from sluice.signal_staging where status = 'pending'")
    assert stack.psql("select sum(pending)::bigint from sluice.backlog"
                      " where table_name = 'signal_staging'") == pending


def test_described_by_psql(stack, lived_in):
    """Each column says what it is, of the table and of a day's partition."""
    for table in ("signal_staging", "signal_cold_storage", "delivery", "key_health", "backlog"):
        shown = psql(stack, f"\\d+ sluice.{table}")
        assert "organization" in shown, shown


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_two_at_once_cannot_take_one_name(stack, level):
    """Neither by statements of their own nor beside the tool, whatever they saw before."""
    name = f"taken by two {level.lower()}"
    insert = """insert into sluice.api_key (organization_id, name, key_hash, display, created_by)
        select id, %s, sha256(gen_random_uuid()::text::bytea), U&'sk_abcd\\2026wxyz', 'dba'
        from sluice.organization where name = %s"""

    def waits():
        return stack.psql("select 1 from pg_stat_activity where wait_event_type = 'Lock'"
                          " and query ~ 'api_key|key_create'")

    with contextlib.closing(stack.connect()) as first, \
            contextlib.closing(stack.connect()) as second, \
            concurrent.futures.ThreadPoolExecutor(1) as pool:
        for each in (first, second):
            each.set_session(level, autocommit=False)
            each.cursor().execute("select count(*) from sluice.api_key")
        first.cursor().execute(insert, (name, stack.organization))
        late = pool.submit(second.cursor().execute, insert, (name.upper(), stack.organization))
        wait_for(waits, "the second waits for the first")
        first.commit()
        with pytest.raises((psycopg2.errors.ExclusionViolation,
                            psycopg2.errors.SerializationFailure)):
            late.result()
        second.rollback()
        first.cursor().execute(insert, (name + " too", stack.organization))
        late = pool.submit(stack.ctl_run, "key", "create", "--organization", stack.organization,
                           "--name", name + " TOO")
        wait_for(waits, "the tool waits for the statement")
        first.commit()
        assert f'another key is named "{name} TOO"' in late.result().stderr
    assert stack.psql("select count(*)::int from sluice.api_key where lower(name) like %s",
                      name + "%") == [(2,)]


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
OLDER = ("insert into sluice.signal (id, organization_id, received_at, occurred_at, key_id, source,"
         " request_id, payload) values (nextval('sluice.signal_id'), 1, now() - interval '6 days',"
         " now(), 1, 's', 'r', '{}')")


def partition_of(database, days, table="signal"):
    return database.psql(
        f"select partition_name from sluice.partition_bounds() where table_name = '{table}'"
        f" and lower_bound <= now() - interval '{days} days'"
        f" and upper_bound > now() - interval '{days} days'")[0][0]


@pytest.fixture
def lived(database):
    """A database with a key, and requests to it; ends with the roles that a test has made."""
    database("migrate")
    env = database.env
    database.name = env["PGDATABASE"]
    its = Database(database.stack, env["PGHOST"], env["PGPORT"], database.name, env["PGUSER"])
    database("organization", "create", "Restored")
    database.key = its.new_key()
    database.send = lambda body=b'{"email":"a@example.com"}': accepted_id(
        its.send(path_of(database.key), body))
    database.as_user = lambda sql, user: its.psql(sql, user=user)
    try:
        yield database
    finally:
        for (role,) in database.psql("select rolname from pg_roles"
                                     f" where rolname ~ '^{database.name}_'"):
            database.psql(f"reassign owned by {role} to postgres; drop owned by {role} cascade")
            database.stack.psql(f"drop role {role}")


@pytest.fixture
def changed(lived):
    """With all that a DBA may do to the staging table."""
    role = f"{lived.name}_dba"
    day_before, moved, detached = (partition_of(lived, days) for days in (2, 3, 4))
    lived.psql(f"""
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
    lived.role, lived.moved, lived.given, lived.detached = role, moved, day_before, detached
    return lived


def steps(database):
    return {step["step"]: step["result"] for step in database.json("maintain")["steps"]}


def test_what_a_dba_has_changed_stops_nothing(changed):
    """Requests are stored, claimed, finished, followed and maintained, wherever partitions are."""
    frontier = changed.psql("select sluice.frontier()")[0][0]
    sent = {changed.send(), changed.send()}
    changed.psql(ROWS)
    wait_for(lambda: changed.psql("select sum(pg_stat_get_tuples_inserted(partition)) from"
                                  " sluice.partition_bounds() where table_name = 'signal'")
             == [(5,)], "the statistics know of all")
    assert set(steps(changed).values()) == {"done"}
    sent.add(changed.send())
    found = {row[0] for row in changed.psql(
        "select id from sluice.claim_signals('c', 100, '1 hour')")}
    assert len(found) == 6 and sent < found
    assert changed.psql("select sluice.finish_signals((select array_agg(id) from"
                        " sluice.signal_queue), 'completed', claim => (select max(claim_id) from"
                        " sluice.signal_queue))") == [(6,)]
    assert changed.psql("select count(*) from sluice.signals_between("
                        f"'{frontier}', sluice.frontier())") == [(6,)]
    assert changed.psql("select count(*) from public.seen") == [(6,)]
    assert set(steps(changed).values()) == {"done"}
    findings = {each["check"]: each for each in changed.json("check", exits=FINE)["findings"]}
    assert [name for name, each in findings.items() if each["result"] != "ok"] == ["partitions"]
    detail = findings["partitions"]["detail"]
    assert f"archive.{changed.moved} is in schema archive" in detail
    assert f"{changed.given} belongs to {changed.role}" in detail
    assert f"signal lacks {changed.detached} (it is detached)" in detail


# The usual run tries the first two.
MOVED = [
    "alter table sluice.signal_default owner to {role}",
    "alter table sluice.signal_default set schema archive",
    "alter table sluice.signal detach partition sluice.signal_default",
    "alter table sluice.{today} owner to {role}",
    "alter table sluice.{today} set schema archive",
    "alter table sluice.{today} set tablespace {tablespace}",
    "alter table sluice.signal set tablespace {tablespace}",
    "alter table sluice.signal_result_default owner to {role}",
    "create schema archive_of_results; alter table sluice.{result} set schema archive_of_results",
]


@pytest.mark.parametrize("change", [
    *MOVED[:2], *(pytest.param(change, marks=pytest.mark.slow) for change in MOVED[2:])])
def test_where_todays_rows_go(lived, change):
    """Intake, consumers and metrics go on, and maintenance of all other tables."""
    role = f"{lived.name}_dba"
    tablespace = f"{lived.name}_space"
    lived.psql(f"create role {role}")
    lived.psql("create schema archive")
    with contextlib.closing(psycopg2.connect(**{name: lived.env[f"PG{name.upper()}"] for name in (
            "host", "port", "user")}, dbname=lived.name)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("set allow_in_place_tablespaces = on")
            cursor.execute(f"create tablespace {tablespace} location ''")
    try:
        lived.psql(change.format(role=role, tablespace=tablespace, today=partition_of(lived, 0),
                                 result=partition_of(lived, 0, "signal_result")))
        sent = lived.send()
        lived.psql("update sluice.retention set days_ahead = 8")
        failed = [step["step"] for step in
                  json.loads(lived.start("maintain", "--json").communicate(timeout=120)[0])["steps"]
                  if step["result"] != "done"]
        assert failed == [] if "default" not in change or "detach" in change else [
            "make_partitions"]
        assert lived.psql("select count(*) from sluice.partition_bounds() where table_name ="
                          " 'rejected_payload' and lower_bound > now()") == [(8,)]
        if "signal set tablespace" in change:
            lived.psql(f"grant create on tablespace {tablespace} to sluice_owner;"
                       " update sluice.retention set days_ahead = 9")
            assert set(steps(lived).values()) == {"done"}
            assert lived.psql(
                "select coalesce(t.spcname, 'default') from sluice.partition_bounds() as b"
                " join pg_class as c on c.oid = b.partition left join pg_tablespace as t on t.oid ="
                " c.reltablespace where b.table_name = 'signal' and not b.is_default"
                " order by lower_bound desc limit 2") == [(tablespace,), ("default",)]
        sent = {sent, lived.send()}
        claimed = lived.as_user("select id from sluice.claim_signals('c', 100, '1 hour')",
                                "sluice_consumer")
        assert {row[0] for row in claimed} == sent
        assert "sluice_signals_total 2\n" in lived.as_user("select sluice.metrics()",
                                                           "sluice_intake")[0][0]
        assert lived.psql("select sluice.finish_signals((select array_agg(id) from"
                          " sluice.signal_queue), 'completed', claim => (select max(claim_id) from"
                          " sluice.signal_queue))") == [(2,)]
        assert lived.psql("select distinct status::text from sluice.signal_staging") == [
            ("completed",)]
    finally:
        for (name,) in lived.psql("select c.oid::regclass::text from pg_class as c join"
                                  f" pg_tablespace as t on t.oid = c.reltablespace"
                                  f" where t.spcname = '{tablespace}' and c.relkind in ('r', 'p')"):
            lived.psql(f"alter table {name} set tablespace pg_default")
        lived.stack.psql(f"drop tablespace {tablespace}")


def test_row_level_security(changed):
    """Policies of the tables hold in the views, and new partitions are no way around them."""
    role = changed.role
    frontier = changed.psql("select sluice.frontier()")[0][0]
    changed.psql("insert into sluice.organization (name, created_by) values ('theirs', 'dba')")
    changed.psql(ROWS)
    changed.psql(ROWS.replace(", 1, now() - d", ", 2, now() - d"))
    changed.psql(f"alter role {role} login; grant sluice_reader to {role};"
                 " update sluice.retention set days_ahead = 8 where table_name = 'signal'")
    assert set(steps(changed).values()) == {"done"}
    for source in ("sluice.signal", "sluice.signal_staging",
                   f"sluice.signals_between('{frontier}', sluice.frontier())"):
        assert changed.as_user(f"select organization_id from {source}", role) == [(2,)] * 3, source
    assert changed.as_user("select sum(signals) from sluice.intake_per_hour", role) == [(3,)]
    assert changed.as_user("select count(*) from sluice.signal_staging", changed.env["PGUSER"]) == [
        (6,)]
    newest = changed.psql("select partition_name from sluice.partition_bounds() where table_name ="
                          " 'signal' order by lower_bound desc nulls last limit 1")[0][0]
    changed.psql("insert into sluice.signal (id, organization_id, received_at, occurred_at, key_id,"
                 " source, request_id, payload) values (nextval('sluice.signal_id'), 1,"
                 " now() + interval '8 days', now(), 1, 's', 'r', '{}')")
    assert changed.psql(f"select count(*) from sluice.{newest}") == [(1,)]
    assert changed.as_user(f"select count(*) from sluice.{newest}", role) == [(0,)]
    assert changed.psql("select count(*) from sluice.claim_signals('c', 100, '1 hour')"
                        " where organization_id = 1") == [(4,)]


def test_new_partitions_are_like_the_others(changed):
    """Options and replica identity of the latest one; grants, triggers and indexes of the table."""
    latest = ("select c.oid::regclass::text, c.reloptions, c.relreplident,"
              f" has_table_privilege('{changed.role}', c.oid, 'select'),"
              " exists (select from pg_trigger as t where t.tgrelid = c.oid and t.tgname = 'note'),"
              " exists (select from pg_index as i join pg_inherits as h"
              "     on h.inhrelid = i.indexrelid where i.indrelid = c.oid"
              "     and h.inhparent = 'sluice.mine_idx'::regclass)"
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
    assert changed.psql("select n.nspname, c.relowner::regrole::text, c.relispartition from"
                        " pg_class as c join pg_namespace as n on n.oid = c.relnamespace"
                        " where relname in"
                        f" ('{changed.moved}', '{changed.given}', '{changed.detached}')"
                        " order by relname") == [
        ("sluice", "sluice_owner", False), ("archive", "sluice_owner", True),
        ("sluice", changed.role, True)]


# ---- retention ----

def expire(database, expired):
    database("retention", "set", "signal", "--keep", "5d", "--expired", expired)


def test_retention_leaves_what_a_dba_has_taken(lived):
    """Neither dropped nor detached, nor a reason to warn of anything but whose they are."""
    role = f"{lived.name}_dba"
    lived.psql(f"create role {role}; create schema archive")
    given, moved = partition_of(lived, 6), partition_of(lived, 7)
    lived.psql(f"alter table sluice.{given} owner to {role}; alter table sluice.{moved} set schema"
               " archive")
    lived.psql(OLDER)
    for expired in ("drop", "detach"):
        expire(lived, expired)
        assert set(steps(lived).values()) == {"done"}
        assert lived.psql("select count(*) from sluice.signal") == [(1,)]
    found = lived.json("check", exits=FINE)["findings"]
    assert [each["check"] for each in found if each["result"] != "ok"] == ["partitions"]


def test_retention_detaches(lived):
    """What is past retention becomes a plain table, with all that is in it."""
    lived.psql(OLDER)
    name = partition_of(lived, 6)
    expire(lived, "detach")
    assert set(steps(lived).values()) == {"done"}
    assert lived.psql(f"select count(*) from sluice.{name}") == [(1,)]
    assert lived.psql("select count(*) from sluice.signal") == [(0,)]
    assert (name,) in lived.psql("select partition_name from sluice.detached_partition")
    assert set(steps(lived).values()) == {"done"}
    # Looked at again, attached as it was, and detached once more.
    lived.psql(f"alter table sluice.signal attach partition sluice.{name} for values from"
               " (date_trunc('day', now() - interval '6 days', 'UTC')) to"
               " (date_trunc('day', now() - interval '5 days', 'UTC'))")
    assert lived.psql("select count(*) from sluice.signal") == [(1,)]
    assert set(steps(lived).values()) == {"done"}
    assert lived.psql("select count(*) from sluice.signal") == [(0,)]
    # Its owner is whoever archives it, whatever is migrated meanwhile; dropped, it is forgotten.
    role = f"{lived.name}_dba"
    lived.psql(f"create role {role}; alter table sluice.{name} owner to {role}")
    lived("migrate", "--repair")
    assert lived.psql("select relowner::regrole::text from pg_class where relname ="
                      f" '{name}'") == [(role,)]
    lived.psql(f"drop table sluice.{name}")
    assert set(steps(lived).values()) == {"done"}
    assert (name,) not in lived.psql("select partition_name from sluice.detached_partition")


@pytest.fixture
def archived(lived, tmp_path):
    """Two days past retention, and the program of sql-migrations/README.md that archives a day."""
    lived.psql(OLDER)
    lived.psql(OLDER.replace("6 days", "7 days"))
    lived.names = [partition_of(lived, days) for days in (7, 6)]
    expire(lived, "detach")
    lived.program = tmp_path / "archive-day"
    lived.program.write_text(block("sql-migrations/README.md", "sh", "pg_dump -Fc -t"))
    lived.program.chmod(0o755)
    lived.place = tmp_path
    lived.psql("alter role sluice_reader login; alter role sluice_maintenance login")
    lived.env["ARCHIVE"] = str(tmp_path)
    return lived


def test_retention_hands_over(archived):
    """Each day to the program, by a role that may do nothing but maintain, and then dropped."""
    archived.env["PGUSER"] = "sluice_maintenance"
    report = archived.json("maintain", "--archive", archived.program)
    assert {step["result"] for step in report["steps"]} == {"done"}
    of_signal = [each for each in report["archived"]
                 if each["partition"].startswith("sluice.signal_p")]
    assert of_signal == [{"partition": f"sluice.{name}", "result": "archived", "message": None}
                         for name in archived.names]
    assert {each["result"] for each in report["archived"]} == {"archived"}
    assert archived.psql("select count(*) from sluice.detached_partition") == [(0,)]
    for name in archived.names:
        assert archived.psql(f"select to_regclass('sluice.{name}')") == [(None,)]
        listed = subprocess.run(["pg_restore", "-l", archived.place / f"sluice.{name}.dump"],
                                check=True, capture_output=True, text=True).stdout
        assert f"TABLE DATA sluice {name} " in listed
    assert archived.psql("select object_id from sluice.audit_log where action ="
                         " 'partition_archived' and details->>'table' = 'signal' order by 1") == [
        (name,) for name in archived.names]
    assert archived.json("maintain", "--archive", archived.program)["archived"] == []


def test_retention_as_documented(archived):
    """The commands of the document, but for the span."""
    path = os.pathsep.join(map(str, (archived.place, BUILD, os.environ["PATH"])))
    commands = block("sql-migrations/README.md", "sh", "--archive archive-day")
    done = subprocess.run(["sh", "-exc", commands.replace("90d", "5d")], text=True, check=False,
                          env={**archived.env, "PATH": path}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    for name in archived.names:
        assert archived.psql(f"select to_regclass('sluice.{name}')") == [(None,)]
        assert (archived.place / f"sluice.{name}.dump").stat().st_size > 0


@pytest.mark.parametrize("program, message", [
    ("#!/bin/sh\necho \"$@\" >>\"$ARCHIVE/said\"; exit 3\n", "it exited with 3"),
    ("#!/bin/sh\nkill -9 $$\n", "it was ended by signal 9"),
    (None, "could not run it: No such file or directory")])
def test_a_program_that_fails(archived, program, message):
    """Nothing is dropped, the others are tried, and the next run hands them over again."""
    if program is None:
        archived.program.unlink()
    else:
        archived.program.write_text(program)
    process = archived("maintain", "--archive", archived.program, exits=FAILED)
    for name in archived.names:
        assert f'could not archive "sluice.{name}": {message}\n' in process.stderr_text
        assert archived.psql(f"select count(*) from sluice.{name}") == [(1,)]
    assert "failed" in process.stdout_text
    if program and "exit 3" in program:
        name = archived.names[1]
        day = archived.psql("select (date_trunc('day', now(), 'UTC') - interval '6 days')::text")
        said = (archived.place / "said").read_text()
        assert re.search(rf"^sluice\.{name} signal {day[0][0][:10]}T00:00:00Z \S+T00:00:00Z$", said,
                         re.M), said
    archived.program.write_text("#!/bin/sh\n")
    archived.program.chmod(0o755)
    again = archived.json("maintain", "--archive", archived.program)["archived"]
    assert {each["result"] for each in again} == {"archived"} and len(again) >= 2


# ---- what feeds no longer look into ----

def test_rows_of_old_days_after_a_reset_of_the_statistics(lived):
    """The day is looked at again whatever the statistics say of it now."""
    day = f"'sluice.{partition_of(lived, 6)}'::regclass"
    inserted = f"select pg_stat_get_tuples_inserted({day})"
    lived.psql(OLDER)
    lived.psql(OLDER)
    wait_for(lambda: lived.psql(inserted) == [(2,)], "the statistics know of both")
    assert steps(lived)["feed_stragglers"] == "done"
    assert lived.psql("select count(*) from sluice.signal_queue") == [(2,)]
    lived.psql(f"select pg_stat_reset_single_table_counters({day})")
    lived.psql(OLDER)
    wait_for(lambda: lived.psql(inserted) == [(1,)], "the statistics know of the third")
    assert steps(lived)["feed_stragglers"] == "done"
    assert lived.psql("select count(*) from sluice.signal_queue") == [(3,)]
