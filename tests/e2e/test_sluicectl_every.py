"""What every command of sluicectl does alike: each test walks the commands of the tool's own help,
so that a new one cannot be forgotten. How to call a command so that it succeeds is in CALLS."""

import json
import os
import re
import secrets
import signal
import subprocess
import unicodedata

import pytest

import harness
from harness import accepted_id, openapi, org_path, path_of, send
from settings_api import post
from sluicectl import FAILED, FINE, USAGE, Terminal, Tool

pytestmark = pytest.mark.first_front

BUILT = harness.BUILD / "sluicectl"
COMMANDS = {entry["command"]: entry for entry in json.loads(subprocess.run(
    [BUILT, "help", "--json"], capture_output=True, check=True).stdout)["commands"]}
EVERY = pytest.mark.parametrize("command", COMMANDS)
# They print without end, or several objects: an object a line.
STREAMS = {"tail", "rejected replay"}
# These change nothing that another call would miss, and print a table.
LISTS = {
    "organization list": "organizations", "member list": "members", "key list": "keys",
    "token list": "tokens",
    "usage": "usage", "signal list": "signals", "product-org list": "product_orgs",
    "product-org show": "updates", "product-org updates": "product_orgs", "audit": "entries",
    "rejected list": "rejects", "rejected kinds": "kinds", "key volumes": "volumes",
    "person show": "signals", "retention list": "tables"}
WIDE = "日本語の会社 with a name that is longer than any terminal is wide " * 2


class World:
    """An organization with something in every list."""

    def __init__(self, stack):
        self.stack = stack
        self.tool = Tool(stack)
        self.organization = f"Every {os.urandom(4).hex()}"
        for name in (self.organization, f"{self.organization} {WIDE}"[:150]):
            self.tool("organization", "create", name)
        for user, role in (("every-olga", "owner"), ("every-vera", "viewer")):
            self.tool("member", "add", "--organization", self.organization, "--user", user,
                      "--role", role)
        self.signals = stack.new_key(self.organization, name=WIDE[:190])
        self.orgs = stack.new_product_key(organization=self.organization)
        for email in ("jane@example.com", "john@example.com"):
            for _ in range(2):
                accepted_id(send(stack, path_of(self.signals),
                                 json.dumps({"email": email, "event": WIDE}).encode()))
        for group in ("g1", "g2", "g1"):
            accepted_id(send(stack, org_path(self.orgs),
                             json.dumps({"groupId": group}).encode()))
        for _ in range(2):
            send(stack, path_of(self.signals), b'[{"email":"ok@example.com"},7]')
            self.tool("token", "create", *token(self))
        send(stack, path_of(self.signals), b"{")

    @property
    def reject(self):
        return self.tool.json("rejected", "list", "--organization",
                              self.organization)["rejects"][0]["id"]

    def key(self, *options):
        return str(self.tool.json("key", "create", "--organization", self.organization, "--name",
                                  f"one {secrets.token_hex(4)}", *options)["id"])


def organization(world):
    return ["--organization", world.organization]


def files(path):
    template, payload = path / "template.json", path / "payload.json"
    template.write_text('{"product_org_id": "groupId"}')
    payload.write_text('{"groupId": "g1"}')
    return template, payload


def key_file(path, world):
    file = path / "key.txt"
    file.write_text(world.signals["key"])
    return file


def repaired(path):
    file = path / "repaired.json"
    file.write_text('{"email":"repaired@example.com"}')
    return file


