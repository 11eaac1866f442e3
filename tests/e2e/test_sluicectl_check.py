"""sluicectl check, and config."""

import contextlib
import json
import pathlib
import re
import subprocess

import pytest

from sluicectl import FAILED, FINE, UNREACHABLE, Tool, scratch

pytestmark = [pytest.mark.first_front, pytest.mark.database]


# ---- check ----

@pytest.fixture
def migrated(database):
    database("migrate")
    return database


def verdicts(tool, exits):
    findings = tool.json("check", exits=exits)["findings"]
    assert all(set(finding) == {"check", "result", "detail"} for finding in findings)
    return {finding["check"]: finding["result"] for finding in findings}


def test_check(migrated):
    results = verdicts(migrated, FINE)
    assert set(results.values()) == {"ok"} and len(results) >= 25
    text = migrated("check").stdout_text
    assert text.endswith("\nfit for use: 0 failed, 0 warnings\n")
    assert len(text.splitlines()) == len(results) + 3


ROW = ("insert into sluice.signal (id, organization_id, received_at, occurred_at, key_id, source,"
       " request_id, payload{more}) values ({id}, 1, {at}, now(), 1, 'x', 'x', '{{}}'{value})")


def row(number=1, at="now()", xact=None):
    return ROW.format(id=number, at=at, more=", stored_xact" if xact else "",
                      value=f", {xact}" if xact else "").replace("{}", "{{}}")


def not_ok(tool, **environment):
    """{check: its detail} of what is not right."""
    process = tool.start("check", "--json", **environment)
    found = json.loads(process.communicate(timeout=120)[0])["findings"]
    failed = [each for each in found if each["result"] == "failed"]
    assert process.returncode == (FAILED if failed else FINE)
    return {each["check"]: each["detail"] for each in found if each["result"] != "ok"}


REPAIR = "run sluicectl migrate --repair"
LOST = f"lost: {REPAIR} for "
OWNERS = f"not sluice_owner's: {REPAIR} for "
READER = f"not as it should be for sluice_reader: {REPAIR} for "
PUBLIC = f"{REPAIR}; any role may use "


def reached(*names, role="sluice_intake"):
    return f"{role} may access without a function: {', '.join(names)}: {REPAIR}"


def by_public(*names):
    """What check says of tables that every role may use."""
    programs = {f"{name}_rights": reached(*names, role=f"sluice_{name}")
                for name in ("intake", "settings", "consumer", "maintenance")}
    return {**programs, "public_rights": PUBLIC + ", ".join(names)}


