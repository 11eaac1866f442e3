"""Maintenance: partitions and retention on a live database, beside readers, writers and itself."""

import contextlib
import json
import os
import pathlib
import secrets
import subprocess

import psycopg2
import pytest

import harness
from harness import Load, accepted_id, assert_staged_once, path_of, send
from messages import NO_RIGHT, NO_RIGHT_HINT

pytestmark = [pytest.mark.first_front, pytest.mark.database]

MIGRATIONS = harness.ROOT / "sql-migrations"
TABLES = ("signal", "signal_cold_storage", "rejected_payload")
# The steps that have to do with no partitions.
ROW_STEPS = ("fold_usage", "fold_refusals", "fold_key_use", "resolve_identities",
             "feed_stragglers", "prune_deliveries", "prune_moves", "prune_queues", "prune_claims",
             "prune_identities", "prune_refused_requests", "prune_usage_hours", "prune_tokens",
             "index_days", "count_rows")
FINE, FAILED = 0, 1


class Database:
    """One database and the tool on it; by default as whoever may do no more than maintain."""

    def __init__(self, stack, name):
        self.stack, self.name = stack, name
        inherited = {key: value for key, value in os.environ.items()
                     if not key.startswith(("PG", "SLUICE_"))}
        self.env = {**inherited, **stack.env, "PGDATABASE": name}

    def program(self, name):
        return pathlib.Path(self.stack.env["PG_BIN"], name)

    def start(self, *arguments, user="sluice_maintenance"):
        return subprocess.Popen([self.env["SLUICECTL"], *map(str, arguments)],
                                env={**self.env, "PGUSER": user}, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def ctl(self, *arguments, exits=FINE, user="sluice_maintenance"):
        process = self.start(*arguments, user=user)
        stdout, stderr = process.communicate(timeout=300)
        assert process.returncode == exits, (arguments, process.returncode, stdout, stderr)
        return stdout if exits == FINE else stderr

    def maintain(self, exits=FINE):
        """{step: (result, worked)}, and what was said about failures."""
        process = self.start("maintain", "--json")
        stdout, stderr = process.communicate(timeout=300)
        assert process.returncode == exits, (process.returncode, stdout, stderr)
        report = json.loads(stdout)
        return {step["step"]: (step["result"], step["worked"]) for step in report["steps"]}, stderr

    def check(self, name):
        process = self.start("check", "--json", user=self.stack.env["PGUSER"])
        stdout, _ = process.communicate(timeout=300)
        return {finding["check"]: finding for finding in json.loads(stdout)["findings"]}[name]

    @contextlib.contextmanager
    def session(self):
        connection = psycopg2.connect(
            host=self.stack.env["PGHOST"], port=self.stack.env["PGPORT"], dbname=self.name,
            user=self.stack.env["PGUSER"])
        try:
            yield connection.cursor()
        finally:
            connection.close()

    def psql(self, sql, *params):
        with self.session() as cursor:
            cursor.connection.autocommit = True
            cursor.execute(sql, params or None)
            return cursor.fetchall() if cursor.description else []

    def value(self, sql, *params):
        return self.psql(sql, *params)[0][0]

    def put(self, days, rows=1, table="signal", filler=0):
        """Rows received so many days ago, at noon, of no key that a test counts."""
        beside, value = ((", source", ", 'x'") if table != "rejected_payload" else
                         (", kind, code, detail", ", 'single', 'x', 'x'"))
        ids, next_id = (("id, ", "nextval('sluice.signal_id'), ") if table != "rejected_payload"
                        else ("", ""))
        occurred = ", occurred_at" if table != "rejected_payload" else ""
        payload = ("jsonb_build_object('n', n, 'filler', (select string_agg(md5(n::text || f), '')"
                   f" from generate_series(1, {filler}) f))" if table != "rejected_payload"
                   else "'x'")
        self.psql(
            f"insert into sluice.{table} ({ids}organization_id, received_at{occurred}, key_id, "
            f"request_id, payload{beside}) "
            f"select {next_id}1, d, {'d, ' if occurred else ''}0, %s, {payload}{value} "
            "from generate_series(1, %s) n, (select date_trunc('day', now(), 'UTC') "
            "- %s * interval '24 hours' + interval '12 hours' as d) t",
            f"{days} days ago", rows, days)

    def partitions(self, table="signal"):
        """{days ago: name}, by the first day of each."""
        return dict(self.psql(
            "select extract(day from date_trunc('day', now(), 'UTC') - lower_bound)::integer,"
            " partition_name from sluice.partition_overview"
            " where table_name = %s and not is_default", table))

    def drop(self, *days, table="signal"):
        names = self.partitions(table)
        for day in days:
            self.psql(f"drop table sluice.{names[day]}")

    def keep(self, interval, table="signal"):
        self.psql("update sluice.retention set keep = %s where table_name = %s", interval, table)

    def rows(self, table="signal"):
        return self.value(f"select count(*) from sluice.{table}")


@pytest.fixture(scope="module")
def server(request):
    """A stack whose own database is the intake's, for tests that take partitions away."""
    stack = harness.Stack(harness.FRONTS[0])
    failed = request.session.testsfailed
    try:
        yield stack
    finally:
        if request.session.testsfailed > failed:
            print(f"\nlogs kept: {stack.keep_logs('maintain')}")
        stack.close()


@pytest.fixture
def live(server):
    """The database that requests go to, as after a run of maintenance."""
    database = Database(server, server.env["PGDATABASE"])
    yield database
    for table in TABLES:
        database.psql(f"delete from sluice.{table}")
        database.psql("update sluice.retention set keep = '90 days'")
    database.maintain()


@pytest.fixture
def empty(server):
    """A database without the schema."""
    name = f"maintain_{secrets.token_hex(6)}"
    server.psql(f"create database {name}")
    try:
        yield Database(server, name)
    finally:
        server.psql(f"drop database {name} with (force)")


@pytest.fixture
def database(empty):
    """A database of its own, with the schema."""
    empty.ctl("migrate", "--directory", MIGRATIONS, user=empty.stack.env["PGUSER"])
    return empty


@pytest.fixture
def key(server):
    return server.new_key(name="maintain")


def results(report):
    return {step: result for step, (result, _) in report.items()}


# ---- retention ----

def test_retention_gives_the_disk_space_back(database):
    database.keep(None)
    for days in (40, 39, 38):
        database.put(days, 2000, filler=40)
    database.put(1, 10)
    assert database.maintain()[0]["move_default_rows"] == ("done", 6000)
    assert {40, 39, 38} < set(database.partitions())
    database.keep("38 days")
    assert database.check("retention")["result"] == "warning"
    bytes_past = database.value("select sum(bytes)::bigint from sluice.partition_overview"
                                " where past_retention")
    before = database.value("select pg_database_size(current_database())")
    report, _ = database.maintain()
    assert report["drop_partitions"] == ("done", 2)
    assert min(-days for days in database.partitions()) == -38
    after = database.value("select pg_database_size(current_database())")
    # Catalogs and the free space map of other tables may have grown by some pages meanwhile.
    assert before - after > 0.9 * bytes_past > 1_000_000
    assert database.rows() == 2010
    assert database.check("retention")["result"] == "ok"
    report, _ = database.maintain()
    assert set(report.values()) == {("done", 0)}


def test_a_partition_that_cannot_be_dropped(database):
    """The others are dropped all the same, and the run says what is wrong with it."""
    database.keep(None)
    for table in TABLES[:2]:
        for days in (20, 19, 18):
            database.put(days, table=table)
    database.maintain()
    name = database.partitions()[20]
    database.psql(f"create view public.mine as select id from sluice.{name}")
    database.psql("update sluice.retention set keep = '15 days'")
    report, stderr = database.maintain(exits=FAILED)
    assert report["drop_partitions"][0] == "failed"
    assert stderr.startswith(f'sluicectl: step "drop_partitions" failed: {name}: cannot drop')
    assert results(report)["prune_default_rows"] == "done"
    assert sorted(database.partitions())[-2:] == [15, 20]
    assert max(database.partitions("signal_cold_storage")) == 15
    assert database.value("select result from sluice.maintenance_run"
                          " where step = 'drop_partitions'") == "failed"
    database.psql("drop view public.mine")
    report, _ = database.maintain()
    assert report["drop_partitions"] == ("done", 1)


# ---- missing partitions ----

def test_a_missing_partition_loses_nothing(server, live, key):
    """Warm, cold and rejected: all goes to the default partitions and from there to its day."""
    for table in TABLES:
        live.drop(*live.partitions(table), table=table)
    warm = accepted_id(send(server, path_of(key)))
    cold = accepted_id(send(server, path_of(key), b'{"anonymousId":"a"}'))
    answer = send(server, path_of(key, end="/batch"), b'[{"email":"a@b.c"}, 7]')
    assert answer.status == 202 and answer.json["rejected"] == 1
    defaults = [f"{table}_default" for table in TABLES]
    assert [live.rows(name) for name in defaults] == [2, 1, 1]
    finding = live.check("default_partitions")
    assert finding["result"] == "warning" and all(name in finding["detail"] for name in defaults)
    assert live.check("future_partitions")["result"] == "failed"
    report, _ = live.maintain()
    assert results(report) == dict.fromkeys(report, "done")
    assert report["move_default_rows"][1] == 4 and report["make_partitions"][1] == 21
    assert [live.rows(name) for name in defaults] == [0, 0, 0]
    assert [live.rows(table) for table in TABLES] == [2, 1, 1]
    for table, signal in (("signal", warm), ("signal_cold_storage", cold)):
        assert live.psql(f"select tableoid::regclass::text from sluice.{table} where id = %s",
                         signal) == [(f"sluice.{live.partitions(table)[0]}",)]
    for name in ("default_partitions", "future_partitions", "maintenance"):
        assert live.check(name)["result"] == "ok"


@pytest.mark.parametrize("before", [0, 6000], ids=["few", "many"])
def test_rows_are_moved_under_load(server, live, key, before):
    """From the partition that requests are being stored in: no request is refused, no row lost."""
    days = live.partitions()
    live.drop(*(day for day in days if day <= 2))
    live.put(2, before)
    with Load(server, path_of(key), senders=8) as load:
        load.wait(50, 202)
        report, _ = live.maintain()
        # Only what was not there before is waited for.
        load.wait(50, 202)
    assert results(report) == dict.fromkeys(report, "done")
    assert report["move_default_rows"][1] >= 50 + before
    assert {entry.status for entry in load.sent} == {202}
    assert_staged_once(server, key, load)
    assert live.rows("signal_default") == 0
    assert live.rows() == len(load.sent) + before
    spans = live.psql("select partition_name, upper_bound - lower_bound > '24:00:00'"
                      " from sluice.partition_overview where table_name = 'signal'"
                      " and not is_default and lower_bound <= now() and upper_bound > now()")
    assert [span for _, span in spans] == [before > 0]
    assert live.psql("select distinct tableoid::regclass::text from sluice.signal"
                     " where key_id = %s", key["id"]) == [(f"sluice.{spans[0][0]}",)]
    assert live.psql("select * from sluice.missing_days('signal')"
                     " where missing_days >= date_trunc('day', now(), 'UTC')") == []


def test_rows_that_are_just_being_claimed_are_not_moved(database):
    """And the claim is good for them where they are afterwards."""
    database.drop(1)
    database.put(1, 3)
    with database.session() as consumer:
        consumer.execute("select array_agg(id) from sluice.claim_signals('c', 3, '1 hour')")
        (ids,) = consumer.fetchone()
        assert len(ids) == 3
        report, _ = database.maintain()
        assert report["move_default_rows"] == ("busy", 0)
        assert database.value("select message from sluice.maintenance_run"
                              " where step = 'move_default_rows'") == "signal is in use"
        consumer.connection.commit()
        report, _ = database.maintain()
        assert report["move_default_rows"] == ("done", 3)
        consumer.execute("select sluice.finish_signals(%s, 'completed')", [ids])
        assert consumer.fetchone() == (3,)
        consumer.connection.commit()
    assert database.psql("select distinct tableoid::regclass::text from sluice.signal") == [
        (f"sluice.{database.partitions()[1]}",)]
    assert database.psql("select distinct status::text from sluice.signal_staging") == [
        ("completed",)]


def test_what_is_out_of_range_makes_no_partition(database):
    database.maintain()  # the first run indexes the days that are over
    for days in (20000, 800, -30, -20000):
        database.put(days)
    before = database.partitions()
    report, _ = database.maintain()
    report.pop("count_rows")  # which may have seen them already
    assert set(report.values()) == {("done", 0)}
    assert database.partitions() == before
    assert database.rows("signal_default") == 4
    assert database.check("default_partitions")["result"] == "warning"


# ---- locks ----

def test_intake_goes_on_beside_a_long_reader(server, live, key):
    """As pg_dump, a transaction holds ACCESS SHARE on every table. Maintenance gives up, requests
    are answered, and what could not be done is done when the reader has gone."""
    live.keep(None)
    live.put(60, 5)
    live.put(50, 5, table="signal_cold_storage")
    live.maintain()
    live.drop(-7, -6)
    live.put(5, 5)
    live.drop(5)
    live.put(5, 5)
    live.psql("update sluice.retention set keep = '40 days'")
    past = live.value("select count(*) from sluice.partition_overview where past_retention")
    assert past > 20
    with live.session() as reader:
        reader.execute("select string_agg(oid::regclass::text, ', ') from pg_class"
                       " where relnamespace = 'sluice'::regnamespace and relkind in ('r', 'p')")
        reader.execute(f"lock table {reader.fetchone()[0]} in access share mode")
        with Load(server, path_of(key), senders=8) as load:
            load.wait(50, 202)
            before = load.count(202)
            report, _ = live.maintain()
            meanwhile = load.count(202) - before
            load.wait(50, 202)
        assert results(report) == {
            "move_default_rows": "busy", "make_partitions": "busy", "drop_partitions": "busy",
            **dict.fromkeys(("fold_product_orgs", "prune_default_rows", *ROW_STEPS), "done")}
        assert meanwhile > 0
        assert {entry.status for entry in load.sent} == {202}
        # The reader still has what it had.
        reader.execute("select count(*) from sluice.partition_bounds()"
                       " where upper_bound <= now() - interval '41 days'")
        assert reader.fetchone()[0] > 20
    report, _ = live.maintain()
    assert {step: did for step, did in report.items() if step not in ROW_STEPS} == {
        "fold_product_orgs": ("done", 0),
        "move_default_rows": ("done", 5), "make_partitions": ("done", 2),
        "drop_partitions": ("done", past), "prune_default_rows": ("done", 0)}
    assert {-7, -6, 5} < set(live.partitions())
    assert_staged_once(server, key, load)


def test_partitions_are_dropped_under_load(server, live, key):
    """Dropping takes the strongest lock of the table that requests are stored in."""
    live.keep(None)
    live.put(80)
    live.maintain()
    live.keep("10 days")
    past = live.value("select count(*) from sluice.partition_overview where past_retention")
    with Load(server, path_of(key), senders=8) as load:
        load.wait(50, 202)
        dropped = 0
        while dropped < past:
            report, _ = live.maintain()
            dropped += report["drop_partitions"][1]
            # Whether a run gets all its locks is a race: it says so, or nothing is left.
            assert report["drop_partitions"][0] == ("done" if dropped == past else "busy")
        load.wait(50, 202)
    assert dropped == past > 50
    assert {entry.status for entry in load.sent} == {202}
    assert_staged_once(server, key, load)


# ---- several at once ----

def test_another_run_is_at_a_step(database):
    """The other steps are done all the same; an advisory lock means nothing."""
    database.drop(-7)
    with database.session() as other:
        other.execute("select pg_advisory_lock(91725291414374);"
                      "select 1 from sluice.maintenance_step where name = 'make_partitions'"
                      " for update")
        report, stderr = database.maintain()
        assert stderr == "" and report["make_partitions"] == ("busy", 0)
        assert {result for step, result in results(report).items()
                if step != "make_partitions"} == {"done"}
        assert database.value("select message from sluice.maintenance_run where step ="
                              " 'make_partitions'") == 'another run is at step "make_partitions"'
    harness.wait_for(lambda: database.maintain()[0]["make_partitions"] == ("done", 1),
                     "the step is free again")


def test_several_at_once(database):
    database.keep(None)
    for days in range(10, 60, 5):
        database.put(days, 20)
    runs = [database.start("maintain", "--json") for _ in range(5)]
    reports = []
    for run in runs:
        stdout, stderr = run.communicate(timeout=300)
        assert (run.returncode, stderr) == (FINE, "")
        reports.append(json.loads(stdout))
    database.maintain()
    moved = sum(step["worked"] for report in reports for step in report["steps"]
                if step["step"] == "move_default_rows")
    assert moved == 200
    assert database.rows() == 200 and database.rows("signal_default") == 0
    assert database.psql("select * from sluice.missing_days('signal') where"
                         " missing_days > now() - interval '55 days'") == []


def test_functions_alone_may_meet(database):
    """Without the tool's lock, as by hand: the one does it, the other finds it done."""
    for days in range(10, 40):
        database.put(days)
    script = ("do $$ begin for i in 1..100 loop begin "
              "perform sluice.maintenance_do('move_default_rows', 5000); "
              "exception when lock_not_available then null; end; commit; end loop; end $$")
    psql = [database.program("psql"), "-Xq", "-v", "ON_ERROR_STOP=1", "-c", script]
    sessions = [subprocess.Popen(psql, env={**database.env, "PGUSER": "sluice_maintenance"},
                                 stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for session in sessions:
        _, stderr = session.communicate(timeout=300)
        assert (session.returncode, stderr) == (0, "")
    database.maintain()
    assert database.rows() == 30 and database.rows("signal_default") == 0


# ---- rights and steps ----

def test_rights(database):
    stderr = database.ctl("maintain", exits=FAILED, user="sluice_intake")
    assert NO_RIGHT in stderr and NO_RIGHT_HINT in stderr
    assert database.check("maintenance")["result"] == "ok"


def test_a_step_of_a_later_migration(database):
    """Called with a bound, again and again until it returns 0, in the place it asks for."""
    database.psql("""
        create table public.work as select n from generate_series(1, 12001) n;
        grant all on public.work to sluice_owner;
        set role sluice_owner;
        create function sluice.prune_work(max_rows integer) returns bigint language plpgsql
        set search_path = pg_catalog, pg_temp as $$
        declare n bigint; begin
            delete from public.work where ctid = any (array(
                select ctid from public.work limit max_rows));
            get diagnostics n = row_count; return n;
        end $$;
        insert into sluice.maintenance_step (name, position, unit, description)
        values ('prune_work', 250, 'rows', 'a test');""")
    report, _ = database.maintain()
    assert list(report) == ["fold_product_orgs", "move_default_rows", "make_partitions",
                            "prune_work", "drop_partitions", "prune_default_rows", *ROW_STEPS]
    assert report["prune_work"] == ("done", 12001)
    lines = database.ctl("maintain").splitlines()
    assert lines[0].split() == ["STEP", "RESULT", "WORKED", "UNIT", "MESSAGE"]
    assert lines[4].split() == ["prune_work", "done", "0", "rows", "-"]


def test_what_was_not_done_for_a_day_is_seen(database):
    assert database.check("maintenance")["result"] == "ok"
    database.psql("update sluice.maintenance_step set added_at = now() - interval '25 hours'")
    finding = database.check("maintenance")
    assert finding["result"] == "warning" and "make_partitions" in finding["detail"]
    database.maintain()
    assert database.check("maintenance")["result"] == "ok"
    database.psql("update sluice.maintenance_run set done_at = now() - interval '25 hours',"
                  " result = 'busy', message = 'signal is in use'"
                  " where step = 'drop_partitions'")
    assert database.check("maintenance")["detail"].startswith(
        "not done for a day: drop_partitions (busy, signal is in use)")


# ---- backups ----

def test_dump_and_restore(database):
    """After maintenance of all kinds the copy is like the original and can be maintained, too."""
    database.keep(None)
    database.drop(1, 2, 3)
    database.put(2, 6000)
    database.put(30, 10)
    database.put(800, 1)
    database.maintain()
    database.keep("20 days")
    database.maintain()
    dump = subprocess.run([database.program("pg_dump"), "-Fc", database.name], env=database.env,
                          stdout=subprocess.PIPE, check=True).stdout
    copy = Database(database.stack, f"{database.name}_copy")
    database.stack.psql(f"create database {copy.name}")
    try:
        subprocess.run([database.program("pg_restore"), "--exit-on-error", "-d", copy.name],
                       env=database.env, input=dump, check=True)
        overview = ("select table_name, partition_name, lower_bound, upper_bound"
                    " from sluice.partition_overview order by 1, 2")
        assert copy.psql(overview) == database.psql(overview)
        counts = "select tableoid::regclass::text, count(*) from sluice.signal group by 1"
        assert sorted(copy.psql(counts)) == sorted(database.psql(counts))
        assert copy.value("select keep::text from sluice.retention"
                          " where table_name = 'signal'") == "20 days"
        copy.drop(-7)
        copy.put(12, 4)
        copy.keep("15 days", "rejected_payload")
        report, _ = copy.maintain()
        assert results(report) == dict.fromkeys(report, "done")
        assert -7 in copy.partitions()
    finally:
        database.stack.psql(f"drop database {copy.name} with (force)")


# ---- the stack's own ----

def test_the_stack_is_maintained():
    """deploy/stack runs it at the start and while it is up, and ends it."""
    stack = harness.Stack(harness.FRONTS[0], "--maintain", "1")
    try:
        database = Database(stack, stack.env["PGDATABASE"])
        assert database.value("select count(*) from sluice.maintenance_run"
                              " where actor like 'sluicectl:sluice_maintenance@%%'") >= 4
        database.drop(-7)
        harness.wait_for(lambda: -7 in database.partitions(), "the partition is made again")
        status = subprocess.run([harness.ROOT / "deploy" / "stack", "status", "--dir", stack.dir],
                                stdout=subprocess.PIPE, text=True, check=True).stdout
        pid, = (int(line.split()[-1]) for line in status.splitlines()
                if line.startswith("maintenance "))
    finally:
        stack.close()
    harness.wait_for(lambda: not pathlib.Path("/proc", str(pid)).exists(), "it has ended")
