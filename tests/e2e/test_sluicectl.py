"""The tool as such: its help and the manual page, wrong usage, no database, no right."""

import re
import socket
import subprocess

import pytest

from messages import COULD_NOT_CONNECT, NO_RIGHT, NO_RIGHT_HINT
from sluicectl import FAILED, MANUAL, UNREACHABLE, USAGE, Tool

pytestmark = pytest.mark.first_front


# ---- help and the manual page ----

def manual_options():
    """{command: options} of the manual page's COMMANDS, and what every command takes."""
    commands, everywhere, section, command = {}, set(), None, None
    for line in MANUAL.read_text().splitlines():
        if line.startswith(".Sh "):
            section, command = line[4:], None
        elif line.startswith(".Ss ") and section == "COMMANDS":
            command = line[4:]
            commands[command] = set()
        for option in re.findall(r"^\.It Fl -([a-z-]+)", line):
            if section == "OPTIONS":
                everywhere.add(f"--{option}")
            elif command is not None:
                commands[command].add(f"--{option}")
    return commands, everywhere


def test_manual_has_what_help_has(tool):
    commands, everywhere = manual_options()
    helped = {entry["command"]: {option["option"] for option in entry["options"]}
              for entry in tool.json("help")["commands"]}
    assert everywhere == {"--config", "--json", "--help"}
    assert helped == {command: options | everywhere for command, options in commands.items()}


def test_manual_synopses_are_those_of_the_help(tool):
    text = MANUAL.read_text()
    for entry in tool.json("help")["commands"]:
        section = re.search(rf"^\.Ss {entry['command']}\n\.Nm\n\.Ic {entry['command']}\n(.*?)"
                            r"^\.Pp", text, re.M | re.S)
        assert section, entry["command"]
        said = re.findall(r"(?:Fl|Ar) -?([A-Za-z-]+)", section[1])
        printed = re.findall(r"[A-Za-z][A-Za-z-]*", entry["synopsis"])[len(
            entry["command"].split()):]
        assert sorted(said) == sorted(printed), entry["command"]


def test_manual_is_sound_mdoc():
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", str(MANUAL)],
                          capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_manual_has_the_steps_of_maintain(stack):
    section = re.search(r"^\.Ss maintain\n(.*?)^\.S[sh] ", MANUAL.read_text(), re.M | re.S)[1]
    steps = stack.psql("select name from sluice.maintenance_step order by position")
    items = re.findall(r"^\.It Sy (.+)", section, re.M)
    assert [name for item in items for name in item.split(" , ")] == [name for name, in steps]


def test_help_in_every_way(tool):
    overview = tool("--help").stdout_text
    assert tool("help").stdout_text == overview
    assert max(map(len, overview.splitlines())) <= 80
    for status in ("0  success", "1  failed", "2  wrong", "3  the database"):
        assert status in overview
    for entry in tool.json("help")["commands"]:
        words = entry["command"].split()
        text = tool("help", *words).stdout_text
        assert words == ["help"] or tool(*words, "--help").stdout_text == text
        for option in entry["options"]:
            assert option["option"] in text
    assert tool("help", "key").stdout_text.count("usage:") == sum(
        entry["command"].startswith("key ") for entry in tool.json("help")["commands"])


# ---- wrong usage ----

@pytest.mark.parametrize("arguments, message", [
    ([], "no command is given"),
    (["frobnicate"], 'unknown command "frobnicate"'),
    (["key"], '"key" is not a complete command'),
    (["key", "frobnicate"], 'unknown command "key frobnicate"'),
    (["help", "frobnicate"], 'unknown command "frobnicate"'),
    (["version", "--frobnicate"], 'unknown option "--frobnicate"'),
    (["version", "-j"], 'unknown option "-j"'),
    (["version", "--jso"], 'unknown option "--jso"'),
    (["version", "--jsonx"], 'unknown option "--jsonx"'),
    (["version", "--json=yes"], "option --json takes no value"),
    (["version", "--json", "--json"], "option --json is given twice"),
    (["version", "--config"], "option --config needs a value"),
    (["version", "--secret"], '"version" does not take --secret'),
    (["version", "x"], 'too many arguments: "x"'),
    (["version", "--", "--json"], 'too many arguments: "--json"'),
    (["organization", "create"], '"organization create" needs NAME'),
    (["organization", "create", "a", "b"], 'too many arguments: "b"'),
    (["organization", "list", "a", "b", "c"], "too many arguments"),
    (["member", "add", "--organization", "a", "--user", "b"], '"member add" needs --role ROLE'),
    (["key", "create", "--organization", "a"], '"key create" needs --name TEXT'),
    (["key", "show", "one"], '"one" is not the id of a key'),
    (["key", "show", "-1"], 'unknown option "-1"'),
    (["key", "show", "1.0"], '"1.0" is not the id'),
    (["key", "show", ""], "the id is empty"),
    (["key", "show", "9223372036854775808"], "is not the id of a key"),
    (["kye", "list"], 'HINT: did you mean "key"?'),
    (["config", "--example", "--manual"], "--example cannot be combined with --manual"),
    (["config", "--manual", "--json"], "--manual cannot be combined with --json"),
])
def test_wrong_usage(tool, arguments, message):
    assert message in tool.refused(*arguments, exits=USAGE)