# What is broken, and all that check then says. --repair mends it.
MENDED = {
    "a commit": ("alter role sluice_intake in database {db} set synchronous_commit = off", {
        "synchronous_commit": f"off for sluice_intake: {REPAIR}"}),
    "commit of the database": (("alter role sluice_intake in database {db} reset"
                               " synchronous_commit; alter database {db} set"
                               " synchronous_commit = local"), {
        "synchronous_commit": f"local for sluice_intake: {REPAIR}",
        "role_settings": LOST + "sluice_intake.synchronous_commit"}),
    "a setting": ("alter role sluice_intake in database {db} reset plan_cache_mode", {
        "role_settings": LOST + "sluice_intake.plan_cache_mode"}),
    "compression": ("alter role sluice_intake in database {db} reset default_toast_compression", {
        "role_settings": LOST + "sluice_intake.default_toast_compression"}),
    "all settings of a role": ("alter role sluice_settings in database {db} reset all", {
        "role_settings": LOST + ", ".join(f"sluice_settings.{name}" for name in (
            "default_transaction_isolation", "idle_in_transaction_session_timeout", "jit",
            "statement_timeout", "synchronous_commit"))}),
    "the schema's owner": ("alter schema sluice owner to {user}", {
        "owner": f"schema sluice belongs to {{user}}: {REPAIR}"}),
    "owner of a function": ("alter function sluice.frontier() owner to {user}", {
        "owners": OWNERS + "frontier"}),
    "owner of a table": ("alter table sluice.audit_log owner to {user}", {
        "owners": OWNERS + "audit_log, audit_log_id_seq"}),
    "owner of a partitioned table": ("alter table sluice.signal owner to {user}", {
        "owners": OWNERS + "signal"}),
    "owner of a view": ("alter view sluice.backlog owner to {user}", {
        "owners": OWNERS + "backlog"}),
    "owner of a sequence": ("alter sequence sluice.signal_id owner to {user}", {
        "owners": OWNERS + "signal_id"}),
    "owner of a type": ("alter type sluice.staging_status owner to {user}", {
        "owners": OWNERS + "staging_status"}),
    "a view": ("drop view sluice.key_health", {
        "objects": f"missing: {REPAIR} for key_health"}),
    "a function": ("drop function sluice.fold_usage(integer)", {
        "objects": f"missing: {REPAIR} for fold_usage"}),
    "a table for intake": ("grant select on sluice.signal to sluice_intake", {
        "intake_rights": reached("signal")}),
    "a column for intake": ("grant select (email) on sluice.signal_staging to sluice_intake", {
        "intake_rights": reached("signal_staging")}),
    "a table for settings": ("grant truncate on sluice.audit_log to sluice_settings", {
        "settings_rights": reached("audit_log", role="sluice_settings")}),
    "a table for consumers": ("grant update on sluice.signal_queue to sluice_consumer", {
        "consumer_rights": reached("signal_queue", role="sluice_consumer")}),
    "a table for maintenance": ("grant delete on sluice.signal to sluice_maintenance", {
        "maintenance_rights": reached("signal", role="sluice_maintenance")}),
    "the schema for intake": ("revoke usage on schema sluice from sluice_intake", {
        "intake_rights": f"sluice_intake may not call intake: {REPAIR}",
        "function_rights": f"may not be called: {REPAIR} for sluice_intake bulk_finish, "
                           "sluice_intake intake, sluice_intake intake_commit_status, "
                           "sluice_intake intake_ordinary, "
                           "sluice_intake intake_probe, sluice_intake metrics"}),
    "a function for settings": (("revoke execute on function sluice.settings_keys(text, bigint,"
                                 " bigint, integer, text, text, text) from sluice_settings"), {
        "function_rights": f"may not be called: {REPAIR} for sluice_settings settings_keys"}),
    "a function for maintenance": (("revoke execute on function sluice.maintenance_record(text,"
                                   " text, text, bigint, text) from sluice_maintenance"), {
        "function_rights": f"may not be called: {REPAIR} for sluice_admin maintenance_record, "
                           "sluice_maintenance maintenance_record"}),
    "a view for readers": ("revoke select on sluice.signal_staging from sluice_reader", {
        "reader_rights": READER + "signal_staging"}),
    "a partition for readers": ("revoke select on sluice.signal_default from sluice_reader", {
        "reader_rights": READER + "signal_default"}),
    "a column for readers": ("revoke select (name) on sluice.api_key from sluice_reader", {
        "reader_rights": READER + "api_key"}),
    "hashes for readers": ("grant select on sluice.api_key to sluice_reader", {
        "reader_rights": READER + "api_key.key_hash, api_key.previous_secret_hash, "
                                  "api_key.secret_hash"}),
    "functions for all": (("grant execute on function sluice.bulk_finish(), sluice.metrics()"
                           " to public"), {
        "public_rights": PUBLIC + "bulk_finish, metrics"}),
    "a table for all": ("grant select on sluice.audit_log to public", by_public("audit_log")),
    "a column for all": ("grant select (id) on sluice.signal to public", by_public("signal")),
    "a sequence for all": ("grant usage on sequence sluice.claim_id to public", {
        "public_rights": PUBLIC + "claim_id"}),
    "the schema for all": ("grant usage on schema sluice to public", {
        "public_rights": PUBLIC + "the schema"}),
    "a sequence behind": (row(5000), {
        "sequences": f"behind their tables: {REPAIR} for sluice.signal_id"}),
    "an identity behind": (("insert into sluice.organization (id, name, created_by)"
                           " overriding system value values (7, 'x', 'x')"), {
        "sequences": f"behind their tables: {REPAIR} for sluice.organization_id_seq"}),
    "another cluster": ("update sluice.feed set cluster = 1", {
        "cluster": f"another than that of the last claims: {REPAIR}"}),
    "stored_xact ahead": ("select nextval('sluice.signal_id'); " + row(xact=10 ** 12), {
        "cluster": f"stored_xact is ahead of this cluster's transactions: {REPAIR}"}),
    "a step": ("delete from sluice.maintenance_step where name in ('fold_usage', 'index_days')", {
        "maintenance_steps": LOST + "fold_usage, index_days"}),
    "all steps": (("delete from sluice.maintenance_step where name not in ('make_partitions')"
                  " and name !~ '^prune|^fold|^move|^drop|^resolve|^feed|^index'"), {
        "maintenance_steps": LOST + "count_rows"}),
    "a retention": ("delete from sluice.retention where table_name = 'signal_result'", {
        "partitions": "unusual: signal_result has no retention, so that maintenance makes no days"
                      f" of it ({REPAIR})"}),
}


