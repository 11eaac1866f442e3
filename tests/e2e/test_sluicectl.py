"""The tool: every command against a real database, and the manual page against the help."""

import contextlib
import datetime
import hashlib
import itertools
import json
import os
import re
import secrets
import subprocess
import time

import psycopg2
import pytest

import harness

pytestmark = pytest.mark.first_front

MIGRATIONS = harness.ROOT / "sql-migrations"
MANUAL = harness.ROOT / "fcgi-app" / "man" / "sluicectl.1"
FINE, FAILED, USAGE, UNREACHABLE = range(4)

KEY_MEMBERS = ["id", "organization", "name", "display", "endpoint_type", "has_secret", "status",
               "expires_at", "created_at", "created_by", "last_used_at", "deactivated_at",
               "deactivated_by", "last_refused_at", "last_refused_reason", "payload_template"]


class Tool:
    """Runs sluicectl with the stack's environment and whatever a test changes of it."""

    def __init__(self, stack, **changes):
        self.stack = stack
        inherited = {name: value for name, value in os.environ.items()
                     if not name.startswith(("PG", "SLUICE_"))}
        self.env = {**inherited, **stack.env, "SLUICE_MIGRATIONS": str(MIGRATIONS), **changes}

    def start(self, *arguments, **options):
        return subprocess.Popen([self.stack.env["SLUICECTL"], *map(os.fspath, arguments)],
                                env=self.env, stdout=options.get("stdout", subprocess.PIPE),
                                stderr=subprocess.PIPE, text=True)

    def __call__(self, *arguments, exits=FINE, **options):
        process = self.start(*arguments, **options)
        stdout, stderr = process.communicate(timeout=120)
        process.stdout_text, process.stderr_text = stdout or "", stderr
        self.stack.credentials.update(harness.KEY.findall(stdout or ""),
                                      harness.SECRET.findall(stdout or ""))
        assert process.returncode == exits, (arguments, process.returncode, stdout, stderr)
        assert (exits == FINE) or stderr.startswith("sluicectl: ") or "check" in arguments
        for line in process.stdout_text.split("\n"):
            assert line == line.rstrip(" "), f"trailing blanks: {line!r}"
        return process

    def json(self, *arguments, exits=FINE):
        text = self("--json", *arguments, exits=exits).stdout_text
        assert text.count("\n") == 1 and text.endswith("\n")
        return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))

    def refused(self, *arguments, exits=FAILED):
        process = self(*arguments, exits=exits)
        assert process.stdout_text == ""
        return process.stderr_text


@pytest.fixture
def tool(stack):
    return Tool(stack)


@pytest.fixture
def organization(tool):
    name = f"Tool {secrets.token_hex(6)}"
    tool("organization", "create", name)
    return name


@pytest.fixture
def database(stack):
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
              for entry in tool.json("help")}
    assert everywhere == {"--config", "--json", "--help"}
    assert helped == {command: options | everywhere for command, options in commands.items()}


def test_manual_synopses_are_those_of_the_help(tool):
    text = MANUAL.read_text()
    for entry in tool.json("help"):
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


def test_help_in_every_way(tool):
    overview = tool("--help").stdout_text
    assert tool("help").stdout_text == overview
    assert max(map(len, overview.splitlines())) <= 80
    for status in ("0  success", "1  failed", "2  wrong", "3  the database"):
        assert status in overview
    for entry in tool.json("help"):
        words = entry["command"].split()
        text = tool("help", *words).stdout_text
        assert words == ["help"] or tool(*words, "--help").stdout_text == text
        for option in entry["options"]:
            assert option["option"] in text
    assert tool("help", "key").stdout_text.count("usage:") == 4


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
    (["config", "--example", "--manual"], "--example cannot be combined with --manual"),
    (["config", "--manual", "--json"], "--manual cannot be combined with --json"),
])
def test_wrong_usage(tool, arguments, message):
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
    assert stderr.startswith("sluicectl: could not connect to the database: ")
    assert "\nHINT: " in stderr


