"""The jobs for which people come: each takes at most four clicks on the page, and one command.

Clicks are those of a pointer at what is seen; what is typed is none. Each test on the page fails by
what those of test_settings_page.py fail by as well.
"""

import datetime
import json
import subprocess

import pytest
from selenium.webdriver.common.keys import Keys

from hand import Hand
from harness import ENVIRONMENT, JSON, KEY, org_path, path_of, send, wait_for
from settings_page import LIMIT

pytestmark = [pytest.mark.settings, pytest.mark.first_front]

CLICKS = 4
TEMPLATE = {"product_org_id": "groupId", "custom": {"seats": "seats"}}
JANE = {"email": "jane@example.com", "event": "Signed up"}


@pytest.fixture
def hand(page):
    found = Hand(page)
    yield found
    assert 0 < found.clicks <= CLICKS


@pytest.fixture(scope="module")
def jane(page_stack, filled):
    """The id of her sign-up of yesterday at noon."""
    made = send(page_stack, path_of(filled["forms"]), json.dumps(JANE).encode()).json["id"]
    page_stack.psql("update sluice.signal set received_at ="
                    " date_trunc('day', now(), 'UTC') - interval '12 hours' where id = %s", made)
    return made


@pytest.fixture(scope="module")
def refused(page_stack):
    """A key whose sender has forgotten the secret."""
    key = page_stack.new_key(name="Forgetful", secret=True)
    assert status_with(page_stack, key["key"]) == 401
    wait_for(lambda: page_stack.psql("select 1 from sluice.refusal where key_id = %s", key["id"]),
             "the refusal is counted")
    return key


@pytest.fixture
def warehouse(page_stack):
    """A key with a template, and with a payload on which another one can be tried."""
    key = page_stack.new_product_key(name="Warehouse")
    assert send(page_stack, org_path(key), b'{"groupId": "acme", "seats": 12}').status == 202
    yield key
    page_stack.ctl("key", "deactivate", key["id"])


def status_with(stack, key):
    return send(stack, path_of({"key": key}), b'{"email": "a@example.com"}', JSON).status


def template_of(stack, key):
    return stack.psql("select payload_template from sluice.api_key where id = %s",
                      key["id"])[0][0]


def limit_of(stack):
    return stack.psql("select signal_limit from sluice.organization where name = %s",
                      stack.organization)[0][0]


# ---- create and copy a key ----

def test_a_key_is_created_and_copied(hand, page, clipboard):
    page.visit("keys")
    hand.click("button", "Create key")
    hand.write("For the new sender")
    hand.click("dialog [type=submit]", "Create")
    hand.click("dialog .copy", "Copy")
    key = page.text("dialog .reveal-text")
    page.stack.credentials.add(key)
    wait_for(lambda: hand.pasted() == key, "it is copied")
    hand.click("dialog button", "Done")
    page.wait_gone("dialog")
    assert status_with(page.stack, key) == 202


def test_a_key_is_created_by_a_command(page_stack):
    shown = page_stack.ctl("key", "create", "--organization", page_stack.organization, "--name",
                           "Created by a command")
    assert status_with(page_stack, KEY.search(shown)[0]) == 202


# ---- rotate ----

def test_a_key_is_rotated(hand, page, clipboard):
    """The new key is copied with the fourth click; the keyboard closes what shows it."""
    old = page.stack.new_key(name="In rotation")["key"]
    page.visit("keys")
    hand.click(".toggle", row="In rotation")
    hand.click(".actions button", "Rotate")
    hand.click("dialog button", "Rotate key")
    hand.click("dialog .copy", "Copy")
    new = page.text("dialog .reveal-text")
    page.stack.credentials.add(new)
    wait_for(lambda: hand.pasted() == new, "it is copied")
    assert [status_with(page.stack, key) for key in (old, new)] == [202, 202]
    while hand.focused.text != "Done":
        hand.press(Keys.TAB)
    hand.press(Keys.ENTER)
    page.wait_gone("dialog")


def test_a_key_is_rotated_by_a_command(page_stack):
    old = page_stack.new_key(name="In rotation by a command")
    new = KEY.search(page_stack.ctl("key", "rotate", old["id"]))[0]
    assert new != old["key"]
    assert [status_with(page_stack, key) for key in (old["key"], new)] == [202, 202]


# ---- change a template ----

def test_a_template_is_changed(hand, page, warehouse):
    page.visit("keys")
    hand.click(".toggle", row="Warehouse")
    hand.click(".actions button", "Edit")
    page.wait(".preview th", "product_org_id")
    hand.click("dialog textarea")
    hand.write(json.dumps(TEMPLATE))
    page.wait(".preview th", "custom.seats")
    hand.click("dialog [type=submit]", "Save")
    page.wait_gone("dialog")
    assert template_of(page.stack, warehouse) == TEMPLATE