@pytest.fixture(scope="module")
def fit(stack):
    """fit() is a migrated database, the same one as long as it is fit for use."""
    with contextlib.ExitStack() as all_of_them:
        made = []

        def database():
            if not made or not_ok(made[-1]):
                made.append(all_of_them.enter_context(scratch(stack)))
                made[-1]("migrate")
                assert not_ok(made[-1]) == {}
            return made[-1]

        yield database


@pytest.mark.parametrize("what", MENDED)
def test_repair_mends(fit, what):
    database = fit()
    names = {"db": database.env["PGDATABASE"], "user": database.env["PGUSER"]}
    broken, said = MENDED[what]
    database.psql(broken.format(**names))
    assert not_ok(database) == {check: text.format(**names) for check, text in said.items()}
    database("migrate", "--repair")
    assert not_ok(database) == {}


def maintain(database):
    database("maintain")


# What --repair leaves alone, what check says to do, and that it helps.
LEFT = {
    "owner of a partition": ("alter table sluice.signal_default owner to {user}", "partitions",
        ("unusual: signal_default belongs to {user} (ALTER TABLE … OWNER TO sluice_owner gives it"
        " back to maintenance)"), "alter table sluice.signal_default owner to sluice_owner"),
    "schema of a partition": (("create schema elsewhere; alter table sluice.signal_{day} set schema"
        " elsewhere"), "partitions",
        ("unusual: elsewhere.signal_{day} is in schema elsewhere (ALTER TABLE … SET SCHEMA sluice"
        " brings it back)"), "alter table elsewhere.signal_{day} set schema sluice"),
    "default partition": ("alter table sluice.signal detach partition sluice.signal_default",
        "partitions", ("unusual: signal has no default partition (attach it, or create it by CREATE"
        " TABLE sluice.signal_default PARTITION OF sluice.signal DEFAULT)"),
        "alter table sluice.signal attach partition sluice.signal_default default"),
    "no default partition": ("drop table sluice.signal_default",
        "partitions", ("unusual: signal has no default partition (attach it, or create it by CREATE"
        " TABLE sluice.signal_default PARTITION OF sluice.signal DEFAULT)"),
        ("set role sluice_owner; create table sluice.signal_default partition of sluice.signal"
        " default; grant select on sluice.signal_default to sluice_reader")),
    "bounds of a partition": (("update sluice.retention set keep = '100 years' where table_name ="
        " 'signal'; drop table sluice.signal_{day}; set role sluice_owner; create table"
        " sluice.early partition of sluice.signal for values from ('{date} 00:00Z') to"
        " ('{date} 12:00Z'); create table sluice.late partition of sluice.signal for values from"
        " ('{date} 12:00Z') to ('{next} 00:00Z'); grant select on sluice.early, sluice.late to"
        " sluice_reader"), "partitions",
        ("unusual: early is not of one UTC day (it goes when all of it is past retention), late is"
        " not of one UTC day (it goes when all of it is past retention)"),
        [("drop table sluice.early, sluice.late; update sluice.retention set keep = '90 days' where"
         " table_name = 'signal'"), maintain]),
    "policies that bind the owner": ("alter table sluice.signal force row level security",
        "row_security", ("stops intake, consumers or maintenance until ALTER TABLE … NO FORCE ROW"
        " LEVEL SECURITY for signal"), "alter table sluice.signal no force row level security"),
    "missing partition": ("drop table sluice.signal_{day}", "partitions",
        "unusual: signal lacks signal_{day} (sluicectl maintain makes it, empty)", maintain),
    "detached partition": ("alter table sluice.signal detach partition sluice.signal_{day}",
        "partitions", "unusual: signal lacks signal_{day} (it is detached)",
        ("alter table sluice.signal attach partition sluice.signal_{day}"
        " for values from ('{date} 00:00Z') to ('{next} 00:00Z')")),
    "today's partition": ("drop table sluice.signal_{today}", "partitions_of_today",
        "run sluicectl maintain; none for today of signal", maintain),
    "rows in a default partition": ("drop table sluice.signal_{today}; select"
        " nextval('sluice.signal_id'); " + row(), "partitions_of_today default_partitions",
        ("rows outside all partitions in signal_default: sluicectl maintain moves those of the last"
        " days"), maintain),
    "past retention": (("update sluice.retention set keep = '1 day' where table_name ="
        " 'rejected_payload'"), "retention", None, maintain),
    "maintenance that is not run": (("delete from sluice.maintenance_run where step = 'fold_usage';"
        " update sluice.maintenance_step set added_at = now() - interval '25 hours' where name ="
        " 'fold_usage'"), "maintenance",
        "not done for a day: fold_usage: run sluicectl maintain every few minutes", maintain),
    "maintenance that is busy": (("delete from sluice.maintenance_run where step = 'fold_usage';"
        " update sluice.maintenance_step set added_at = now() - interval '25 hours' where name ="
        " 'fold_usage'; select sluice.maintenance_record('me', 'fold_usage',"
        " 'busy', 0, 'signal is in use')"), "maintenance", ("not done for a day: fold_usage (busy,"
        " signal is in use): run sluicectl maintain every few minutes"), maintain),
}


