"""An upgrade to a next version, which is made up, while the workers of this one go on.

The next version is this one's files and a numbered one more, which adds columns, a table and a type
as workers of the next version would pass it; and views and functions that changed, among them those
that run meanwhile.
"""

import contextlib
import shutil
import threading

import psycopg2
import pytest

from consumers import Consumer, Follower
from harness import Load, accepted_id, assert_staged_once, org_path, path_of, send, wait_for
from sluicectl import FAILED, FINE, MIGRATIONS, Tool, files_in

pytestmark = [pytest.mark.first_front, pytest.mark.database]

VERSION = len(list(MIGRATIONS.glob("[0-9]*.sql")))
NEXT = """
SET LOCAL ROLE sluice_owner;
ALTER TABLE sluice.signal ADD COLUMN region text;
ALTER TABLE sluice.signal_cold_storage ADD COLUMN region text;
CREATE TABLE sluice.region (name text PRIMARY KEY);
CREATE TYPE sluice.intake_signal_of_next AS (sender integer, region text);
RESET ROLE;
"""
NEXT_FUNCTION = """
SET LOCAL ROLE sluice_owner;
CREATE OR REPLACE FUNCTION sluice.intake_ordinary(senders sluice.intake_sender[],
    signals sluice.intake_signal_of_next[]) RETURNS bigint LANGUAGE sql RETURN 0;
COMMENT ON FUNCTION sluice.intake_ordinary(sluice.intake_sender[],
    sluice.intake_signal_of_next[]) IS 'as workers of the next version call it';
GRANT EXECUTE ON FUNCTION sluice.intake_ordinary(sluice.intake_sender[],
    sluice.intake_signal_of_next[]) TO sluice_intake;
RESET ROLE;
"""
CHANGES = {
    "functions/consumers.sql": ("30 * 4.0", "60 * 4.0"),
    "views/staging.sql": ("    s.stored_xact\nFROM sluice.signal AS s",
                          "    s.stored_xact, s.region\nFROM sluice.signal AS s"),
}


def change(file, old, new):
    text = file.read_text()
    assert old in text, (file, old)
    file.write_text(text.replace(old, new))


@pytest.fixture
def files(tmp_path):
    """The next version's."""
    files = tmp_path / "next"
    shutil.copytree(MIGRATIONS, files)
    files_in(files, **{f"n{VERSION + 1}_next": NEXT})
    for name, (old, new) in CHANGES.items():
        change(files / name, old, new)
    for name in ("intake.sql", "usage.sql"):
        # All functions of a file change, so that those that run are replaced.
        change(files / "functions" / name, "\nBEGIN\n", "\nBEGIN -- of the next version\n")
    with (files / "functions" / "intake.sql").open("a") as file:
        file.write(NEXT_FUNCTION)
    return files


class Traffic:
    """All that goes on meanwhile: senders on each way of the intake, a consumer, a follower."""

    def __init__(self, stack):
        self.stack = stack
        self.keys = {"ordinary": stack.new_key(), "general": stack.new_key(),
                     "product orgs": stack.new_product_key()}
        self.stopping, self.finished, self.failures = threading.Event(), [], []

    def __enter__(self):
        self.closing = contextlib.ExitStack()
        ordinary, general, orgs = self.keys.values()
        self.follower = self.closing.enter_context(Follower(self.stack))
        self.loads = [
            self.closing.enter_context(load) for load in (
                Load(self.stack, path_of(ordinary), senders=4),
                Load(self.stack, path_of(general), senders=2, body=lambda number: (
                    b'{"email":"a@example.com","messageId":"m-%d","number":%d}'
                    % (number, number))),
                Load(self.stack, org_path(orgs), senders=2,
                     body=lambda number: b'{"groupId":"g","number":%d}' % number))]
        self.threads = [threading.Thread(target=self.repeat, args=[work])
                        for work in (self.consume, self.follower.step)]
        for thread in self.threads:
            thread.start()
        return self

    def repeat(self, work):
        """A statement that waits while its row type gets a column fails, and is done again."""
        retried = 0
        try:
            with Consumer(self.stack) as consumer:
                while not self.stopping.is_set():
                    try:
                        work(*([consumer] if work == self.consume else []))
                    except psycopg2.errors.DatatypeMismatch:
                        retried += 1
            assert retried <= 1
        except Exception as error:
            self.failures.append(error)

    def consume(self, consumer):
        batch = consumer.claim(50)
        self.finished += batch
        assert consumer.finish(batch) == len(batch)

    def wait(self, more=50):
        done = len(self.finished)
        for load in self.loads:
            load.wait(more, 202)
        wait_for(lambda: self.failures or len(self.finished) > done, "rows are finished")

    def __exit__(self, *unused):
        try:
            for load in self.loads:
                load.stop()
        finally:
            self.stopping.set()
            for thread in self.threads:
                thread.join()
            if not self.failures:
                self.follower.step()
            self.closing.close()

    def check(self):
        """No request was refused, nothing is lost, and all of it came once."""
        assert not self.failures, "\n".join(map(str, self.failures))
        for load in self.loads:
            assert {entry.status for entry in load.sent} == {202}
        accepted = []
        for key, load in zip(list(self.keys.values())[:2], self.loads, strict=False):
            assert_staged_once(self.stack, key, load)
            accepted += load.accepted()
        with Consumer(self.stack) as consumer:
            while batch := consumer.claim(1000):
                self.finished += batch
                consumer.finish(batch)
        assert sorted(self.finished) == sorted(accepted) == sorted(self.follower.seen.elements())
        assert self.stack.psql(
            "select count(*), count(distinct payload->>'number') from sluice.product_org_staging"
            " where key_id = %s", self.keys["product orgs"]["id"]
        ) == [(len(self.loads[2].sent),) * 2]


