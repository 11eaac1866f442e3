"""Completion of the tool in bash: what is offered is what the tool takes."""

import os
import subprocess

import pytest

from harness import ENVIRONMENT, ROOT

FILE = ROOT / "deploy" / "completion" / "sluicectl.bash"
# Completes the last of the words, as bash does it when the tabulator is pressed.
COMPLETE = """
. "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_sluicectl
printf '%s\\n' "${COMPREPLY[@]}"
"""


pytestmark = pytest.mark.first_front


@pytest.fixture
def complete(stack):
    def words_for(*words):
        done = subprocess.run(
            ["bash", "-c", COMPLETE, "bash", str(FILE), "sluicectl", *words], text=True,
            capture_output=True, check=True, env={
                **ENVIRONMENT,
                "PATH": f"{os.path.dirname(stack.env['SLUICECTL'])}:{os.environ['PATH']}"})
        assert done.stderr == ""
        return done.stdout.split()
    return words_for


def test_commands(complete, tool):
    commands = [entry["command"].split() for entry in tool.json("help")["commands"]]
    assert complete("") == sorted({words[0] for words in commands})
    for noun in {words[0] for words in commands}:
        verbs = sorted(words[1] for words in commands if words[0] == noun and len(words) > 1)
        assert complete(noun, "") == verbs, noun
    assert complete("mig") == ["migrate"]
    assert complete("key", "de") == ["deactivate"]
    assert complete("nonsense", "") == []


def test_options(complete, tool):
    for entry in tool.json("help")["commands"]:
        assert complete(*entry["command"].split(), "-") == sorted(
            option["option"] for option in entry["options"]), entry["command"]
    assert complete("key", "create", "--organization", "x", "--en") == ["--endpoint"]


def test_choices(complete, tool):
    for entry in tool.json("help")["commands"]:
        for option in entry["options"]:
            if option["choices"]:
                assert complete(*entry["command"].split(), option["option"], "") == sorted(
                    option["choices"]), (entry["command"], option["option"])


def test_values(complete):
    assert complete("member", "add", "--role", "") == ["admin", "editor", "owner", "viewer"]
    assert complete("key", "create", "--endpoint", "p") == ["product_orgs"]
    assert complete("key", "create", "--template", str(FILE)[:-5]) == [str(FILE)]