@pytest.mark.parametrize("what", LEFT)
def test_what_repair_leaves(fit, what):
    database = fit()
    broken, checks, said, remedy = LEFT[what]
    day, today, date, following = database.psql(
        "select to_char(d, '\"p\"YYYY_MM_DD'), to_char(t, '\"p\"YYYY_MM_DD'), d::date::text,"
        " (d + interval '1 day')::date::text from (select now() at time zone 'UTC' as t, (now()"
        " - interval '3 days') at time zone 'UTC' as d) as n")[0]
    names = {"user": database.env["PGUSER"], "day": day, "today": today, "date": date,
             "next": following}
    database.psql(broken.format(**names))
    found = not_ok(database)
    assert list(found) == checks.split()
    assert said is None or found[checks.split()[-1]] == said.format(**names)
    database("migrate", "--repair")
    assert not_ok(database) == found
    for each in remedy if isinstance(remedy, list) else [remedy]:
        if callable(each):
            each(database)
        else:
            database.psql(each.format(**names))
    assert not_ok(database) == {}


@pytest.mark.parametrize("sql, check, result", [
    ("alter database {db} set synchronous_commit = off", "", "ok"),
    ("alter database {db} set default_transaction_read_only = on", "writable", "failed"),
    ("revoke execute on all functions in schema sluice from sluice_admin", "function_rights",
     "failed"),
    (("insert into sluice.rejected_payload (organization_id, received_at, key_id, kind, code, "
      "detail, request_id, payload) values (1, now() + interval '20 days', 1, 'item', 'x', 'x', "
      "'x', 'x')"), "default_partitions", "warning"),
    ("select nextval('sluice.signal_id'); " + row(at="'2001-01-01'"), "default_partitions",
     "warning"),
    (("delete from sluice.schema_migration where version = "
      "(select max(version) from sluice.schema_migration)"), "schema", "failed"),
    ("update sluice.schema_migration set checksum = sha256('') where version = 1", "schema",
     "failed"),
    ("update sluice.schema_file set checksum = sha256('') where name = 'access.sql'", "schema",
     "failed"),
    ("drop schema sluice cascade", "schema", "failed"),
])
def test_check_finds(migrated, sql, check, result):
    migrated.psql(sql.format(db=migrated.env["PGDATABASE"], user=migrated.env["PGUSER"]))
    results = verdicts(migrated, FAILED if result == "failed" else FINE)
    assert {name: found for name, found in results.items() if found != "ok"} == (
        dict.fromkeys(check.split(), result))