def test_rights(stack, organization):
    """sluice_admin may do everything but migrate; sluice_intake nothing of it."""
    admin = Tool(stack, PGUSER="sluice_admin")
    assert admin.json("key", "list", "--organization", organization) == []
    admin("member", "add", "--organization", organization, "--user", "u", "--role", "viewer")
    assert stack.psql("select actor from sluice.audit_log where action = 'member_add' "
                      "and object_id = 'u' order by id desc limit 1")[0][0].startswith(
                          "sluicectl:sluice_admin@")
    intake = Tool(stack, PGUSER="sluice_intake")
    stderr = intake.refused("key", "list")
    assert "permission denied" in stderr and "HINT: connect as a member of sluice_admin" in stderr


def test_without_schema(database):
    stderr = database.refused("organization", "list")
    assert "HINT: the schema is missing" in stderr


# ---- organizations and members ----

@pytest.mark.parametrize("name", ["x", "ü" * 192, "O'Reilly \"& Söhne\" \\ %s $1", "-- ;",
                                  " leading and trailing "])
def test_organization_names(tool, stack, name):
    name += secrets.token_hex(4)
    made = tool.json("organization", "create", "--", name)
    assert made == {"id": made["id"], "name": name}
    assert stack.psql("select name from sluice.organization where id = %s", made["id"]) == [
        (name,)]
    listed = {entry["id"]: entry for entry in tool.json("organization", "list")}[made["id"]]
    assert listed["name"] == name and listed["members"] == listed["keys"] == 0
    assert set(listed) == {"id", "name", "members", "keys", "created_at", "created_by"}


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


def test_members(tool, stack, organization):
    def change(verb, user, *options, **more):
        return tool.json("member", verb, "--organization", organization, "--user", user, *options,
                         **more)

    added = change("add", "olga", "--role", "owner")
    assert added == {"organization": organization, "user": "olga", "role": "owner"}
    change("add", "vera", "--role=viewer")
    listed = tool.json("member", "list", "--organization", organization)
    assert [(entry["user"], entry["role"]) for entry in listed] == [
        ("olga", "owner"), ("vera", "viewer")]
    assert set(listed[0]) == {"user", "role", "added_at", "added_by"}
    common = ("member", "add", "--organization", organization)
    assert "already has the owner" in tool.refused(*common, "--user", "otto", "--role", "owner")
    assert "already a member" in tool.refused(*common, "--user", "vera", "--role", "admin")
    assert "role must be" in tool.refused(*common, "--user", "kim", "--role", "king")
    assert change("remove", "vera") == {"organization": organization, "user": "vera"}
    assert "is not a member" in tool.refused("member", "remove", "--organization", organization,
                                             "--user", "vera")
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


# ---- key create ----

def create(tool, organization, *options, name="a key"):
    return tool.json("key", "create", "--organization", organization, "--name", name, *options)


def test_key_create(tool, stack, organization):
    made = create(tool, organization, "--secret", "--expires", "2031-05-01T12:00:00Z")
    assert list(made) == ["id", "name", "key", "secret", "endpoint_type", "expires_at",
                          "webhook_url"]
    assert harness.KEY.fullmatch(made["key"]) and harness.SECRET.fullmatch(made["secret"])
    assert made["name"] == "a key" and made["endpoint_type"] == "signal_staging"
    assert made["expires_at"] == "2031-05-01T12:00:00Z"
    assert made["webhook_url"] == f"{stack.base_url}/api/signal-staging/webhook/{made['key']}"
    stored = stack.psql("select key_hash, secret_hash, display, created_by from sluice.api_key "
                        "where id = %s", made["id"])[0]
    assert bytes(stored[0]) == hashlib.sha256(made["key"].encode()).digest()
    assert bytes(stored[1]) == hashlib.sha256(made["secret"].encode()).digest()
    assert stored[2] == f"{made['key'][:7]}…{made['key'][-4:]}"
    assert stored[3].startswith(f"sluicectl:{stack.env['PGUSER']}@")
    audited = stack.psql("select a::text from sluice.audit_log a where object_id = %s "
                         "and action = 'key_create'", str(made["id"]))
    assert len(audited) == 1
    assert made["key"] not in audited[0][0] and made["secret"] not in audited[0][0]