# command: its arguments
CALLS = {
    "setup": lambda world, path: ["--dry-run", "--database", "every"],
    "migrate": lambda world, path: ["--dry-run"],
    "maintain": lambda world, path: [],
    "organization create": lambda world, path: [f"New {os.urandom(4).hex()}"],
    "organization rename": lambda world, path: [world.organization, "--name", world.organization],
    "organization currency": lambda world, path: [world.organization, "--currency", "USD"],
    "organization list": lambda world, path: [],
    "organization limit": lambda world, path: [world.organization, "--signals", "0"],
    "usage": lambda world, path: [],
    "stats": lambda world, path: organization(world),
    "signal list": lambda world, path: organization(world),
    "tail": lambda world, path: organization(world),
    "product-org list": lambda world, path: organization(world),
    "product-org show": lambda world, path: ["g1", *organization(world)],
    "product-org updates": lambda world, path: organization(world),
    "audit": lambda world, path: organization(world),
    "member add": lambda world, path: [*organization(world), "--user", os.urandom(4).hex(),
                                       "--role", "viewer"],
    "member list": lambda world, path: organization(world),
    "member role": lambda world, path: [*organization(world), "--user", "every-vera", "--role",
                                        "editor"],
    "member remove": lambda world, path: [*organization(world), "--user", leaver(world)],
    "key create": lambda world, path: [*organization(world), "--name", os.urandom(4).hex()],
    "key list": lambda world, path: organization(world),
    "key show": lambda world, path: [str(world.orgs["id"])],
    "key find": lambda world, path: [key_file(path, world)],
    "key edit": lambda world, path: [str(world.orgs["id"]), "--name", "edited"],
    "key rotate": lambda world, path: [world.key()],
    "key history": lambda world, path: [str(world.signals["id"])],
    "key refusals": lambda world, path: [str(world.signals["id"])],
    "key test": lambda world, path: [str(world.signals["id"])],
    "key volumes": lambda world, path: organization(world),
    "key networks": lambda world, path: [str(world.signals["id"]), "--allow", "all"],
    "key snippet": lambda world, path: [str(world.signals["id"])],
    "key deactivate": lambda world, path: [world.key()],
    "token create": lambda world, path: token(world),
    "token list": lambda world, path: organization(world),
    "token revoke": lambda world, path: [str(world.tool.json("token", "create",
                                                             *token(world))["id"])],
    "secret enable": lambda world, path: [world.key()],
    "secret rotate": lambda world, path: [world.key("--secret")],
    "secret retire": lambda world, path: [overlapping(world)],
    "secret remove": lambda world, path: [world.key("--secret")],
    "template try": lambda world, path: [
        part for pair in zip(("--template", "--payload"), files(path), strict=True)
        for part in pair],
    "rejected list": lambda world, path: organization(world),
    "rejected kinds": lambda world, path: organization(world),
    "rejected show": lambda world, path: [str(world.reject)],
    "rejected discard": lambda world, path: [str(open_reject(world))],
    "rejected replay": lambda world, path: [str(world.reject), "--file", repaired(path), "--again"],
    "person show": lambda world, path: ["jane@example.com", *organization(world)],
    "person delete": lambda world, path: ["nobody@example.com", *organization(world)],
    "retention list": lambda world, path: [],
    "retention set": lambda world, path: ["rejected_payload", "--keep", "30d"],
    "config": lambda world, path: [],
    "check": lambda world, path: [],
    "top": lambda world, path: ["--once", "--interval", "1"],
    "version": lambda world, path: [],
    "help": lambda world, path: [],
}


def token(world):
    return [*organization(world), "--user", "every-olga", "--name", WIDE[:190], "--scope", "read",
            "--scope", "keys", "--expires", "1d"]


def leaver(world):
    user = os.urandom(4).hex()
    world.tool("member", "add", *organization(world), "--user", user, "--role", "viewer")
    return user


def open_reject(world):
    send(world.stack, path_of(world.signals), b'[{"email":"ok@example.com"},7]')
    return world.tool.json("rejected", "list", *organization(world), "--state",
                           "open")["rejects"][0]["id"]


def overlapping(world):
    key = world.key("--secret")
    world.tool("secret", "rotate", key)
    return key


@pytest.fixture(scope="module")
def world(stack):
    return World(stack)


def call(world, command, path):
    return [*command.split(), *CALLS[command](world, path)]


def read_stream(tool, arguments):
    """The first line of a command that goes on until it is interrupted."""
    process = tool.start(*arguments)
    line = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    return line


def needed(entry):
    return [option for option in entry["options"] if option["required"]]


def test_every_command_has_a_call():
    assert set(CALLS) == set(COMMANDS)
    limited = {command for command, entry in COMMANDS.items()
               if any(option["option"] == "--limit" for option in entry["options"])}
    assert set(LISTS) == limited - {"key history"}, "which is no table"
    assert {command for command in COMMANDS if command.endswith(" list")} <= set(LISTS)


# ---- help, and what is mistyped ----

@EVERY
def test_help(tool, command):
    asked = tool(*command.split(), "--help").stdout_text
    assert asked.startswith(f"usage: sluicectl {command}" if command != "help" else "usage: ")
    assert tool(*command.split(), "-h").stdout_text == asked
    # Whatever else is wrong or missing, and without a database.
    assert Tool(tool.stack, PGHOST="/nowhere")("-h", *command.split()).stdout_text == asked


def usage_of(command):
    return f"\nusage: sluicectl {command}", f'\n"sluicectl help {command}" says more.\n'