def test_a_dbas_own_objects(stack, migrated):
    """Neither check nor migrate minds what has another owner and is not Sluice's."""
    role = f"{migrated.env['PGDATABASE']}_dba"
    migrated.psql(f"""create role {role};
        create table sluice.report (n integer); alter table sluice.report owner to {role};
        create view sluice.shown as select 1 as n; alter view sluice.shown owner to {role};
        create function sluice.own() returns integer language sql return 1;
        alter function sluice.own() owner to {role}; create type sluice.mood as enum ('fine');
        alter type sluice.mood owner to {role};
        grant select on sluice.report, sluice.shown to public;
        grant insert on sluice.report to sluice_reader""")
    try:
        before = not_ok(migrated)
        migrated("migrate", "--repair")
        assert before == not_ok(migrated) == {}
        assert migrated.psql(
            "select relowner::regrole::text, has_table_privilege('public', oid, 'select')"
            " from pg_class where relname in ('report', 'shown')"
            " union all select proowner::regrole::text, has_function_privilege('public', oid,"
            " 'execute') from pg_proc where proname = 'own'"
            " union all select typowner::regrole::text, true from pg_type where typname = 'mood'"
        ) == [(role, True)] * 4
    finally:
        migrated.psql(f"drop owned by {role} cascade")
        stack.psql(f"drop role {role}")


def test_roles_of_the_cluster(other_cluster):
    """Roles, memberships and a right that belongs to no program, where nobody else has them."""
    other_cluster.clear()
    database = other_cluster.create()
    database.tool("migrate")
    for name in ("intake", "settings"):
        database.psql(f"alter role sluice_{name} login")
    assert not_ok(database.tool) == {}
    database.psql("revoke sluice_reader, sluice_maintenance from sluice_admin")
    found = not_ok(database.tool)
    assert found.pop("memberships") == (
        f"not granted: {REPAIR} for sluice_maintenance to sluice_admin,"
        " sluice_reader to sluice_admin")
    assert list(found) == ["function_rights"]
    database.tool("migrate", "--repair")
    assert not_ok(database.tool) == {}
    database.psql("drop owned by sluice_consumer; drop role sluice_consumer")
    found = not_ok(database.tool)
    assert found["roles"] == f"missing: {REPAIR} for sluice_consumer"
    assert found["consumer_rights"] == f"sluice_consumer does not exist: {REPAIR}"
    assert found.keys() == {"roles", "role_settings", "consumer_rights", "function_rights"}
    database.tool("migrate", "--repair")
    assert not_ok(database.tool) == {}
    database.psql("alter role sluice_intake superuser")
    assert not_ok(database.tool) == {"intake_rights": "sluice_intake is a superuser: ALTER ROLE"
                                                      " sluice_intake NOSUPERUSER"}
    database.psql("alter role sluice_intake nosuperuser nologin")
    assert not_ok(database.tool) == {"intake_rights": "sluice_intake cannot log in: ALTER ROLE"
                                                      " sluice_intake LOGIN"}
    other_cluster.clear()