def test_key_without_anything(tool, organization):
    made = create(tool, organization)
    assert made["secret"] is None and made["expires_at"] is None
    assert create(tool, organization)["key"] != made["key"]


def test_key_for_product_orgs(tool, stack, organization, tmp_path):
    template = tmp_path / "template.json"
    template.write_text('\n {"product_org_id": "groupId", "custom": {"n": "a.b"}}\n')
    made = create(tool, organization, "--endpoint", "product_orgs", "--template", template)
    assert made["webhook_url"] == f"{stack.base_url}/api/product-orgs/webhook/{made['key']}"
    shown = tool.json("key", "show", str(made["id"]))
    assert shown["payload_template"] == json.loads(template.read_text())
    text = tool("key", "create", "--organization", organization, "--name", "p", "--endpoint",
                "product_orgs", "--template", template).stdout_text
    assert "-d @payload.json" in text


@pytest.mark.parametrize("base, begins", [
    (None, "https://YOUR-HOST/api/"), ("", "https://YOUR-HOST/api/"),
    ("https://x.example///", "https://x.example/api/"),
    (os.fsdecode(b"https://x\xff.example"), "https://x\ufffd.example/api/")])
def test_webhook_url(stack, organization, base, begins):
    tool = Tool(stack, BASE_URL=base or "")
    if base is None:
        del tool.env["BASE_URL"]
    assert create(tool, organization)["webhook_url"].startswith(begins)


@pytest.mark.parametrize("options", [[], ["--secret"]], ids=["plain", "secret"])
def test_printed_curl_line_works(tool, stack, organization, options):
    text = tool("key", "create", "--organization", organization, "--name", "try", *options,
                ).stdout_text
    key, = set(harness.KEY.findall(text))
    assert len(set(harness.SECRET.findall(text))) == len(options)
    assert "will not be shown again" in text
    line = text[text.index("  curl "):]
    done = subprocess.run(["sh", "-c", f"{line.rstrip()} -sS -w ' %{{http_code}}' --noproxy '*'"],
                          capture_output=True, text=True, check=False)
    assert done.stdout.endswith(" 202"), (line, done)
    assert stack.psql("select count(*) from sluice.signal_staging s join sluice.api_key k "
                      "on k.id = s.key_id where k.key_hash = %s",
                      hashlib.sha256(key.encode()).digest())[0][0] == 1


def test_quoting_of_the_curl_line(stack, organization):
    tool = Tool(stack, BASE_URL="http://h/'; touch pwned; '")
    text = tool("key", "create", "--organization", organization, "--name", "q").stdout_text
    line = text[text.index("  curl "):].replace("curl", "printf '%s\\n'", 1)
    words = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True
                           ).stdout.splitlines()
    assert words[-1].startswith("http://h/'; touch pwned; '/api/") and len(words) == 5


@pytest.mark.parametrize("given, expected", [
    ("2031-05-01T12:00:00Z", "2031-05-01T12:00:00Z"),
    ("2031-05-01", "2031-05-01T00:00:00Z"),
    ("2031-05-01 12:00Z", "2031-05-01T12:00:00Z"),
    ("2031-05-01T12:00:00.250Z", "2031-05-01T12:00:00.25Z"),
    ("2031-05-01T12:00:00.1234567Z", "2031-05-01T12:00:00.123457Z"),
    ("2031-05-01T00:30:00+02:00", "2031-04-30T22:30:00Z"),
    ("2031-05-01T00:30:00-0530", "2031-05-01T06:00:00Z"),
    ("2031-05-01T00:30+14", "2031-04-30T10:30:00Z"),
    ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
])
def test_expires(stack, organization, given, expected):
    for zone, style in itertools.product(("UTC", "America/New_York"), ("ISO", "German")):
        tool = Tool(stack, PGTZ=zone, PGDATESTYLE=style)
        assert create(tool, organization, "--expires", given)["expires_at"] == expected


