"""sluicectl check, and config."""

import pathlib
import re
import subprocess

import pytest

from sluicectl import FAILED, FINE, UNREACHABLE, Tool

pytestmark = pytest.mark.first_front


# ---- check ----

@pytest.fixture
def migrated(database):
    database("migrate")
    return database


def verdicts(tool, exits):
    findings = tool.json("check", exits=exits)
    assert all(set(finding) == {"check", "result", "detail"} for finding in findings)
    return {finding["check"]: finding["result"] for finding in findings}


def test_check(migrated):
    results = verdicts(migrated, FINE)
    assert set(results.values()) == {"ok"} and len(results) >= 25
    text = migrated("check").stdout_text
    assert text.endswith("\nfit for use: 0 failed, 0 warnings\n")
    assert len(text.splitlines()) == len(results) + 3


@pytest.mark.parametrize("sql, check, result", [
    ("alter role sluice_intake in database {db} set synchronous_commit = off",
     "synchronous_commit", "failed"),
    ("alter role sluice_intake in database {db} set synchronous_commit = local",
     "synchronous_commit", "failed"),
    (("alter role sluice_intake in database {db} reset synchronous_commit; "
      "alter database {db} set synchronous_commit = off"), "synchronous_commit role_settings",
     "failed"),
    ("alter database {db} set synchronous_commit = off", "synchronous_commit", "ok"),
    ("alter database {db} set default_transaction_read_only = on", "writable", "failed"),
    ("grant select on sluice.signal to sluice_intake", "intake_rights", "failed"),
    ("grant select (email) on sluice.signal_staging to sluice_intake", "intake_rights", "failed"),
    ("grant select on sluice.audit_log to sluice_settings", "settings_rights", "failed"),
    ("revoke execute on function sluice.settings_keys(text, bigint) from sluice_settings",
     "function_rights", "failed"),
    ("revoke execute on all functions in schema sluice from sluice_admin", "function_rights",
     "failed"),
    ("revoke execute on function sluice.bulk_finish() from sluice_intake", "function_rights",
     "failed"),
    ("revoke execute on function sluice.maintenance_do(text, integer) from sluice_maintenance",
     "function_rights", "failed"),
    ("revoke select on sluice.signal_staging from sluice_reader", "reader_rights", "failed"),
    ("grant execute on all functions in schema sluice to public", "public_rights", "failed"),
    ("grant select on sluice.audit_log to public", "intake_rights settings_rights public_rights",
     "failed"),
    ("grant usage on schema sluice to public", "public_rights", "failed"),
    ("alter schema sluice owner to {user}", "owner sequences", "failed"),
    ("alter function sluice.frontier() owner to {user}", "owners", "failed"),
    ("alter table sluice.audit_log owner to {user}", "owners sequences", "failed"),
    ("alter role sluice_intake in database {db} reset plan_cache_mode", "role_settings", "failed"),
    ("alter role sluice_settings in database {db} reset all", "role_settings", "failed"),
    ("alter table sluice.signal_default owner to {user}", "partitions", "warning"),
    ("create schema elsewhere; alter table sluice.signal_default set schema elsewhere",
     "partitions", "warning"),
    ("alter table sluice.signal detach partition sluice.signal_default", "partitions", "warning"),
    (("create table sluice.long partition of sluice.signal for values from ('2001-01-01Z') "
      "to ('2001-02-01Z'); alter table sluice.long owner to sluice_owner; update "
      "sluice.retention set keep = '100 years' where table_name = 'signal'"), "partitions",
     "warning"),
    (("alter sequence sluice.signal_id restart; select nextval('sluice.signal_id'); insert into "
      "sluice.signal (id, organization_id, received_at, occurred_at, key_id, source, request_id, "
      "payload) values (5000, 1, now(), now(), 1, 'x', 'x', '{{}}')"), "sequences", "failed"),
    (("insert into sluice.organization (id, name, created_by) overriding system value "
      "values (7, 'x', 'x')"), "sequences", "failed"),
    ("update sluice.feed set cluster = 1", "cluster", "warning"),
    (("insert into sluice.signal (id, organization_id, received_at, occurred_at, key_id, "
      "source, request_id, payload) values (1, 1, '2001-01-01', now(), 1, 'x', 'x', '{{}}')"),
     "default_partitions", "warning"),
    (("insert into sluice.rejected_payload (organization_id, received_at, key_id, kind, code, "
      "detail, request_id, payload) values (1, now() + interval '20 days', 1, 'item', 'x', 'x', "
      "'x', 'x')"), "default_partitions", "warning"),
    ("update sluice.retention set keep = '1 day' where table_name = 'rejected_payload'",
     "retention", "warning"),
    ("update sluice.maintenance_step set added_at = now() - interval '25 hours'", "maintenance",
     "warning"),
    (("delete from sluice.schema_migration where version = "
      "(select max(version) from sluice.schema_migration)"), "schema", "failed"),
    ("update sluice.schema_migration set checksum = sha256('') where version = 1", "schema",
     "failed"),
    ("update sluice.schema_file set checksum = sha256('') where name = 'access.sql'", "schema",
     "failed"),
    ("drop schema sluice cascade", "schema", "failed"),
    ("select 1", "fsync", "ok"),
])
def test_check_finds(migrated, sql, check, result):
    migrated.psql(sql.format(db=migrated.env["PGDATABASE"], user=migrated.env["PGUSER"]))
    results = verdicts(migrated, FAILED if result == "failed" else FINE)
    names = check.split()
    assert results[names[0]] == result
    assert [name for name, found in results.items() if found != "ok"] == (
        [] if result == "ok" else names)


