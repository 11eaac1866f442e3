"""sluicectl organization and member, and what a terminal is shown."""

import os
import secrets

import pytest

from sluicectl import USAGE

pytestmark = pytest.mark.first_front


@pytest.mark.parametrize("name", ["x", "ü" * 192, "O'Reilly \"& Söhne\" \\ %s $1", "-- ;"])
def test_organization_names(tool, stack, name):
    name += secrets.token_hex(4)
    made = tool.json("organization", "create", "--", f" {name}\u00a0")
    assert made["name"] == name
    assert stack.psql("select name from sluice.organization where id = %s", made["id"]) == [
        (name,)]
    listed, = [entry for entry in tool.json("organization", "list")["organizations"]
               if entry["id"] == made["id"]]
    assert listed["name"] == name and listed["members"] == listed["keys"] == 0
    assert set(listed) == {"id", "name", "members", "keys", "currency", "created_at",
                           "created_by"}


@pytest.mark.parametrize("name, message", [
    ("", "organization name is missing"),
    ("x" * 201, "longer than 200 characters"),
    ("a\nb", "contains a control character"),
    ("a\x1b[31mb", "contains a control character"),
    (os.fsdecode(b"\xff\xfe"), "invalid byte sequence"),
])
def test_organization_names_refused(tool, name, message):
    assert message in tool.refused("organization", "create", name)


def test_organization_twice(tool, organization):
    assert tool.refused("organization", "create", organization) == (
        f'sluicectl: organization "{organization}" already exists\n')
    assert tool.refused("organization", "create", f" {organization.upper()} ") == (
        f'sluicectl: organization "{organization}" already exists\n')


def test_another_spelling_of_a_name(tool, organization):
    assert tool.refused("key", "list", "--organization", organization.lower()) == (
        f'sluicectl: organization "{organization.lower()}" does not exist\n'
        f'HINT: did you mean "{organization}"?\n')


def test_members(tool, stack, organization):
    def change(verb, user, *options, **more):
        return tool.json("member", verb, "--organization", organization, "--user", user, *options,
                         **more)

    added = change("add", "oscar", "--role", "owner")
    assert (added["user"], added["role"]) == ("oscar", "owner")
    change("add", "violet", "--role=viewer")
    listed = tool.json("member", "list", "--organization", organization)["members"]
    assert [(entry["user"], entry["role"]) for entry in listed] == [
        ("oscar", "owner"), ("violet", "viewer")]
    assert set(listed[0]) == {"user", "role", "added_at", "added_by"}
    common = ("member", "add", "--organization", organization)
    assert "already has the owner" in tool.refused(*common, "--user", "otto", "--role", "owner")
    assert "already a member" in tool.refused(*common, "--user", "violet", "--role", "admin")
    assert "role must be" in tool.refused(*common, "--user", "kim", "--role", "king",
                                          exits=USAGE)
    assert change("remove", "violet") == {"user": "violet", "removed": True}
    assert "is not a member" in tool.refused("member", "remove", "--organization", organization,
                                             "--user", "violet")
    assert "does not exist" in tool.refused("member", "list", "--organization", "no such one")
    table = tool("member", "list", "--organization", organization).stdout_text.splitlines()
    assert len(table) == 2 and table[0].split() == ["USER", "ROLE", "ADDED", "BY"]


def test_names_on_a_terminal(tool):
    """What would hide or reorder text is escaped, and columns stay aligned."""
    tag = secrets.token_hex(4)
    tool("organization", "create", f"{tag} a\u202egnp.exe")
    tool("organization", "create", f"{tag} Grüße…")
    lines = tool("organization", "list").stdout_text.splitlines()
    found = [line for line in lines if tag in line]
    assert any("a\\u202egnp.exe" in line for line in found)
    assert len(found) == 2
    assert len({line.index("  0  ", line.index(tag)) for line in found}) == 1


def test_messages_on_a_terminal(tool):
    stderr = tool.refused("key", "show", "\x1b[31m1\n\x9b\x7f", exits=USAGE)
    assert '"\\u001b[31m1\\n\\u009b\\u007f"' in stderr
    stderr = tool.refused("key", "show", os.fsdecode(b"\xff\xc0\xaf\xed\xa0\x80"), exits=USAGE)
    assert "\\xff\\xc0\\xaf\\xed\\xa0\\x80" in stderr


def test_organization_rename(tool, organization):
    renamed = tool.json("organization", "rename", organization, "--name", f"{organization} Ltd")
    assert renamed["name"] == f"{organization} Ltd"
    listed = {entry["id"]: entry["name"]
              for entry in tool.json("organization", "list")["organizations"]}
    assert listed[renamed["id"]] == renamed["name"]
    assert "does not exist" in tool.refused("organization", "rename", organization, "--name", "x")
    text = tool("organization", "rename", renamed["name"], "--name", organization).stdout_text
    assert text == f'renamed organization "{organization}" with id {renamed["id"]}\n'