@pytest.mark.parametrize("given, seconds", [("1s", 1), ("90m", 5400), ("12h", 43200),
                                            ("30d", 30 * 86400), ("2w", 14 * 86400),
                                            ("365d", 365 * 86400), ("99999d", 99999 * 86400)])
def test_expires_from_now_on(stack, organization, given, seconds):
    made = create(Tool(stack, PGTZ="America/New_York"), organization, "--expires", given)
    assert stack.psql("select extract(epoch from expires_at - created_at)::bigint "
                      "from sluice.api_key where id = %s", made["id"]) == [(seconds,)]


@pytest.mark.parametrize("given", [
    "", "never", "infinity", "now", "tomorrow", "epoch", "2031", "2031-05", "20310501",
    "2031-05-01T12:00:00", "2031-05-01T12", "2031-05-01T12:00:00 Europe/Berlin",
    "2031-05-01T12:00:00Z ", " 2031-05-01", "2031-05-01T12:00:00ZZ", "2031-05-01T12:00:00+1",
    "2031-05-01T12:00:00.Z", "2031-13-01", "2031-02-29", "2031-05-01T25:00:00Z", "0000-01-01",
    "12345-01-01", "2031-05-01T12:00:00+16:00", "30", "d", "-30d", "+30d", "1.5d", "30 d", "30D",
    "30y", "123456d", "1d12h", "1812345678", "2031-05-01'::timestamptz"])
def test_expires_refused(tool, organization, given):
    stderr = tool.refused("key", "create", "--organization", organization, "--name", "x",
                          f"--expires={given}", exits=USAGE)
    assert "is not a valid timestamp" in stderr
    assert tool.json("key", "list", "--organization", organization) == []


def test_expired_from_the_start(tool, organization):
    process = tool("key", "create", "--organization", organization, "--name", "old", "--expires",
                   "2001-05-01", "--json")
    assert process.stderr_text == ("sluicectl: warning: the key has already expired: "
                                   "2001-05-01T00:00:00Z is in the past\n")
    listed, = tool.json("key", "list", "--organization", organization)
    assert listed["status"] == "expired"


@pytest.mark.parametrize("content, message", [
    (b'{"product_org_id":"a"}'.ljust(64 * 1024), None),
    (b'{"product_org_id":"a"}'.ljust(64 * 1024 + 1), "is too large"),
    (b"", "is not valid JSON"),
    (b"[1]", "is not a JSON object"),
    (b"null", "is not a JSON object"),
    (b'{"product_org_id":', "is not valid JSON"),
    (b'{"product_org_id":"a"} x', "is not valid JSON"),
    (b'{"product_org_id":"\xff"}', "invalid UTF-8"),
    (b'{"product_org_id":"a"}\0', "holds a NUL byte"),
    (b'{"product_org_id":"a\\u0000"}', "cannot be stored"),
    (b"{}", "must map product_org_id"),
    (b'{"product_org_id":"a","plan":"b"}', 'line 1, column 23: unknown field "plan"'),
], ids=lambda value: None if value is None else repr(value)[:24])
def test_template(tool, organization, tmp_path, content, message):
    path = tmp_path / "template.json"
    path.write_bytes(content)
    arguments = ("key", "create", "--organization", organization, "--name", "t", "--endpoint",
                 "product_orgs", "--template", path)
    if message is None:
        tool(*arguments)
    else:
        assert message in tool.refused(*arguments)
        assert tool.json("key", "list", "--organization", organization) == []


