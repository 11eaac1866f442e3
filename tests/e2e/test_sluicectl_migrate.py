"""sluicectl migrate."""

import contextlib
import hashlib
import json
import re
import secrets

import psycopg2
import pytest

import harness
from sluicectl import FAILED, FINE, MIGRATIONS, UNREACHABLE, USAGE, Tool, files_in

pytestmark = pytest.mark.first_front


def applied_in(database):
    if not database.psql("select to_regclass('sluice.schema_migration') is not null")[0][0]:
        return []
    return [row[0] for row in
            database.psql("select name from sluice.schema_migration order by version")]


NUMBERED = sorted(path.name for path in MIGRATIONS.glob("[0-9]*.sql"))
OTHERS = ["roles.sql", *(f"{folder}/{path.name}" for folder in ("views", "functions")
                         for path in sorted((MIGRATIONS / folder).glob("*.sql"))), "access.sql"]


def target(database):
    env = database.env
    return (f"host {env['PGHOST']}, port {env['PGPORT']}, database {env['PGDATABASE']}, "
            f"user {env['PGUSER']}\n")


def test_migrate(database):
    due = [{"version": number, "name": name} for number, name in enumerate(NUMBERED, 1)]
    where = {name: database.env[f"PG{name.upper()}"]
             for name in ("host", "port", "database", "user")}
    assert database.json("migrate", "--dry-run") == {
        "dry_run": True, "target": where, "version": 0, "due": due, "files_due": OTHERS,
        "differences": []}
    text = database("migrate", "--dry-run").stdout_text
    assert text == target(database) + "".join(f"would apply {name}\n"
                                              for name in [*NUMBERED, *OTHERS])
    assert applied_in(database) == []
    assert database.psql("select count(*) from pg_namespace where nspname = 'sluice'") == [(0,)]
    text = database("migrate").stdout_text
    assert text == target(database) + "".join(f"applied {name}\n"
                                              for name in [*NUMBERED, *OTHERS])
    for table, names in (("schema_migration", NUMBERED), ("schema_file", OTHERS)):
        recorded = database.psql(f"select name, checksum, applied_by from sluice.{table}")
        assert sorted(row[0] for row in recorded) == sorted(names)
        for name, checksum, applied_by in recorded:
            assert bytes(checksum) == hashlib.sha256((MIGRATIONS / name).read_bytes()).digest()
            assert applied_by == database.env["PGUSER"]
    assert database("migrate").stdout_text == target(database) + (
        f"nothing to apply: the schema is at version {len(NUMBERED)}\n")
    assert database.json("migrate") == {
        "dry_run": False, "target": where, "version": len(NUMBERED), "applied": [],
        "files_applied": []}


def test_migrate_in_steps(database, small):
    third = small / "0003_third.sql"
    text = third.read_text()
    third.unlink()
    assert database.json("migrate", "--directory", small)["version"] == 2
    third.write_text(text)
    result = database.json("migrate", "--directory", small)
    assert (result["version"], result["applied"], result["files_applied"]) == (
        3, [{"version": 3, "name": "0003_third.sql"}], [])


# ---- files that are applied again ----

ANSWER = """CREATE OR REPLACE FUNCTION sluice.answer() RETURNS integer LANGUAGE sql RETURN {};
"""


@pytest.fixture
def functions(database, small):
    """The small directory, applied, with a function that returns 41."""
    for folder in ("views", "functions"):
        (small / folder).mkdir()
    (small / "functions" / "answer.sql").write_text(ANSWER.format(41))
    (small / "views" / "two.sql").write_text("CREATE OR REPLACE VIEW sluice.two AS SELECT 2 AS n;")
    (small / "access.sql").write_text(
        "GRANT SELECT ON sluice.two TO sluice_reader;\nCREATE OR REPLACE FUNCTION sluice.repair() "
        "RETURNS void LANGUAGE sql BEGIN ATOMIC END;")
    database("migrate", "--directory", small)
    return small


