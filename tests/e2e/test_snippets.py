"""What a sender gets to paste: each snippet is run as it is printed, and its row is stored.

Those for browsers are run by test_settings_page_keys.py.
"""

import os
import pathlib
import re
import subprocess

import pytest

import npm
import sender_files
from harness import ENVIRONMENT, JSON, KEY, ROOT, send, wait_for
from sluicectl import USAGE

pytestmark = pytest.mark.first_front

CLIENTS = pathlib.Path(__file__).resolve().parent / "clients"
LIBRARIES = ROOT / "build" / "clients"
NODE_MAJOR = 20  # Segment's library wants it
NAMES = ["curl", "node", "python", "php", "fetch", "html", "segment", "rudderstack", "hubspot",
         "urls"]
HEADER_NAMES = ["curl", "node", "python", "php", "urls"]  # with a secret, and for all endpoints
PROGRAMS = {"curl": ["sh", "send.sh"], "node": ["node", "send.mjs"],
            "python": ["python3", "send.py"], "php": ["php", "send.php"],
            "segment": ["node", "send.cjs"], "rudderstack": ["node", "send.cjs"]}
SECRETS = pytest.mark.parametrize("options", [[], ["--secret"]], ids=["plain", "secret"])


def made(stack, name, *options):
    return stack.ctl_json("key", "create", "--organization", stack.organization, "--name",
                          f"{name} {os.urandom(4).hex()}", "--snippet", name, *options)


def run(name, text, place):
    command = PROGRAMS[name]
    (place / command[-1]).write_text(text)
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False,
                          env={**ENVIRONMENT, "NODE_PATH": str(LIBRARIES / "node_modules")})
    assert done.returncode == 0, (text, done.stdout, done.stderr)
    return done.stdout


def signals(stack, key):
    return stack.psql("select source, event_name, email, user_id from sluice.signal_staging"
                      " where key_id = %s order by id", key["id"])


# ---- programs ----

@SECRETS
@pytest.mark.parametrize("name", ["curl", "node", "python", "php"])
def test_a_program_sends_a_signal(stack, tmp_path, name, options):
    key = made(stack, name, *options)
    assert (key["secret"] in key["snippets"][0]["text"]) if options else key["secret"] is None
    assert "Signal received" in run(name, key["snippets"][0]["text"], tmp_path)
    assert signals(stack, key) == [("generic", "test", "lead@example.com", None)]


@pytest.mark.parametrize("name", ["curl", "node", "python", "php"])
def test_a_program_sends_a_product_org(stack, tmp_path, name):
    template = tmp_path / "template.json"
    template.write_text('{"product_org_id": "groupId"}')
    (tmp_path / "payload.json").write_text('{"groupId": "acme"}')
    key = made(stack, name, "--endpoint", "product_orgs", "--template", template)
    assert "acme" in run(name, key["snippets"][0]["text"], tmp_path)


@pytest.mark.parametrize("name, options", [
    ("segment", []), ("rudderstack", []), ("rudderstack", ["--secret"])])
def test_a_library_sends_a_signal(stack, tmp_path, name, options):
    missing = npm.install(CLIENTS / "package.json", LIBRARIES, NODE_MAJOR)
    if missing:
        pytest.skip(missing)
    key = made(stack, name, *options)
    run(name, key["snippets"][0]["text"], tmp_path)
    wait_for(lambda: signals(stack, key) == [(name, "test", None, "test")], "the row is stored")


# ---- what is typed into a form of a service ----

def path_in(stack, line):
    url = line.strip()
    assert url.startswith(stack.base_url)
    return url.removeprefix(stack.base_url)


def test_the_url_for_hubspot(stack):
    key = made(stack, "hubspot", "--delivery-id", "eventId")
    url = key["snippets"][0]["text"].splitlines()[1]
    sender = sender_files.sender_of(CLIENTS.parent / "senders" / "hubspot.http")
    request = sender.requests[0]
    for _ in range(2):
        assert send(stack, path_in(stack, url), request.body, JSON).status == 202
    assert [row[0] for row in signals(stack, key)] == ["hubspot"] * 2, "a repeat is stored once"


@SECRETS
def test_all_urls(stack, options):
    key = made(stack, "urls", *options)
    lines = key["snippets"][0]["text"].splitlines()
    header = [line.strip().split(": ") for line in lines if "X-Api-Secret" in line]
    assert len(header) == len(options)
    urls = [line for line in lines if line.startswith("  http")]
    assert len(urls) == 4
    for url in urls:
        sent = send(stack, path_in(stack, url), b'[{"email":"lead@example.com"}]',
                    {**JSON, **dict(header)})
        assert sent.status == 202, url
    assert [row[0] for row in signals(stack, key)] == ["generic", "my-source"] + ["generic"] * 2


# ---- for a key that is not known any more ----

def test_placeholders(stack, tool):
    plain, secret, orgs = (str(key["id"]) for key in (
        stack.new_key(), stack.new_key(secret=True), stack.new_product_key()))
    assert [one["name"] for one in tool.json("key", "snippet", plain)["snippets"]] == NAMES
    assert [one["name"] for one in tool.json("key", "snippet", secret)["snippets"]] == [
        *HEADER_NAMES[:4], "rudderstack", "urls"]
    assert [one["name"] for one in tool.json("key", "snippet", orgs)["snippets"]] == HEADER_NAMES
    for key, want in ((plain, 0), (secret, 1), (orgs, 0)):
        for one in tool.json("key", "snippet", key)["snippets"]:
            assert "YOUR-KEY" in one["text"] and not KEY.search(one["text"])
            assert one["text"].count("YOUR-SECRET") == want
    text = tool("key", "snippet", plain).stdout_text
    assert re.findall("^# .*: --snippet (.*)$", text, re.MULTILINE) == NAMES
    assert tool("key", "snippet", plain, "--snippet", "html").stdout_text.startswith("<form")
    [one] = tool.json("key", "snippet", plain, "--snippet", "python")["snippets"]
    assert tool("key", "snippet", plain, "--snippet", "python").stdout_text == one["text"] + "\n"


@pytest.mark.parametrize("arguments, says", [
    (["--snippet", "cobol"], 'there is no snippet "cobol"'),
    (["--snippet", "html", "--secret"], "it cannot send the secret that the key needs"),
    (["--snippet", "fetch", "--endpoint", "product_orgs"], "of the type signal_staging")])
def test_what_cannot_be_had_makes_no_key(stack, tool, organization, arguments, says):
    assert says in tool.refused("key", "create", "--organization", organization, "--name", "none",
                                *arguments, exits=USAGE)
    assert stack.psql("select count(*) from sluice.key_overview where organization = %s",
                      organization) == [(0,)]


def test_the_help_names_all(tool):
    said = " ".join(tool("key", "create", "--help").stdout_text.split())
    assert f"{', '.join(NAMES[:-1])} or {NAMES[-1]}" in said