@pytest.mark.parametrize("options, message", [
    (["--endpoint", "product_orgs"], "needs a payload template"),
    (["--template", MANUAL], "is not valid JSON"),
    (["--template", "/nowhere"], "No such file or directory"),
    (["--template", "/"], "Is a directory"),
    (["--endpoint", "other"], "endpoint type must be"),
    (["--endpoint", ""], "endpoint type must be"),
], ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else None)
def test_key_refused(tool, organization, options, message):
    assert message in tool.refused("key", "create", "--organization", organization, "--name", "x",
                                   *options)


def test_template_for_signals(tool, organization, tmp_path):
    path = tmp_path / "template.json"
    path.write_text('{"product_org_id":"a"}')
    assert "takes no payload template" in tool.refused(
        "key", "create", "--organization", organization, "--name", "x", "--template", path)


def test_key_of_no_organization(tool):
    assert "does not exist" in tool.refused("key", "create", "--organization", "no such one",
                                            "--name", "x")


def test_key_that_could_not_be_shown(tool, stack, organization):
    with open("/dev/full", "w", encoding="ascii") as full:
        stderr = tool("key", "create", "--organization", organization, "--name", "lost",
                      exits=FAILED, stdout=full).stderr_text
    assert "could not write the output: No space left on device" in stderr
    listed, = tool.json("key", "list", "--organization", organization)
    assert f"key {listed['id']} was created but not shown; deactivate it" in stderr


def test_output_that_cannot_be_written(tool):
    with open("/dev/full", "w", encoding="ascii") as full:
        tool("organization", "list", exits=FAILED, stdout=full)


def test_credentials_as_arguments_are_not_echoed(tool, organization):
    made = create(tool, organization, "--secret")
    for credential in (made["key"], made["secret"]):
        for arguments, exits in ((("key", "show", credential), USAGE), ((credential,), USAGE),
                                 (("member", "list", "--organization", credential), USAGE)):
            assert credential not in tool.refused(*arguments, exits=exits)


# ---- key list, show, deactivate ----

def test_key_list_and_show(tool, organization):
    made = [create(tool, organization, name=name) for name in ("one", "two")]
    listed = tool.json("key", "list", "--organization", organization)
    assert [entry["id"] for entry in listed] == [entry["id"] for entry in made]
    assert list(listed[0]) == KEY_MEMBERS
    assert listed[0]["display"] == f"{made[0]['key'][:7]}…{made[0]['key'][-4:]}"
    assert listed[0]["status"] == "active" and listed[0]["last_used_at"] is None
    assert datetime.datetime.fromisoformat(listed[0]["created_at"]).tzinfo is not None
    assert tool.json("key", "show", str(made[0]["id"])) == listed[0]
    assert {entry["id"] for entry in listed} < {entry["id"] for entry in tool.json("key", "list")}
    text = tool("key", "show", str(made[1]["id"])).stdout_text
    assert [line.split()[0] for line in text.splitlines()[1:]] == KEY_MEMBERS
    assert "does not exist" in tool.refused("key", "show", "9223372036854775807")
    assert "does not exist" in tool.refused("key", "list", "--organization", "no such one")


def test_last_used(tool, stack, organization):
    made = create(tool, organization)
    [(before,)] = stack.psql("select clock_timestamp()")
    harness.accepted_id(harness.send(stack, harness.path_of(made)))
    [(after,)] = stack.psql("select clock_timestamp()")
    used = tool.json("key", "show", str(made["id"]))["last_used_at"]
    assert before <= datetime.datetime.fromisoformat(used) <= after


@pytest.mark.slow
def test_last_used_lags_by_less_than_a_minute(tool, stack, organization):
    """A worker that remembers to have noted a key's use must not remember it for too long."""
    made = create(tool, organization)
    started, lags = time.monotonic(), []
    while time.monotonic() - started < 120:
        harness.accepted_id(harness.send(stack, harness.path_of(made)))
        lags += stack.psql("select extract(epoch from clock_timestamp() - last_used_at)"
                           " from sluice.key_overview where id = %s", made["id"])[0]
    assert 10 < max(lags) < 60, "it is not written each time, and not too late"