def answer_of(database):
    return database.psql("select sluice.answer()")[0][0]


def test_a_changed_function(database, functions):
    """All files of that kind are applied again; a dry run says what would be different."""
    names = ["views/two.sql", "functions/answer.sql", "access.sql"]
    assert database.json("migrate", "--directory", functions)["files_applied"] == []
    (functions / "functions" / "answer.sql").write_text(ANSWER.format(42))
    planned = database.json("migrate", "--directory", functions, "--dry-run")
    assert (planned["due"], planned["files_due"]) == ([], names)
    difference, = planned["differences"]
    assert difference["name"] == "function sluice.answer()"
    assert "RETURN 41" in difference["before"] and "RETURN 42" in difference["after"]
    lines = database("migrate", "--directory", functions, "--dry-run").stdout_text.splitlines()
    assert "changed function sluice.answer():" in lines
    assert [line for line in lines if line[0:1] in "+-" and line] == ["-RETURN 41", "+RETURN 42"]
    assert answer_of(database) == 41
    assert database.json("migrate", "--directory", functions)["files_applied"] == names
    assert answer_of(database) == 42
    database.psql("drop view sluice.two")
    assert database.json("migrate", "--directory", functions)["files_applied"] == []
    result = database.json("migrate", "--directory", functions, "--repair")
    assert (result["applied"], result["files_applied"]) == ([], names)
    assert database.psql("select n from sluice.two") == [(2,)]


def test_a_file_that_is_no_more(database, functions):
    (functions / "views" / "two.sql").unlink()
    (functions / "access.sql").unlink()
    assert database.json("migrate", "--directory", functions)["files_applied"] == [
        "functions/answer.sql"]
    assert database.psql("select name from sluice.schema_file") == [("functions/answer.sql",)]


def test_a_numbered_one_applies_the_others_again(database, functions):
    database.psql("drop view sluice.two")
    files_in(functions, n4_fourth="CREATE TABLE sluice.fourth (a integer)")
    planned = database.json("migrate", "--directory", functions, "--dry-run")
    assert planned["differences"] == []  # that could take long, and lock tables
    result = database.json("migrate", "--directory", functions)
    assert result["version"] == 4 and len(result["files_applied"]) == 3
    assert database.psql("select n from sluice.two") == [(2,)]


def test_a_function_that_fails(database, functions):
    """Nothing of the run stays, numbered or not."""
    files_in(functions, n4_fourth="CREATE TABLE sluice.fourth (a integer)")
    (functions / "functions" / "answer.sql").write_text(ANSWER.format(42) + """
        DO $$ BEGIN RAISE EXCEPTION 'no luck' USING DETAIL = 'bad day', HINT = 'wait'; END $$;""")
    process = database("migrate", "--directory", functions, exits=FAILED)
    assert process.stderr_text == (
        'sluicectl: "functions/answer.sql" failed and everything was rolled back: no luck '
        '(SQLSTATE P0001)\nDETAIL: bad day\nHINT: wait\n')
    assert len(applied_in(database)) == 3 and answer_of(database) == 41
    result = database.json("migrate", "--directory", functions, exits=FAILED)
    assert (result["version"], result["applied"], result["files_applied"]) == (3, [], [])


# ---- where ----

@pytest.mark.parametrize("name", ["postgres", "template1"])
def test_the_servers_own_databases(stack, small, name):
    own = Tool(stack, PGDATABASE=name)
    stderr = own.refused("migrate", "--directory", small, exits=USAGE)
    assert stderr.startswith(f'sluicectl: database "{name}" is the server\'s own\nHINT: ')
    named = own("migrate", "--directory", small, "--database", name, "--dry-run")
    assert f"database {name}, " in named.stdout_text