@EVERY
def test_wrong_usage_is_followed_by_the_commands_own_help(stack, command):
    tool = Tool(stack, PGHOST="/nowhere")
    words = command.split()
    wrong = [[*words, "--frobnicate"], ["--frobnicate", *words], [*words, "a", "b", "c", "d"],
             [*words, "--config"], [*words, "--json", "--json"]]
    if command == "help":
        wrong.remove([*words, "--frobnicate"])
        wrong.remove(["--frobnicate", *words])
    if needed(COMMANDS[command]):
        wrong.append([*words, *(["x"] if " " in command else [])])
    for arguments in wrong:
        stderr = tool.refused(*arguments, exits=USAGE)
        for part in usage_of(command):
            assert part in stderr, arguments


@EVERY
def test_what_was_probably_meant(tool, command):
    for option in COMMANDS[command]["options"]:
        name = option["option"]
        mistyped = name + "x"
        stderr = tool.refused(*command.split(), f"{mistyped}=x", exits=USAGE)
        assert f'unknown option "{mistyped}"\nHINT: did you mean "{name}"?\n' in stderr
    *noun, last = command.split()
    stderr = tool.refused(*noun, f"{last}e", exits=USAGE)
    assert f'HINT: did you mean "{last}"?' in stderr


@EVERY
def test_configuration_that_is_not_there(tool, command):
    entry = COMMANDS[command]
    values = {option["option"]: (option["choices"] or ["1"])[0] for option in needed(entry)}
    words = [*command.split(), *(part for pair in values.items() for part in pair)]
    if re.match(rf"{command} [A-Z]", entry["synopsis"]):
        words.append("1")
    if command == "help":
        pytest.skip("it is not run")
    assert 'configuration file "/nowhere/sluice.conf": No such file' in tool.refused(
        *words, "--config", "/nowhere/sluice.conf")


# ---- values ----

def choices():
    return [(command, option["option"], option["choices"]) for command, entry in COMMANDS.items()
            for option in entry["options"] if option["choices"]]


@pytest.mark.parametrize("command, option, values", choices(),
                         ids=lambda value: value if isinstance(value, str) else "")
def test_a_value_that_is_none_of_those_that_there_are(stack, command, option, values):
    """Before the database is asked, and with what was probably meant."""
    tool = Tool(stack, PGHOST="/nowhere")
    given = [part for other in needed(COMMANDS[command]) if other["option"] != option
             for part in (other["option"], (other["choices"] or ["1"])[0])]
    words = [*command.split(), *(["1"] if re.match(rf"{command} [A-Z]",
                                                   COMMANDS[command]["synopsis"]) else [])]
    stderr = tool.refused(*words, *given, f"{option}={values[-1]}x", exits=USAGE)
    assert f'{option} must be {", ".join(values[:-1])} or {values[-1]}, not ' in stderr
    if len(values[-1]) > 3:
        assert f'HINT: did you mean "{values[-1]}"?' in stderr


@pytest.mark.parametrize("command", LISTS)
@pytest.mark.parametrize("limit", ["0", "1000", "", "-1", "1.5", "18446744073709551617"])
def test_limit_out_of_range(world, tmp_path, command, limit):
    stderr = world.tool.refused(*call(world, command, tmp_path), f"--limit={limit}", exits=USAGE)
    assert f'--limit must be a number from 1 to 999, not "{limit}"' in stderr


@pytest.mark.parametrize("command", LISTS)
def test_limit(world, tmp_path, command):
    arguments = call(world, command, tmp_path)
    whole = world.tool.json(*arguments)[LISTS[command]]
    assert len(whole) >= 2
    assert len(world.tool.json(*arguments, "--limit", "1")[LISTS[command]]) == 1
    table = world.tool(*arguments, "--limit", "1").stdout_text.split("\n\n")[-1]
    assert len(table.splitlines()) == 2


MATCHES = [
    ("organization list", lambda world: world.organization.upper(), "name"),
    ("usage", lambda world: world.organization.upper(), "organization"),
    ("member list", lambda world: "OLG", "user"),
    ("token list", lambda world: "THAT IS LONGER", "name"),
    ("key list", lambda world: "日本語", "name"),
    ("retention list", lambda world: "COLD", "table"),
    ("audit", lambda world: "MEMBER_ADD", "action"),
    ("product-org list", lambda world: "G2", "product_org_id"),
]