def test_key_deactivate(tool, stack, organization):
    made = create(tool, organization)
    harness.accepted_id(harness.send(stack, harness.path_of(made)))
    first = tool.json("key", "deactivate", str(made["id"]))
    assert first["status"] == "deactivated" and list(first) == KEY_MEMBERS
    assert harness.send(stack, harness.path_of(made)).status == 401
    assert tool.json("key", "deactivate", str(made["id"])) == {
        **first, "last_used_at": tool.json("key", "show", str(made["id"]))["last_used_at"]}
    assert first["deactivated_at"] in tool("key", "deactivate", str(made["id"])).stdout_text
    assert stack.psql("select count(*) from sluice.audit_log where action = 'key_deactivate' "
                      "and object_id = %s", str(made["id"]))[0][0] == 1
    assert "does not exist" in tool.refused("key", "deactivate", "9223372036854775807")


# ---- migrate ----

def files_in(directory, **contents):
    """Writes NNNN_what.sql files: n1_a="SELECT 1" makes 0001_a.sql."""
    directory.mkdir(exist_ok=True)
    for name, text in contents.items():
        number, what = name[1:].split("_", 1)
        (directory / f"{int(number):04d}_{what}.sql").write_text(text)
    return directory


FIRST = (MIGRATIONS / "0001_roles_and_schema.sql").read_text()


@pytest.fixture
def small(tmp_path):
    """A directory with three migrations."""
    return files_in(tmp_path / "migrations", n1_first=FIRST,
                    n2_second="CREATE TABLE sluice.second (a integer);\nCREATE INDEX ON "
                              "sluice.second (a);\n", n3_third="DROP TABLE sluice.second")


def applied_in(database):
    if not database.psql("select to_regclass('sluice.schema_migration') is not null")[0][0]:
        return []
    return [row[0] for row in
            database.psql("select name from sluice.schema_migration order by version")]


def test_migrate(database):
    names = sorted(path.name for path in MIGRATIONS.glob("*.sql"))
    due = [{"version": number, "name": name} for number, name in enumerate(names, 1)]
    assert database.json("migrate", "--dry-run") == {"dry_run": True, "version": 0, "due": due}
    text = database("migrate", "--dry-run").stdout_text
    assert text == "".join(f"would apply {name}\n" for name in names)
    assert applied_in(database) == []
    assert database.psql("select count(*) from pg_namespace where nspname = 'sluice'") == [(0,)]
    text = database("migrate").stdout_text
    assert re.fullmatch("".join(rf"applied {name} \([0-9]+ ms\)\n" for name in names), text)
    recorded = database.psql("select name, checksum, applied_by from sluice.schema_migration "
                             "order by version")
    assert [row[0] for row in recorded] == names
    for name, checksum, applied_by in recorded:
        assert bytes(checksum) == hashlib.sha256((MIGRATIONS / name).read_bytes()).digest()
        assert applied_by == database.env["PGUSER"]
    assert database("migrate").stdout_text == (
        f"nothing to apply: the schema is at version {len(names)}\n")
    assert database.json("migrate") == {"dry_run": False, "version": len(names), "applied": []}


def test_migrate_in_steps(database, small):
    third = small / "0003_third.sql"
    text = third.read_text()
    third.unlink()
    assert database.json("migrate", "--directory", small)["version"] == 2
    third.write_text(text)
    assert database.json("migrate", "--directory", small) == {
        "dry_run": False, "version": 3, "applied": [{"version": 3, "name": "0003_third.sql"}]}


def edit(small):
    path = small / "0002_second.sql"
    path.write_text(path.read_text() + " ")