def test_database_by_name(stack, database, small):
    """Whatever PGDATABASE says; the name is no connection string."""
    name = database.env["PGDATABASE"]
    nowhere = Tool(stack, PGDATABASE="nowhere")
    result = nowhere.json("migrate", "--directory", small, "--database", name)
    assert result["target"]["database"] == name and result["version"] == 3
    for odd in ("x' user='y", "dbname=" + name, "it's", "back\\slash"):
        assert f'database "{odd}" does not exist' in nowhere.refused(
            "migrate", "--directory", small, "--database", odd, exits=UNREACHABLE)


def test_another_encoding(stack, small):
    name = f"tool_{secrets.token_hex(6)}"
    stack.psql(f"create database {name} encoding 'LATIN1' locale 'C' template template0")
    try:
        stderr = Tool(stack, PGDATABASE=name).refused("migrate", "--directory", small)
        assert f'the encoding of database "{name}" is LATIN1, and UTF8 is needed' in stderr
    finally:
        stack.psql(f"drop database {name}")


def test_without_a_superuser(stack, other_cluster):
    """By a role that owns the database and may make roles; not by one that only may connect."""
    other_cluster.clear()
    server = other_cluster.server
    for role in ("one", "two", "other"):
        server.psql(f"create role {role} login createrole")
    first, second = other_cluster.create("one"), other_cluster.create("two")

    def tool(database, user):
        return Tool(stack, **{**database.env, "PGUSER": user})

    def migrate(database, user):
        assert tool(database, user).json("migrate")["version"] == len(NUMBERED)
        assert tool(database, user).json("migrate", "--repair")["files_applied"] == OTHERS
        # sluice_intake may not log in yet.
        assert database.not_ok() == {"intake_rights": "warning"}

    refused = tool(first, "other")("migrate", exits=FAILED)
    assert "must be owner of database" in refused.stderr_text
    migrate(first, "one")
    if server.value("show server_version_num") >= "160000":
        # The roles are there, and since version 16 only the role that made them may grant them.
        refused = tool(second, "two")("migrate", exits=FAILED)
        assert 'role "two" may not act for the roles of Sluice' in refused.stderr_text
        [hint] = re.findall(r"HINT: as a superuser: (.*)", refused.stderr_text)
        server.psql(hint)
    migrate(second, "two")
    other_cluster.clear()


# ---- what is refused ----

def edit(small):
    path = small / "0002_second.sql"
    path.write_text(path.read_text() + " ")


@pytest.mark.parametrize("change, message", [
    (edit, '"0002_second.sql" was changed after it was applied on 2'),
    (lambda small: (small / "0002_second.sql").rename(small / "0002_other.sql"),
     'the applied migration "0002_second.sql" is missing'),
    (lambda small: (small / "0002_second.sql").unlink(),
     'the applied migration "0002_second.sql" is missing from the directory'),
    (lambda small: (small / "0003_third.sql").unlink(),
     'the database is newer than the files: it has "0003_third.sql"'),
    (lambda small: files_in(small, n3_twice=""), "have the same number"),
    (lambda small: files_in(small, n5_five=""), 'no migration number 0004 before "0005_five.sql"'),
    (lambda small: (small / "four.sql").write_text(""), "is not named NNNN_what.sql"),
    (lambda small: (small / "0004_x.sql").mkdir(), "Is a directory"),
    (lambda small: (small / "0004_x.sql").write_bytes(b"SELECT 1;\0"), "holds a NUL byte"),
], ids=["changed", "renamed", "missing", "newer", "duplicate", "gap", "name", "directory", "nul"])
def test_migrate_refuses(database, small, change, message):
    database("migrate", "--directory", small)
    before = applied_in(database)
    change(small)
    for options in ([], ["--dry-run"]):
        process = database("migrate", "--directory", small, *options, exits=FAILED)
        assert message in process.stderr_text
        assert process.stdout_text in ("", target(database))
    assert applied_in(database) == before


def test_migrate_without_files(database, tmp_path):
    assert "No such file" in database.refused("migrate", "--directory", tmp_path / "none")
    assert "there are no migrations" in database.refused("migrate", "--directory", tmp_path)


