"""The tool for its tests: run with whatever a test changes of a stack's environment, and the
fixtures of these tests (conftest.py registers them)."""

import contextlib
import json
import os
import pty
import re
import secrets
import subprocess
import termios

import psycopg2
import pytest

import harness
from harness import wait_for
from settings_api import Search, days_from_now

MIGRATIONS = harness.ROOT / "sql-migrations"
FIRST = (MIGRATIONS / "0001_schema.sql").read_text()
MANUAL = harness.ROOT / "fcgi-app" / "man" / "sluicectl.1"
FINE, FAILED, USAGE, UNREACHABLE = range(4)


class Tool:
    """Runs sluicectl with the stack's environment and whatever a test changes of it."""

    def __init__(self, stack, **changes):
        self.stack = stack
        inherited = {name: value for name, value in os.environ.items()
                     if not name.startswith(("PG", "SLUICE_"))}
        self.env = {**inherited, **stack.env, "SLUICE_MIGRATIONS": str(MIGRATIONS), **changes}

    def start(self, *arguments, **options):
        return subprocess.Popen([self.stack.env["SLUICECTL"], *map(os.fspath, arguments)],
                                env=self.env, stdin=options.get("stdin"),
                                stdout=options.get("stdout", subprocess.PIPE),
                                stderr=subprocess.PIPE, text=True)

    def __call__(self, *arguments, exits=FINE, **options):
        process = self.start(*arguments, **options)
        stdout, stderr = process.communicate(timeout=120)
        process.stdout_text, process.stderr_text = stdout or "", stderr
        self.stack.credentials.update(harness.KEY.findall(stdout or ""),
                                      harness.SECRET.findall(stdout or ""),
                                      harness.TOKEN.findall(stdout or ""))
        assert process.returncode == exits, (arguments, process.returncode, stdout, stderr)
        assert (exits == FINE) or stderr.startswith("sluicectl: ") or "check" in arguments
        for line in process.stdout_text.split("\n"):
            assert line == line.rstrip(" "), f"trailing blanks: {line!r}"
        return process

    def json(self, *arguments, exits=FINE):
        text = self("--json", *arguments, exits=exits).stdout_text
        assert text.count("\n") == 1 and text.endswith("\n")
        return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))

    def refused_after_rows(self, *arguments):
        """The message of a command that has shown something before."""
        process = self(*arguments, exits=FAILED)
        assert process.stdout_text
        return process.stderr_text

    def refused(self, *arguments, exits=FAILED):
        process = self(*arguments, exits=exits)
        assert process.stdout_text == ""
        return process.stderr_text


class ToolSearch(Search):
    """The same searches by a command of the tool, with the filters that the API has."""

    def __init__(self, stack, command, organization, rows):
        super().__init__(stack, command, organization, rows)
        self.words = [*command.split(), "--organization", organization]

    def answer(self, **filters):
        """One that is empty filters nothing, and is left out."""
        return self.stack.ctl_json(*self.words, *(
            self.option(name, value) for name, value in filters.items() if value != ""))

    @staticmethod
    def option(name, value):
        text = days_from_now(value) if isinstance(value, float) else str(value)
        options = {"from_": "since", "product_org_id": "product-org"}
        return text if name == "identity" else \
            f"--{options.get(name, name.replace('_', '-'))}={text}"

    def by_hints(self, limit):
        """The ids in its tables, each of which is gone on with as the one before said."""
        ids, more = [], []
        while more is not None:
            done = self.stack.ctl_run(*self.words, "--limit", limit, *more)
            rows = [int(line.split()[0]) for line in done.stdout.splitlines()[1:]]
            assert len(rows) <= limit
            ids += rows
            hint = re.fullmatch(r"searched until \S+Z; go on with (--before) (\d+)\n|", done.stderr)
            more = hint[1] and [*hint.groups()]
        return ids

    def saved(self, form, *options):
        return self.stack.ctl(*self.words, "--format", form, *options)


class Terminal:
    """A tool that runs at a terminal of its own."""

    def __init__(self, tool, *arguments, columns=None, **changes):
        self.master, slave = pty.openpty()
        if columns:
            termios.tcsetwinsize(slave, (24, columns))
        self.process = subprocess.Popen([tool.stack.env["SLUICECTL"], *map(os.fspath, arguments)],
                                        env={**tool.env, **changes}, stdin=slave, stdout=slave,
                                        stderr=slave)
        os.close(slave)
        os.set_blocking(self.master, False)
        self.shown = ""

    def read(self):
        try:
            self.shown += os.read(self.master, 65536).decode(errors="replace").replace("\r\n", "\n")
        except BlockingIOError:
            pass
        except OSError:  # the tool has ended
            return True
        return self.process.poll() is not None

    def answer(self, question, text):
        wait_for(lambda: self.read() or self.shown.endswith(question), f"it asks {question!r}")
        assert self.shown.endswith(question), self.shown
        os.write(self.master, text.encode())

    def end(self):
        wait_for(self.read, "the tool ends")
        while not self.read() or self.process.poll() is None:
            pass
        os.close(self.master)
        return self.process.wait()


@pytest.fixture
def tool(stack):
    return Tool(stack)


@pytest.fixture
def organization(tool):
    name = f"Tool {secrets.token_hex(6)}"
    tool("organization", "create", name)
    return name


@contextlib.contextmanager
def scratch(stack):
    """A database of its own, empty; yields a tool that is connected to it, and its SQL."""
    name = f"tool_{secrets.token_hex(6)}"
    stack.psql(f"create database {name}")
    other = Tool(stack, PGDATABASE=name)

    def psql(sql):
        with contextlib.closing(psycopg2.connect(
                host=stack.env["PGHOST"], port=stack.env["PGPORT"], dbname=name,
                user=stack.env["PGUSER"])) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []

    other.psql = psql
    try:
        yield other
    finally:
        stack.psql(f"drop database {name} with (force)")


@pytest.fixture
def database(stack):
    with scratch(stack) as made:
        yield made


def files_in(directory, **contents):
    """Writes NNNN_what.sql files: n1_a="SELECT 1" makes 0001_a.sql."""
    directory.mkdir(exist_ok=True)
    for name, text in contents.items():
        number, what = name[1:].split("_", 1)
        (directory / f"{int(number):04d}_{what}.sql").write_text(text)
    return directory


@pytest.fixture
def small(tmp_path):
    """A directory with three migrations."""
    return files_in(tmp_path / "migrations", n1_first=FIRST,
                    n2_second="CREATE TABLE sluice.second (a integer);\nCREATE INDEX ON "
                              "sluice.second (a);\n", n3_third="DROP TABLE sluice.second")