@pytest.mark.parametrize("change, message", [
    (edit, '"0002_second.sql" was changed after it was applied on 2'),
    (lambda small: (small / "0002_second.sql").rename(small / "0002_other.sql"),
     'the applied migration "0002_second.sql" is missing'),
    (lambda small: (small / "0002_second.sql").unlink(),
     'the applied migration "0002_second.sql" is missing from the directory'),
    (lambda small: (small / "0003_third.sql").unlink(),
     'the database is newer than the files: it has "0003_third.sql"'),
    (lambda small: files_in(small, n3_twice=""), "have the same number"),
    (lambda small: files_in(small, n5_five=""), 'no migration number 0004 before "0005_five.sql"'),
    (lambda small: (small / "four.sql").write_text(""), "is not named NNNN_what.sql"),
    (lambda small: (small / "0004_x.sql").mkdir(), "Is a directory"),
    (lambda small: (small / "0004_x.sql").write_bytes(b"SELECT 1;\0"), "holds a NUL byte"),
], ids=["changed", "renamed", "missing", "newer", "duplicate", "gap", "name", "directory", "nul"])
def test_migrate_refuses(database, small, change, message):
    database("migrate", "--directory", small)
    before = applied_in(database)
    change(small)
    for options in ([], ["--dry-run"]):
        assert message in database.refused("migrate", "--directory", small, *options)
    assert applied_in(database) == before


def test_migrate_without_files(database, tmp_path):
    assert "No such file" in database.refused("migrate", "--directory", tmp_path / "none")
    assert "there are no migrations" in database.refused("migrate", "--directory", tmp_path)


def test_migrate_that_fails(database, small):
    """It is rolled back as a whole; what was applied before it stays."""
    files_in(small, n4_bad="CREATE TABLE sluice.half (a integer);\nSELECT 1 / 0;\n",
             n5_later="CREATE TABLE sluice.later (a integer)")
    process = database("migrate", "--directory", small, exits=FAILED)
    assert ('sluicectl: "0004_bad.sql" failed and was rolled back: division by zero'
            in process.stderr_text)
    assert "22012" in process.stderr_text
    assert process.stdout_text.count("applied") == 3
    assert applied_in(database) == ["0001_first.sql", "0002_second.sql", "0003_third.sql"]
    assert database.psql("select to_regclass('sluice.half'), to_regclass('sluice.later')") == [
        (None, None)]
    result = database.json("migrate", "--directory", small, exits=FAILED)
    assert result == {"dry_run": False, "version": 3, "applied": []}


@pytest.mark.parametrize("script", ["COMMIT", "ROLLBACK", "COMMIT; BEGIN", "COMMIT AND CHAIN"])
def test_migrate_that_ends_its_transaction(database, small, script):
    files_in(small, n4_bad=f"SELECT 1; {script}; SELECT 2")
    stderr = database("migrate", "--directory", small, exits=FAILED).stderr_text
    assert '"0004_bad.sql" ends its own transaction' in stderr and "HINT: remove COMMIT" in stderr
    assert len(applied_in(database)) == 3


def test_migrate_at_the_same_time(database):
    processes = [database.start("migrate", "--json") for _ in range(4)]
    results = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [FINE] * 4, results
    counts = sorted(len(json.loads(stdout)["applied"]) for stdout, _ in results)
    assert counts == [0, 0, 0, len(list(MIGRATIONS.glob("*.sql")))]


def test_migrate_waits_for_the_lock(stack, database, small):
    with contextlib.closing(psycopg2.connect(
            host=stack.env["PGHOST"], port=stack.env["PGPORT"], dbname=database.env["PGDATABASE"],
            user=stack.env["PGUSER"])) as holder:
        holder.autocommit = True
        with holder.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(91725291414373)")
        process = database.start("migrate", "--directory", small)
        line = process.stderr.readline()
        assert line == ("sluicectl: warning: another run is in progress; waiting for it to "
                        "end\n")
        harness.wait_for(lambda: database.psql(
            "select count(*) from pg_locks where locktype = 'advisory' and not granted "
            "and database = (select oid from pg_database where datname = current_database())"
            )[0][0] == 1, "the tool waits for the lock")
        assert applied_in(database) == []
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (FINE, "") and stdout.count("applied") == 3


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
    assert set(results.values()) == {"ok"} and len(results) >= 15
    text = migrated("check").stdout_text
    assert text.endswith("\nfit for use: 0 failed, 0 warnings\n")
    assert len(text.splitlines()) == len(results) + 3


