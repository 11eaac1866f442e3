"""sluicectl setup: what it asks at a terminal, and that it asks nowhere else. What it does is
tested on the cluster of a Debian system (tests/package/test_setup.py)."""

import os
import pty
import re
import subprocess

import pytest

from sluicectl import FINE, USAGE, Terminal, Tool

pytestmark = pytest.mark.first_front


def databases(stack):
    return {name for name, in stack.psql("select datname from pg_database")}


def test_questions_at_a_terminal(stack, tool):
    before = databases(stack)
    terminal = Terminal(tool, "setup", "--dry-run", "--admin", "dba")
    terminal.answer("database [sluice]: ", "asked_for\n")
    terminal.answer("address of workers on another host [none]: ", "192.0.2.10\n")
    assert terminal.end() == FINE
    assert "would do  CREATE DATABASE asked_for " in terminal.shown
    assert re.search(r"^hostssl +asked_for +sluice_intake,\S+ +192\.0\.2\.10/32 +scram-sha-256$",
                     terminal.shown, re.M), terminal.shown
    assert "then as dba: PGDATABASE=asked_for" in terminal.shown
    assert databases(stack) == before


def test_nothing_is_done_without_consent(stack, tool):
    before = databases(stack)
    terminal = Terminal(tool, "setup", "--database", "asked_for")
    terminal.answer("user of the system that may run sluicectl [root]: ", "\n")
    terminal.answer("address of workers on another host [none]: ", "\n")
    terminal.answer("\nDo this [yes]: ", "no\n")
    assert terminal.end() == FINE
    assert "would do  CREATE DATABASE asked_for " in terminal.shown
    assert databases(stack) == before


def test_the_end_of_input_is_no_answer(stack, tool):
    terminal = Terminal(tool, "setup")
    terminal.answer("database [sluice]: ", "\x04")
    assert terminal.end() == USAGE
    assert "there was no answer\n" in terminal.shown


@pytest.mark.parametrize("options", [
    ("--json",), ("--database", "asked_for", "--admin", "dba", "--from", "192.0.2.0/24")])
def test_no_question_that_is_answered(stack, tool, options):
    terminal = Terminal(tool, "setup", "--dry-run", *options)
    assert terminal.end() == FINE
    assert "]: " not in terminal.shown


def test_no_question_without_a_terminal(stack, tool):
    terminal, slave = pty.openpty()  # of input alone, as before a pipe
    done = subprocess.run([stack.env["SLUICECTL"], "setup", "--dry-run", "--database", "asked_for"],
                          env=tool.env, stdin=slave, capture_output=True, text=True, timeout=60,
                          check=False)
    os.close(slave)
    os.close(terminal)
    assert done.returncode == FINE, done.stderr
    assert "]: " not in done.stdout and "would do  CREATE DATABASE asked_for " in done.stdout


@pytest.mark.parametrize("options", [
    ("--database", "all"), ("--database", "a b"), ("--database", "@file"), ("--database", ""),
    ("--from", "samenet"), ("--from", "192.0.2.10/33"), ("--from", "192.0.2/24"),
    ("--from", "192.0.2.10/32 trust"), ("--from", "::1/129"), ("--from", "example.com")])
def test_what_pg_hba_would_misread_is_refused(stack, tool, options):
    assert tool.refused("setup", "--dry-run", *options, exits=USAGE).startswith("sluicectl: \"")


def test_consent(stack_of_its_own):
    """All of it, on a cluster that may be changed; again there is only the schema to look at."""
    tool = Tool(stack_of_its_own)
    for database in ("set_up", "set_up"):
        terminal = Terminal(tool, "setup", "--admin", "dba", "--from", "2001:db8::/64")
        terminal.answer("database [sluice]: ", f"{database}\n")
        terminal.answer("\nDo this [yes]: ", "\n")
        assert terminal.end() == FINE, terminal.shown
    assert "already done" in terminal.shown
    rules = stack_of_its_own.psql("select database, error from pg_hba_file_rules"
                                  " where error is not null or database = '{set_up}'")
    assert rules == [(["set_up"], "hostssl record cannot match because SSL is disabled"),
                     (["set_up"], None)]