@pytest.mark.parametrize("command, text, member", MATCHES, ids=[each[0] for each in MATCHES])
def test_match(world, tmp_path, command, text, member):
    arguments = [*call(world, command, tmp_path), "--match", text(world)]
    found = world.tool.json(*arguments)[LISTS[command]]
    assert found and all(text(world).lower() in row[member].lower() for row in found)
    arguments[-1] = "there is none of this name"
    assert world.tool.json(*arguments)[LISTS[command]] == []


@pytest.mark.parametrize("command, option, member", [
    ("key list", "--endpoint", "endpoint_type"), ("key list", "--status", "status"),
    ("token list", "--status", "status"),
    ("member list", "--role", "role")])
def test_filters(world, tmp_path, command, option, member):
    arguments = call(world, command, tmp_path)
    whole = world.tool.json(*arguments)[LISTS[command]]
    values = {row[member] for row in whole}
    assert values
    for value in values:
        assert world.tool.json(*arguments, option, value)[LISTS[command]] == [
            row for row in whole if row[member] == value]


def test_audit_of_a_time(world, tmp_path):
    arguments = call(world, "audit", tmp_path)
    assert world.tool.json(*arguments, "--since", "1h")["entries"]
    assert world.tool.json(*arguments, "--until", "2001-01-01")["entries"] == []
    assert world.tool.json(*arguments, "--since", "2999-01-01")["entries"] == []


# ---- files ----

@EVERY
def test_a_file_is_the_standard_input(world, tmp_path, command):
    """Once: it is gone when it has been read."""
    takes = [option["option"] for option in COMMANDS[command]["options"]
             if option["value"] == "FILE" and option["option"] != "--config"]
    template, payload = files(tmp_path)
    inputs = {"--template": template, "--payload": payload, "--try": payload,
              "--file": repaired(tmp_path)}
    others = {"key create": ["--endpoint", "product_orgs"], "key edit": []}
    if command == "key find":
        with open(key_file(tmp_path, world), "rb") as file:
            assert str(world.signals["id"]) in world.tool("key", "find", "-",
                                                          stdin=file).stdout_text
    for option in takes:
        arguments = call(world, command, tmp_path) + others.get(command, [])
        if option == "--try":
            arguments += ["--template", template]
        if option in arguments:
            arguments[arguments.index(option) + 1] = "-"
        else:
            arguments += [option, "-"]
        with open(inputs[option], "rb") as file:
            world.tool(*arguments, stdin=file)
        for other in set(takes) - {option}:
            if other in arguments:
                arguments[arguments.index(other) + 1] = "-"
            else:
                arguments += [other, "-"]
            assert "only one file can be -" in world.tool.refused(*arguments, exits=USAGE)


# ---- JSON ----