@pytest.mark.parametrize("sql, check, result", [
    ("alter role sluice_intake in database {db} set synchronous_commit = off",
     "synchronous_commit", "failed"),
    ("alter role sluice_intake in database {db} set synchronous_commit = local",
     "synchronous_commit", "failed"),
    (("alter role sluice_intake in database {db} reset synchronous_commit; "
      "alter database {db} set synchronous_commit = off"), "synchronous_commit", "failed"),
    ("alter database {db} set synchronous_commit = off", "synchronous_commit", "ok"),
    ("alter database {db} set default_transaction_read_only = on", "writable", "failed"),
    ("grant select on sluice.signal_staging to sluice_intake", "intake_rights", "failed"),
    ("grant select (email) on sluice.signal_staging to sluice_intake", "intake_rights", "failed"),
    ("revoke usage on schema sluice from sluice_intake", "intake_rights", "failed"),
    ("grant select on sluice.audit_log to sluice_settings", "settings_rights", "failed"),
    ("revoke execute on function sluice.settings_me(text) from sluice_settings", "settings_rights",
     "failed"),
    ("revoke execute on all functions in schema sluice from sluice_admin", "admin_rights",
     "failed"),
    ("revoke select on sluice.signal_staging from sluice_reader", "reader_rights", "failed"),
    ("grant execute on all functions in schema sluice to public", "public_rights", "failed"),
    ("alter schema sluice owner to {user}", "owner", "failed"),
    (("insert into sluice.signal_staging (organization_id, received_at, occurred_at, key_id, "
      "source, request_id, payload) values (1, '2001-01-01', now(), 1, 'x', 'x', '{{}}')"),
     "default_partitions", "warning"),
    (("insert into sluice.rejected_payload (organization_id, received_at, key_id, kind, code, "
      "detail, request_id, payload) values (1, now() + interval '20 days', 1, 'item', 'x', 'x', "
      "'x', 'x')"), "default_partitions", "warning"),
    ("update sluice.retention set keep = '1 day' where table_name = 'rejected_payload'",
     "retention", "warning"),
    ("update sluice.maintenance_step set added_at = now() - interval '25 hours'", "maintenance",
     "warning"),
    ("revoke execute on function sluice.maintenance_do(text, integer) from sluice_admin",
     "admin_rights", "failed"),
    (("delete from sluice.schema_migration where version = "
      "(select max(version) from sluice.schema_migration)"), "schema", "failed"),
    ("update sluice.schema_migration set checksum = sha256('') where version = 1", "schema",
     "failed"),
    ("drop schema sluice cascade", "schema", "failed"),
    ("select 1", "fsync", "ok"),
])
def test_check_finds(migrated, sql, check, result):
    migrated.psql(sql.format(db=migrated.env["PGDATABASE"], user=migrated.env["PGUSER"]))
    results = verdicts(migrated, FAILED if result == "failed" else FINE)
    assert results[check] == result
    assert [name for name, found in results.items() if found != "ok"] == (
        [] if result == "ok" else [check])


def test_check_without_days_ahead(migrated):
    for (name,) in migrated.psql("select inhrelid::regclass::text from pg_inherits where inhparent "
                                 "= 'sluice.signal_cold_storage'::regclass and inhrelid::regclass "
                                 "<> 'sluice.signal_cold_storage_default'::regclass"):
        migrated.psql(f"drop table {name}")
    assert verdicts(migrated, FAILED)["future_partitions"] == "failed"


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
    findings = Tool(stack, PGUSER="sluice_admin").json("check")
    assert {finding["result"] for finding in findings} <= {"ok", "warning"}


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