def test_a_template_is_changed_by_a_command(page_stack, warehouse, tmp_path):
    file = tmp_path / "template.json"
    file.write_text(json.dumps(TEMPLATE))
    page_stack.ctl("key", "edit", warehouse["id"], "--template", file)
    assert template_of(page_stack, warehouse) == TEMPLATE


# ---- find Jane ----

def test_jane_is_found(hand, page, jane):
    """Did her sign-up arrive yesterday? The row says when, and opens to all there is."""
    page.visit("keys")
    hand.click("nav a", "Staging")
    hand.click("[name=q]")
    hand.write("jane@example.com")
    hand.press(Keys.ENTER)
    page.wait(".progress", "1 signal: that is all there is.")
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    page.wait_shown("tr.opens", "jane@example.com", f"{yesterday:%b} {yesterday.day},")
    hand.click(".toggle", row="jane@example.com")
    page.wait_shown("tr.detail", str(jane), "Signed up")


def test_jane_is_found_by_a_command(page_stack, jane):
    shown = page_stack.ctl("signal", "list", "jane@example.com", "--organization",
                           page_stack.organization)
    assert str(jane) in shown and "Signed up" in shown


# ---- why is it refused? ----

def test_why_a_key_is_refused(hand, page, refused):
    page.visit("keys")
    hand.click("tr.opens button.link", "refused", row="Forgetful")
    page.wait_shown("dialog", "The request had no secret", "X-Api-Secret")


def test_why_a_key_is_refused_by_a_command(page_stack, refused):
    shown = page_stack.ctl("key", "refusals", refused["id"])
    assert "The request had no secret" in shown and "X-Api-Secret" in shown


# ---- repair a reject ----

def test_a_reject_is_repaired(hand, page, filled):
    send(page.stack, path_of(filled["forms"]), b'{"email": "repaired@example.com",}')
    page.visit("keys")
    hand.click("tr.opens a", "rejected", row="Website forms")
    hand.click(".toggle")
    hand.click("tr.detail .actions button", "Edit and replay")
    page.wait("dialog .preview", "Still bad")
    page.script("document.querySelector('dialog textarea').focus()")
    hand.write('{"email": "repaired@example.com"}')
    page.wait("dialog .preview", "1 row would be stored")
    hand.click("dialog button", "Replay")
    page.wait_gone("dialog")
    assert page.stack.psql("select 1 from sluice.signal where email = 'repaired@example.com'")


def test_a_reject_is_repaired_by_a_command(page_stack, filled, tmp_path):
    send(page_stack, path_of(filled["forms"]), b'{"email": "broken@example.com",}')
    [(identity,)] = page_stack.psql("select max(id) from sluice.rejected_payload")
    file = tmp_path / "repaired.json"
    file.write_text('{"email": "broken@example.com"}')
    page_stack.ctl("rejected", "replay", identity, "--file", file)
    assert page_stack.psql("select 1 from sluice.signal where email = 'broken@example.com'")


# ---- follow live ----

def test_signals_are_followed(hand, page, filled):
    page.visit("keys")
    hand.click("nav a", "Staging")
    page.wait(".live-state", "Live")
    send(page.stack, path_of(filled["forms"]), b'{"email": "live@example.com"}')
    page.row("live@example.com")


def test_signals_are_followed_by_a_command(page_stack, filled):
    with subprocess.Popen([page_stack.env["SLUICECTL"], "tail", "--organization",
                           page_stack.organization], stdout=subprocess.PIPE, text=True,
                          env={**ENVIRONMENT, **page_stack.env}) as tail:
        tail.stdout.readline()
        send(page_stack, path_of(filled["forms"]), b'{"email": "followed@example.com"}')
        assert any("followed@example.com" in line for line in tail.stdout)
        tail.terminate()


# ---- raise the limit ----

def test_the_limit_is_raised(hand, page):
    page.visit("keys")
    hand.click("nav a", "Usage")
    hand.click("button", "Change limit")
    hand.write("2,000,000")
    hand.click("dialog [type=submit]", "Save")
    page.wait(".figure", "of 2,000,000 signals")
    assert limit_of(page.stack) == 2_000_000
    page.stack.ctl("organization", "limit", page.stack.organization, "--signals", LIMIT)


def test_the_limit_is_raised_by_a_command(page_stack):
    page_stack.ctl("organization", "limit", page_stack.organization, "--signals", 3_000_000)
    assert limit_of(page_stack) == 3_000_000
    page_stack.ctl("organization", "limit", page_stack.organization, "--signals", LIMIT)