def fit_for_use(tool):
    return {finding["result"] for finding in tool.json("check")["findings"]} == {"ok"}


def test_workers_of_this_version_go_on(stack_of_its_own, files):
    """Their consumers too, whose rows get a column meanwhile; the settings answer."""
    stack = stack_of_its_own
    workers, next_tool = stack.workers(), Tool(stack, SLUICE_MIGRATIONS=str(files))
    with Traffic(stack) as traffic:
        traffic.wait()
        assert Tool(stack)("migrate").stdout_text.endswith(
            f"nothing to apply: the schema is at version {VERSION}\n")
        runs = [next_tool.start("migrate", "--json") for _ in range(2)]
        reports = [run.communicate(timeout=120)[0] for run in runs]
        assert [run.returncode for run in runs] == [FINE] * 2
        assert sorted(f'"name":"{VERSION + 1:04d}_next.sql"' in report
                      for report in reports) == [False, True]
        traffic.wait()
    traffic.check()
    assert stack.workers() == workers
    assert fit_for_use(next_tool)
    older = Tool(stack)("migrate", exits=FAILED)
    assert "the database is newer than the files" in older.stderr_text
    assert stack.psql("select count(*), count(region) from sluice.signal_staging")[0][1] == 0
    assert accepted_id(send(stack, path_of(stack.new_key()))) > 0


def test_what_is_due_is_shown_and_changes_nothing(stack_of_its_own, files):
    stack = stack_of_its_own
    before = stack.psql("select prosrc from pg_proc where proname = 'retry_delay'")
    tool = Tool(stack, SLUICE_MIGRATIONS=str(files))
    planned = tool.json("migrate", "--dry-run")
    assert [file["name"] for file in planned["due"]] == [f"{VERSION + 1:04d}_next.sql"]
    assert "functions/consumers.sql" in planned["files_due"]
    # Without the numbered file the functions alone are due, and shown as they would be.
    (files / f"{VERSION + 1:04d}_next.sql").unlink()
    shutil.copy(MIGRATIONS / "functions" / "intake.sql", files / "functions")
    shutil.copy(MIGRATIONS / "views" / "staging.sql", files / "views")
    with Traffic(stack) as traffic:
        text = tool("migrate", "--dry-run").stdout_text
        traffic.wait()
    traffic.check()
    assert "\nchanged function sluice.retry_delay(integer):\n" in text
    lines = [line for line in text.splitlines() if line[:1] in ("-", "+") and "4.0" in line]
    assert [line[0] for line in lines] == ["-", "+"] and "60 * 4.0" in lines[1]
    assert stack.psql("select prosrc from pg_proc where proname = 'retry_delay'") == before


def test_a_numbered_file_that_changed_is_refused(stack_of_its_own, files):
    """And nothing of the next version is applied."""
    stack = stack_of_its_own
    change(files / "0003_staging.sql", "source text NOT NULL", "source text")
    for options in ([], ["--dry-run"], ["--repair"]):
        refused = Tool(stack, SLUICE_MIGRATIONS=str(files))("migrate", *options, exits=FAILED)
        assert '"0003_staging.sql" was changed after it was applied on 2' in refused.stderr_text
    assert stack.psql("select max(version) from sluice.schema_migration") == [(VERSION,)]
    assert fit_for_use(Tool(stack))


def test_intake_does_not_wait_behind_a_migration_that_waits(stack_of_its_own, files):
    """A dump holds what the migration wants to alter, for longer than the migration tries; and for
    a while of its next run."""
    stack = stack_of_its_own
    tool = Tool(stack, SLUICE_MIGRATIONS=str(files))
    with Consumer(stack, user="postgres") as dump, Traffic(stack) as traffic:
        dump.connection.autocommit = False
        dump.query("lock table sluice.signal in access share mode")
        traffic.wait()
        refused = tool("migrate", exits=FAILED)
        assert "HINT: a dump or another long transaction" in refused.stderr_text
        assert tool.json("migrate", "--dry-run")["version"] == VERSION
        traffic.wait()
        run = tool.start("migrate")
        warning = run.stderr.readline()
        assert warning == (f'sluicectl: warning: "{VERSION + 1:04d}_next.sql" needs a table '
                           'that is in use; trying again\n')
        traffic.wait()
        dump.connection.rollback()
        stdout, stderr = run.communicate(timeout=120)
        assert (run.returncode, stderr) == (FINE, ""), stderr
        assert f"applied {VERSION + 1:04d}_next.sql\n" in stdout
        traffic.wait()
    traffic.check()
    assert fit_for_use(tool)