@EVERY
def test_json_is_an_object_in_a_line(world, tmp_path, command):
    arguments = [*call(world, command, tmp_path), "--json"]
    if command == "tail":
        answer = json.loads(read_stream(world.tool, arguments))
    else:
        process = world.tool.start(*arguments)
        stdout, stderr = process.communicate(timeout=120)
        assert process.returncode == FINE or (command, process.returncode) == ("check", FAILED), \
            stderr
        answer = json.loads(stdout, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
        assert stdout.count("\n") == 1 or command in STREAMS
    assert isinstance(answer, dict)
    if command in LISTS:
        arrays = [name for name, value in answer.items() if isinstance(value, list)]
        assert arrays == [LISTS[command]]


def test_one_shape_of_a_thing(world):
    """What makes or changes a thing prints it as its list does; see the OpenAPI document."""
    tool = world.tool
    listed = tool.json("key", "list", *organization(world))["keys"][0]
    schemas = openapi.document()["components"]["schemas"]
    assert set(listed) == set(schemas["KeyMembers"]["required"])
    assert tool.json("key", "show", str(listed["id"])) == listed
    created = tool.json("key", "create", *organization(world), "--name", "shape", "--secret")
    more = set(schemas["CreatedKey"]["allOf"][1]["required"])
    assert set(created) == set(listed) | more | {"webhook_url"}
    assert created["webhook_url"].endswith(created["webhook_path"])
    rotated = tool.json("key", "rotate", str(created["id"]))
    assert set(rotated) == set(created) | {"old_expires_at"}
    changed = tool.json("secret", "rotate", str(rotated["id"]))
    assert set(changed) == set(listed) | {"secret"}
    member = schemas["Member"]["required"]
    added = tool.json("member", "add", *organization(world), "--user", "shape", "--role", "viewer")
    assert set(added) == set(member)
    assert added in tool.json("member", "list", *organization(world))["members"]
    assert set(tool.json("token", "list", *organization(world))["tokens"][0]) \
        == set(schemas["TokenMembers"]["required"])
    made = tool.json("organization", "create", f"Shape {os.urandom(4).hex()}")
    assert made in tool.json("organization", "list")["organizations"]


def test_version(tool):
    text, told = tool("version").stdout_text, tool("version", "--json").stdout_text
    for option in ("--version", "-V"):
        assert tool(option).stdout_text == text
        assert tool(option, "--json").stdout_text == tool("--json", option).stdout_text == told


# ---- at a terminal ----

ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
TABLES = [command for command in COMMANDS
          if command in LISTS or command in (
              "key show", "rejected show", "stats", "config", "check", "maintain",
              "organization limit")]


def columns_of(line):
    return sum(0 if unicodedata.combining(character) else
               2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


def at_a_terminal(world, command, path, columns, **changes):
    terminal = Terminal(world.tool, *call(world, command, path), columns=columns,
                        **{"TERM": "xterm", "NO_COLOR": "", "COLUMNS": "", **changes})
    assert terminal.end() == FINE or command == "check"
    return terminal.shown


@pytest.mark.parametrize("command", TABLES)
@pytest.mark.parametrize("columns", [60, 100])
def test_tables_fit_the_terminal(world, tmp_path, command, columns):
    shown = ESCAPES.sub("", at_a_terminal(world, command, tmp_path, columns))
    table = shown.split("\n\n")[1] if command == "config" else shown.split("\n\n")[0]
    for line in table.splitlines():
        assert columns_of(line) <= columns, line
    assert world.tool(*call(world, command, tmp_path)).stdout_text.count("…\n") == 0


@pytest.mark.parametrize("command", TABLES)
def test_colours(world, tmp_path, command):
    assert "\x1b[1m" in at_a_terminal(world, command, tmp_path, 80)
    for changes in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}):
        assert "\x1b" not in at_a_terminal(world, command, tmp_path, 80, **changes)
    process = world.tool.start(*call(world, command, tmp_path))
    assert "\x1b" not in process.communicate(timeout=120)[0]


def test_nothing_is_cut_that_a_program_reads(world, tmp_path):
    text = world.tool(*call(world, "key list", tmp_path)).stdout_text
    assert WIDE[:190].strip() in text


def test_an_error_has_a_colour(world):
    def refused(**changes):
        terminal = Terminal(world.tool, "key", "show", "x", **{"TERM": "xterm", **changes})
        assert terminal.end() == USAGE
        return terminal.shown

    assert refused(NO_COLOR="").startswith('\x1b[31msluicectl: \x1b[0m"x" is not the id')
    assert refused(NO_COLOR="1").startswith('sluicectl: "x" is not the id')


# ---- expirations: one rule with page and API ----

EXPIRATIONS = {
    "2031-05-01": "2031-05-01T00:00:00Z",
    "2031-05-01T12:00:00Z": "2031-05-01T12:00:00Z",
    "2031-05-01T12:00Z": "2031-05-01T12:00:00Z",
    "2031-05-01T12:00:00+02:00": "2031-05-01T10:00:00Z",
    "2031-05-01T12:00:00.5-0230": "2031-05-01T14:30:00.5Z",
    "2031-05-01T23:59:60Z": "2031-05-01T23:59:59.999999Z",
    "2031-05-01T12:00:00": None,
    "2031-05-01T12:00:00 UTC": None,
    "2031-02-31": None,
    "2031-05-01T25:00:00Z": None,
    "2031-05-01T12:00:00+25:00": None,
    "tomorrow": None,
    "": None,
    "1935862400": None,
    "2001-01-01T00:00:00Z": None,
    "10000-01-01T00:00:00Z": None,
    "infinity": None,
}


@pytest.mark.parametrize("text", EXPIRATIONS)
def test_expirations_are_those_of_the_settings_service(world, text):
    wanted = EXPIRATIONS[text]
    name = f"expiring {secrets.token_hex(4)}"
    create = ["key", "create", *organization(world), "--name", name, "--expires", text]
    if wanted is None:
        world.tool(*create, exits=USAGE)
    else:
        assert world.tool.json(*create)["expires_at"] == wanted
    answer = post(world.stack, "edith", "keys", {"name": f"{name}, too", "expires_at": text})
    assert answer.status == (400 if wanted is None else 201), answer.body
    assert wanted is None or answer.json["expires_at"] == wanted