def test_check_without_days_ahead(migrated):
    for (name,) in migrated.psql("select inhrelid::regclass::text from pg_inherits where inhparent "
                                 "= 'sluice.signal_cold_storage'::regclass and inhrelid::regclass "
                                 "<> 'sluice.signal_cold_storage_default'::regclass"):
        migrated.psql(f"drop table {name}")
    results = verdicts(migrated, FAILED)
    assert (results["future_partitions"], results["partitions_of_today"]) == ("failed", "failed")


# ---- restoring ----

LOST = {"role_settings", "sequences"}


@pytest.mark.parametrize("runs, lost", [
    ([[]], LOST),
    ([["--jobs", "2"]], LOST),
    ([["--section", section] for section in ("pre-data", "data", "post-data")], LOST),
    ([["--no-owner", "--no-acl"]],
     {*LOST, "owner", "owners", "intake_rights", "settings_rights", "function_rights",
      "public_rights"}),
], ids=["whole", "parallel", "by-section", "without-roles"])
def test_repair_after_a_restore(stack, migrated, tmp_path, runs, lost):
    """What is lost is found, and mended."""
    migrated.psql("insert into sluice.signal (id, organization_id, received_at, occurred_at, "
                  "key_id, source, request_id, payload) values (5000, 1, now(), now(), 1, 'x', "
                  "'x', '{}')")
    name = f"{migrated.env['PGDATABASE']}_copy"
    programs = pathlib.Path(stack.env["PG_BIN"])
    subprocess.run([programs / "pg_dump", "-Fc", "-f", tmp_path / "dump"],
                   env=migrated.env, check=True)
    stack.psql(f"create database {name}")
    try:
        copy = Tool(stack, PGDATABASE=name)
        for options in runs:
            subprocess.run([programs / "pg_restore", "--exit-on-error", "-d", name, *options,
                            tmp_path / "dump"], env=migrated.env, check=True)
        results = verdicts(copy, FAILED)
        assert {check for check, result in results.items() if result == "failed"} == lost
        copy("migrate", "--repair")
        assert set(verdicts(copy, FINE).values()) == {"ok"}
    finally:
        stack.psql(f"drop database {name} with (force)")


def test_check_of_older_files(migrated, small):
    findings = migrated.json("check", "--directory", small, exits=FAILED)
    schema, = (finding for finding in findings if finding["check"] == "schema")
    assert schema["result"] == "failed" and "is missing" in schema["detail"]


def test_check_unreachable(stack):
    nowhere = Tool(stack, PGHOST="/nowhere")
    findings = nowhere.json("check", exits=UNREACHABLE)
    assert findings[0]["check"] == "connection" and findings[0]["result"] == "failed"
    assert "not fit for use" in nowhere("check", exits=UNREACHABLE).stdout_text


def test_check_with_few_rights(stack):
    """What the user may not see is a warning, and the others are checked all the same."""
    for sql in ("create role onlooker login", "grant usage on schema sluice to onlooker",
                "grant select on sluice.schema_migration to onlooker"):
        stack.psql(sql)
    try:
        seen = verdicts(Tool(stack, PGUSER="onlooker"), FINE)
    finally:
        for sql in ("drop owned by onlooker", "drop role onlooker"):
            stack.psql(sql)
    hidden = ("future_partitions", "default_partitions", "retention", "maintenance")
    assert seen == {**verdicts(Tool(stack), FINE), **dict.fromkeys(hidden, "warning")}


# ---- config ----

def settings(tool, *options):
    return {entry["key"]: entry for entry in tool.json("config", *options)["settings"]}


def test_config_origins(stack, tmp_path):
    file = tmp_path / "sluice.conf"
    file.write_text("log_level = warning\nitem_size = 100KiB\n"
                    "database = host=/run password=hunter2 user=x\n")
    tool = Tool(stack, SLUICE_ITEM_SIZE="200KiB")
    found = settings(tool, "--config", file)
    assert (found["log_level"]["value"], found["log_level"]["origin"]) == ("warning", "file")
    assert found["item_size"]["origin"] == "environment"
    assert found["json_depth"]["origin"] == "default"
    assert tool.json("config", "--config", file)["file"] == str(file)
    for arguments in (("config", "--config", file), ("config", "--config", file, "--json")):
        text = tool(*arguments).stdout_text
        assert "hunter2" not in text and "/run" in text
    named = Tool(stack, SLUICE_CONFIG=str(file))
    assert settings(named)["log_level"]["origin"] == "file"


@pytest.mark.parametrize("text", ["nonsense = 1\n", "log_level = loud\n", "item_size\n"])
def test_config_refused(tool, tmp_path, text):
    file = tmp_path / "sluice.conf"
    file.write_text(text)
    assert f"{file}:1" in tool.refused("config", "--config", file)
    assert "No such file" in tool.refused("config", "--config", tmp_path / "none")
    findings = tool.json("check", "--config", file, exits=FAILED)
    assert {finding["check"] for finding in findings if finding["result"] == "failed"} == {
        "configuration"}


def test_config_example_is_the_defaults(tool, tmp_path):
    example = tool("config", "--example").stdout_text
    file = tmp_path / "sluice.conf"
    file.write_text(re.sub(r"^#([a-z_]+ = )", r"\1", example, flags=re.M))
    found, defaults = settings(tool, "--config", file), settings(tool)
    assert {key: entry["value"] for key, entry in found.items()} == {
        key: entry["value"] for key, entry in defaults.items()}
    assert {entry["origin"] for entry in found.values()} == {"file"}


def test_config_manual(tool):
    manual = tool("config", "--manual").stdout_text
    for key in settings(tool):
        assert re.search(rf"^\.It .*{key}\b", manual, re.M), key