def test_a_schema_without_data(migrated):
    """As after pg_restore --schema-only: the data is to come, not another migration."""
    migrated.psql("delete from sluice.schema_migration; delete from sluice.schema_file")
    assert not_ok(migrated) == {
        "schema": "there are no migrations in it: restore the data of the dump, too"}
    stderr = migrated("migrate", "--repair", exits=FAILED).stderr_text
    assert stderr == ("sluicectl: schema sluice is there, without the migrations that made it\n"
                      "HINT: restore the data of the dump, too\n")


def test_check_without_days_ahead(migrated):
    for (name,) in migrated.psql("select inhrelid::regclass::text from pg_inherits where inhparent "
                                 "= 'sluice.signal_cold_storage'::regclass and inhrelid::regclass "
                                 "<> 'sluice.signal_cold_storage_default'::regclass"):
        migrated.psql(f"drop table {name}")
    results = verdicts(migrated, FAILED)
    assert (results["future_partitions"], results["partitions_of_today"]) == ("failed", "failed")


# ---- restoring ----

BEHIND = {"role_settings", "sequences"}


@pytest.mark.parametrize("runs, lost", [
    ([[]], BEHIND),
    pytest.param([["--jobs", "2"]], BEHIND, marks=pytest.mark.slow),
    pytest.param([["--section", section] for section in ("pre-data", "data", "post-data")], BEHIND,
                 marks=pytest.mark.slow),
    ([["--no-owner", "--no-acl"]],
     {"role_settings", "owner", "owners", "intake_rights", "settings_rights", "consumer_rights",
      "maintenance_rights", "function_rights", "public_rights"}),
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
    findings = migrated.json("check", "--directory", small, exits=FAILED)["findings"]
    schema, = (finding for finding in findings if finding["check"] == "schema")
    assert schema["result"] == "failed" and "is missing" in schema["detail"]


def test_check_unreachable(stack):
    nowhere = Tool(stack, PGHOST="/nowhere")
    findings = nowhere.json("check", exits=UNREACHABLE)["findings"]
    assert findings[0]["check"] == "connection" and findings[0]["result"] == "failed"
    assert "not fit for use" in nowhere("check", exits=UNREACHABLE).stdout_text


@pytest.mark.parametrize("sql", [None, "grant usage on schema sluice to onlooker"],
                         ids=["no rights", "usage"])
def test_check_with_few_rights(stack, sql):
    """What the user may not see is a warning that says so; the others are checked all the same."""
    stack.psql("create role onlooker login")
    try:
        if sql:
            stack.psql(sql)
        found = not_ok(Tool(stack, PGUSER="onlooker"))
    finally:
        stack.psql("drop owned by onlooker")
        stack.psql("drop role onlooker")
    assert len(found) > 5
    what = r"table schema_migration" if sql else "schema sluice"
    assert found["schema"] == (
        f"not checked: permission denied for {what} (sluice_reader may see it)")
    assert not [text for text in found.values() if not re.fullmatch(
        r"not checked: permission denied for (schema|table|view|function) \w+"
        r" \(sluice_reader may see it\)", text)], found
    reader = not_ok(Tool(stack, PGUSER="sluice_reader"))
    assert reader == not_ok(Tool(stack))


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
    findings = tool.json("check", "--config", file, exits=FAILED)["findings"]
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