def test_migrate_that_fails(database, small):
    """A run is all or nothing."""
    database("migrate", "--directory", small)
    files_in(small, n4_good="CREATE TABLE sluice.good (a integer)",
             n5_bad="CREATE TABLE sluice.half (a integer);\nSELECT 1 / 0;\n",
             n6_later="CREATE TABLE sluice.later (a integer)")
    process = database("migrate", "--directory", small, exits=FAILED)
    assert process.stderr_text == ('sluicectl: "0005_bad.sql" failed and everything was rolled '
                                   'back: division by zero (SQLSTATE 22012)\n')
    assert process.stdout_text == target(database)
    assert applied_in(database) == ["0001_first.sql", "0002_second.sql", "0003_third.sql"]
    assert database.psql("select to_regclass('sluice.good'), to_regclass('sluice.half'), "
                         "to_regclass('sluice.later')") == [(None, None, None)]
    result = database.json("migrate", "--directory", small, exits=FAILED)
    assert (result["version"], result["applied"]) == (3, [])


@pytest.mark.parametrize("script", ["COMMIT", "ROLLBACK", "COMMIT; BEGIN", "COMMIT AND CHAIN"])
def test_migrate_that_ends_its_transaction(database, small, script):
    database("migrate", "--directory", small)
    files_in(small, n4_bad=f"SELECT 1; {script}; SELECT 2")
    stderr = database("migrate", "--directory", small, exits=FAILED).stderr_text
    assert '"0004_bad.sql" ends its own transaction' in stderr and "HINT: remove COMMIT" in stderr
    assert len(applied_in(database)) == 3


def test_migrate_at_the_same_time(database):
    processes = [database.start("migrate", "--json") for _ in range(4)]
    results = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [FINE] * 4, results
    counts = sorted(len(json.loads(stdout)["applied"]) for stdout, _ in results)
    assert counts == [0, 0, 0, len(NUMBERED)]


def test_migrate_waits_for_another_run(stack, database, small):
    """The lock is a comment on the database, which stays as it is."""
    name = database.env["PGDATABASE"]
    with contextlib.closing(psycopg2.connect(
            host=stack.env["PGHOST"], port=stack.env["PGPORT"], dbname=name,
            user=stack.env["PGUSER"])) as holder:
        with holder.cursor() as cursor:
            cursor.execute(f"comment on database {name} is 'ours'")
            holder.commit()
            cursor.execute(f"comment on database {name} is 'ours'")
        process = database.start("migrate", "--directory", small)
        line = process.stderr.readline()
        assert line == ("sluicectl: warning: another run is in progress; waiting for it to "
                        "end\n")
        harness.wait_for(lambda: database.psql(
            "select count(*) from pg_locks where locktype = 'object' and not granted "
            "and classid = 'pg_database'::regclass")[0][0] == 1, "the tool waits for the lock")
        assert applied_in(database) == []
        holder.commit()
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (FINE, "") and stdout.count("applied") == 3
    assert database.psql("select shobj_description(oid, 'pg_database') from pg_database "
                         "where datname = current_database()") == [("ours",)]


def test_a_stranger_cannot_hold_up_a_run(stack, database, small):
    """Who may log in and no more: not by advisory locks, nor by locks of what can be read."""
    database("migrate")
    with contextlib.closing(psycopg2.connect(
            host=stack.env["PGHOST"], port=stack.env["PGPORT"], dbname=database.env["PGDATABASE"],
            user="sluice_reader")) as stranger:
        with stranger.cursor() as cursor:
            for lock in ("select pg_advisory_lock(91725291414373)",
                         "lock table sluice.schema_migration in access share mode",
                         "select pg_advisory_lock(91725291414374)",
                         "select * from sluice.maintenance_step"):
                cursor.execute(lock)
        assert database.json("migrate")["version"] == len(NUMBERED)
        steps = database.json("maintain")["steps"]
        assert {step["result"] for step in steps} == {"done"}
