"""sluicectl migrate."""

import contextlib
import hashlib
import json
import re

import psycopg2
import pytest

import harness
from sluicectl import FAILED, FINE, MIGRATIONS, files_in

pytestmark = pytest.mark.first_front


def applied_in(database):
    if not database.psql("select to_regclass('sluice.schema_migration') is not null")[0][0]:
        return []
    return [row[0] for row in
            database.psql("select name from sluice.schema_migration order by version")]


def test_migrate(database):
    names = sorted(path.name for path in MIGRATIONS.glob("*.sql"))
    due = [{"version": number, "name": name} for number, name in enumerate(names, 1)]
    assert database.json("migrate", "--dry-run") == {"dry_run": True, "version": 0, "due": due}
    text = database("migrate", "--dry-run").stdout_text
    assert text == "".join(f"would apply {name}\n" for name in names)
    assert applied_in(database) == []
    assert database.psql("select count(*) from pg_namespace where nspname = 'sluice'") == [(0,)]
    text = database("migrate").stdout_text
    assert re.fullmatch("".join(rf"applied {name} \([0-9]+ ms\)\n" for name in names), text)
    recorded = database.psql("select name, checksum, applied_by from sluice.schema_migration "
                             "order by version")
    assert [row[0] for row in recorded] == names
    for name, checksum, applied_by in recorded:
        assert bytes(checksum) == hashlib.sha256((MIGRATIONS / name).read_bytes()).digest()
        assert applied_by == database.env["PGUSER"]
    assert database("migrate").stdout_text == (
        f"nothing to apply: the schema is at version {len(names)}\n")
    assert database.json("migrate") == {"dry_run": False, "version": len(names), "applied": []}


def test_migrate_in_steps(database, small):
    third = small / "0003_third.sql"
    text = third.read_text()
    third.unlink()
    assert database.json("migrate", "--directory", small)["version"] == 2
    third.write_text(text)
    assert database.json("migrate", "--directory", small) == {
        "dry_run": False, "version": 3, "applied": [{"version": 3, "name": "0003_third.sql"}]}


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
        assert message in database.refused("migrate", "--directory", small, *options)
    assert applied_in(database) == before


def test_migrate_without_files(database, tmp_path):
    assert "No such file" in database.refused("migrate", "--directory", tmp_path / "none")
    assert "there are no migrations" in database.refused("migrate", "--directory", tmp_path)


def test_migrate_that_fails(database, small):
    """It is rolled back as a whole; what was applied before it stays."""
    files_in(small, n4_bad="CREATE TABLE sluice.half (a integer);\nSELECT 1 / 0;\n",
             n5_later="CREATE TABLE sluice.later (a integer)")
    process = database("migrate", "--directory", small, exits=FAILED)
    assert ('sluicectl: "0004_bad.sql" failed and was rolled back: division by zero'
            in process.stderr_text)
    assert "22012" in process.stderr_text
    assert process.stdout_text.count("applied") == 3
    assert applied_in(database) == ["0001_first.sql", "0002_second.sql", "0003_third.sql"]
    assert database.psql("select to_regclass('sluice.half'), to_regclass('sluice.later')") == [
        (None, None)]
    result = database.json("migrate", "--directory", small, exits=FAILED)
    assert result == {"dry_run": False, "version": 3, "applied": []}


@pytest.mark.parametrize("script", ["COMMIT", "ROLLBACK", "COMMIT; BEGIN", "COMMIT AND CHAIN"])
def test_migrate_that_ends_its_transaction(database, small, script):
    files_in(small, n4_bad=f"SELECT 1; {script}; SELECT 2")
    stderr = database("migrate", "--directory", small, exits=FAILED).stderr_text
    assert '"0004_bad.sql" ends its own transaction' in stderr and "HINT: remove COMMIT" in stderr
    assert len(applied_in(database)) == 3


def test_migrate_at_the_same_time(database):
    processes = [database.start("migrate", "--json") for _ in range(4)]
    results = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [FINE] * 4, results
    counts = sorted(len(json.loads(stdout)["applied"]) for stdout, _ in results)
    assert counts == [0, 0, 0, len(list(MIGRATIONS.glob("*.sql")))]


def test_migrate_waits_for_the_lock(stack, database, small):
    with contextlib.closing(psycopg2.connect(
            host=stack.env["PGHOST"], port=stack.env["PGPORT"], dbname=database.env["PGDATABASE"],
            user=stack.env["PGUSER"])) as holder:
        holder.autocommit = True
        with holder.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(91725291414373)")
        process = database.start("migrate", "--directory", small)
        line = process.stderr.readline()
        assert line == ("sluicectl: warning: another run is in progress; waiting for it to "
                        "end\n")
        harness.wait_for(lambda: database.psql(
            "select count(*) from pg_locks where locktype = 'advisory' and not granted "
            "and database = (select oid from pg_database where datname = current_database())"
            )[0][0] == 1, "the tool waits for the lock")
        assert applied_in(database) == []
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (FINE, "") and stdout.count("applied") == 3