def test_a_configuration_that_is_not_there(tool):
    for command in (["version"], ["organization", "list"], ["check"]):
        stderr = tool.refused(*command, "--config", "/nowhere/sluice.conf")
        assert 'the configuration file "/nowhere/sluice.conf": No such file' in stderr


@pytest.mark.parametrize("command", [["signal", "list"], ["product-org", "list"], ["audit"]],
                         ids=" ".join)
@pytest.mark.parametrize("limit", ["0", "1000", "", "-1", "1.5", "18446744073709551617"])
def test_limit_out_of_range(tool, command, limit):
    stderr = tool.refused(*command, "--organization", "a", f"--limit={limit}", exits=USAGE)
    assert f'--limit must be a number from 1 to 999, not "{limit}"' in stderr


@pytest.mark.parametrize("arguments, message", [
    (["audit", "--organization", "a", "--before", "9223372036854775808"],
     '--before must be an id, not "9223372036854775808"'),
    (["organization", "limit", "a", "--signals", "9223372036854775808"],
     '"9223372036854775808" is not a number of signals'),
])
def test_number_too_large(tool, arguments, message):
    assert message in tool.refused(*arguments, exits=USAGE)


def test_wrong_usage_needs_no_database(stack):
    nowhere = Tool(stack, PGHOST="/nowhere")
    nowhere.refused("key", "create", exits=USAGE)
    nowhere("version")
    nowhere("help")


def test_version(tool):
    version = tool.json("version")["version"]
    assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", version)
    assert tool("version").stdout_text == f"sluicectl {version}\n"


# ---- not reachable, not allowed ----

@pytest.mark.parametrize("changes", [{"PGHOST": "/nowhere"}, {"PGDATABASE": "nowhere"},
                                     {"PGUSER": "nobody_at_all"}],
                         ids=lambda changes: next(iter(changes)))
def test_unreachable(stack, changes):
    stderr = Tool(stack, **changes).refused("key", "list", exits=UNREACHABLE)
    assert stderr.startswith(COULD_NOT_CONNECT)
    assert "\nHINT: " in stderr


def test_a_server_that_hangs(stack):
    """Nobody accepts what is connected, as when the server is stopped."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        tool = Tool(stack, PGHOST="127.0.0.1", PGPORT=str(silent.getsockname()[1]))
        stderr = tool.refused("key", "list", exits=UNREACHABLE)
    assert f"{COULD_NOT_CONNECT}no answer within 10 seconds\nHINT: see whether the server" in stderr


def test_rights(stack, organization):
    """sluice_admin may do everything but migrate; sluice_intake nothing of it."""
    admin = Tool(stack, PGUSER="sluice_admin")
    assert admin.json("key", "list", "--organization", organization)["keys"] == []
    admin("member", "add", "--organization", organization, "--user", "u", "--role", "viewer")
    assert stack.psql("select actor from sluice.audit_log where action = 'member_add' "
                      "and object_id = 'u' order by id desc limit 1")[0][0].startswith(
                          "sluicectl:sluice_admin@")
    intake = Tool(stack, PGUSER="sluice_intake")
    stderr = intake.refused("key", "list")
    assert NO_RIGHT in stderr and NO_RIGHT_HINT in stderr


def test_without_schema(database):
    stderr = database.refused("organization", "list")
    assert "HINT: the schema is missing" in stderr


@pytest.mark.parametrize("change, says", [
    ("delete from sluice.schema_migration where version = 7",
     "version 6 of 7: run sluicectl migrate"),
    ("insert into sluice.schema_migration values (8, '0008_next.sql', sha256(''))",
     'it has "0008_next.sql": use the program and the migrations of the newer release')],
    ids=["older", "newer"])
def test_another_release(database, change, says):
    """A call that fails for it leads to the command that says which is the newer one."""
    database("migrate")
    database.psql(change)
    database.psql("drop function sluice.organization_list()")
    stderr = database.refused("organization", "list")
    assert "\nHINT: the schema is missing, or of another release" in stderr
    assert "casts" not in stderr and "sluicectl check says which" in stderr
    assert says in database("check", exits=FAILED).stdout_text
