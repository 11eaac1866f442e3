"""The settings page in a real browser: keys and secrets are edited, rotated, and never lost.

Each test fails by what those of test_settings_page.py fail by as well.
"""

import contextlib
import http.server
import json
import threading

import pytest
from selenium.webdriver.common.keys import Keys

from harness import JSON, KEY, SECRET, org_path, path_of, send, wait_for
from settings_page import LOSE, assert_clear_text_gone, fits, type_into

pytestmark = [pytest.mark.settings, pytest.mark.first_front]

def shown(page):
    """What the dialog shows in clear; it must later be in no log."""
    page.wait("dialog .reveal")
    texts = [element.text for element in page.all("dialog .reveal-text")]
    page.stack.credentials.update(KEY.findall(" ".join(texts)), SECRET.findall(" ".join(texts)))
    return texts


def key_named(page, name):
    return page.stack.psql("select id, display, expires_at from sluice.api_key where name = %s"
                           " order by id", name)


def status_with(page, key, secret=None):
    head = {**JSON, **({"X-Api-Secret": secret} if secret else {})}
    return send(page.stack, path_of({"key": key}), b'{"email":"a@example.com"}', head).status


# ---- editing ----

def test_a_name_and_an_expiration_are_edited(page):
    page.stack.new_key(name="To be renamed")
    page.visit("keys")
    page.act("To be renamed", "Edit")
    name = page.wait("dialog input[type=text]")
    assert page.driver.switch_to.active_element == name
    name.clear()
    page.click("dialog [type=submit]")
    page.wait("dialog .fault", "Enter a name")
    name.send_keys("Renamed")
    page.script("""const life = document.querySelector('dialog select');
        life.value = '30'; life.dispatchEvent(new Event('change'))""")
    name.send_keys(Keys.ENTER)
    page.wait_gone("dialog")
    page.row("Renamed")
    wait_for(lambda: page.script("return document.activeElement.tagName") == "H1",
             "the focus is at the heading")
    [(_, _, expires)] = key_named(page, "Renamed")
    assert expires is not None
    page.settle()
    page.act("Renamed", "Edit")
    page.wait("dialog option", "Unchanged: ")
    page.script("document.querySelector('dialog select').value = 'never'")
    page.click("dialog [type=submit]")
    page.wait_gone("dialog")
    wait_for(lambda: key_named(page, "Renamed")[0][2] is None, "it never expires")


def test_a_name_that_is_taken_is_told(page):
    page.expected.add(409)
    page.stack.new_key(name="Taken by one")
    page.stack.new_key(name="Wants it")
    page.visit("keys")
    page.name_a_key("taken BY one")
    page.click("dialog [type=submit]")
    page.wait("dialog .fault", 'another key is named "taken BY one"')
    page.click("dialog button", "Cancel")
    page.wait_gone("dialog")
    page.act("Wants it", "Edit")
    name = page.wait("dialog input[type=text]")
    name.clear()
    name.send_keys("Taken by one", Keys.ENTER)
    page.wait("dialog .fault", "another key is named")
    assert page.driver.switch_to.active_element == name
    page.click("dialog button", "Cancel")
    page.wait_gone("dialog")


def test_networks_are_edited(page):
    page.expected.add(400)  # the network with a mistake
    key = page.stack.new_key(name="Somewhere")
    page.visit("keys")
    page.act("Somewhere", "Edit")
    networks = page.wait("dialog input[placeholder^='192.0.2']")
    networks.send_keys("198.51.100.0/24 10.0.0.1/8", Keys.ENTER)
    page.wait("dialog .fault", "has bits to the right of its mask")
    assert page.driver.switch_to.active_element == networks
    networks.clear()
    networks.send_keys("198.51.100.0/24 10.0.0.1", Keys.ENTER)
    page.wait_gone("dialog")
    page.settle()
    assert status_with(page, key["key"]) == 403
    page.open_row("Somewhere")
    page.wait_shown("tr.detail", "Networks", "10.0.0.1/32, 198.51.100.0/24")
    page.act("Somewhere", "Edit")
    page.wait("dialog input[placeholder^='192.0.2']").clear()
    page.click("dialog [type=submit]")
    page.wait_gone("dialog")
    wait_for(lambda: status_with(page, key["key"]) == 202, "it works from everywhere")


def test_a_template_is_tried_on_the_latest_payload(page):
    key = page.stack.new_product_key(name="Warehouse")
    assert send(page.stack, org_path(key),
                b'{"groupId":"acme","seats":12345678901234567890}').status == 202
    page.visit("keys")
    page.act("Warehouse", "Edit")
    page.wait(".preview th", "product_org_id")
    template, payload = page.all("dialog textarea")
    wait_for(lambda: "12345678901234567890" in payload.get_property("value"),
             "the latest payload is there")
    assert json.loads(template.get_property("value")) == {"product_org_id": "groupId"}
    type_into(page, template, '{"product_org_id": "id"}')
    page.wait(".preview .refused", "Would be rejected")
    page.click("dialog [type=submit]")
    page.wait("dialog .fault", "would be rejected")
    type_into(page, template,
              '{\n  "product_org_id": "groupId",\n  "custom": {"seats": "seats"}\n}')
    page.wait(".preview th", "custom.seats")
    page.click("dialog [type=submit]")
    page.wait_gone("dialog")
    assert page.stack.psql("select payload_template -> 'custom' ->> 'seats' from sluice.api_key"
                           " where id = %s", key["id"]) == [("seats",)]
    page.settle()
    page.act("Warehouse", "History")
    page.wait("dialog .history li", "Key edited")
    assert page.text("dialog .diff ins").startswith("+ ")
    assert "seats" in page.text("dialog .diff")


# ---- snippets ----

def offered(page):
    return page.script("""return [...document.querySelectorAll('dialog .reveal-choice option')]
        .map(option => option.value)""")


def snippet(page, name):
    """What the dialog shows after a choice."""
    page.script("""const choice = document.querySelector('dialog .reveal-choice select');
        choice.value = arguments[0]; choice.dispatchEvent(new Event('change'))""", name)
    return page.text("dialog pre.reveal-text")


@contextlib.contextmanager
def site(body):
    """The address of a web page of somebody else's."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(f"<!DOCTYPE html><link rel=icon href='data:,'>{body}".encode())

        def log_message(self, *unused):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize("name", ["fetch", "html"])
def test_a_web_page_sends_what_is_offered(page, clipboard, name):
    page.visit("keys")
    page.create(f"For {name}")
    shown(page)
    assert offered(page)[0] == "curl" and len(offered(page)) == 10
    text = snippet(page, name)
    assert page.copied("Try it") == text
    page.close_dialog("Done")
    assert not page.complaints()
    with site(f"<script>{text}</script>" if name == "fetch" else text) as address:
        page.driver.get(address)
        if name == "html":
            page.script("""document.querySelector('[name=email]').value = 'lead@example.com';
                document.querySelector('button').click()""")
        wait_for(lambda: page.stack.psql(
            "select s.email from sluice.signal_staging s join sluice.api_key k on k.id = s.key_id"
            " where k.name = %s", f"For {name}") == [("lead@example.com",)], "the row is stored")
    page.browser.forget()  # the other site is elsewhere, as it should be


@pytest.mark.parametrize("width", [320, 768, 1024, 1280])
def test_snippets_fit(page, width):
    page.browser.look(width, forced=width == 768)
    page.visit("keys")
    page.create(f"Wide {width}", secret=True)
    shown(page)
    assert offered(page) == ["curl", "node", "python", "php", "rudderstack", "urls"]
    for name in offered(page):
        snippet(page, name)
        assert fits(page, "dialog") and page.overflow() == 0
    page.close_dialog("Done")


# ---- a test event ----

@pytest.mark.parametrize("secret", [False, True], ids=["plain", "secret"])
def test_a_test_event_in_one_click(page, secret):
    page.visit("keys")
    page.create(f"To be tested {secret}", secret=secret)
    key = shown(page)[0]
    page.click("dialog button", "Send a test event")
    page.wait_shown("dialog .tested", "202", "Signal received", "lead@example.com", "Staging")
    [(message, marked)] = page.stack.psql(
        "select message_id, payload ->> 'test' from sluice.signal_staging s join sluice.api_key k"
        " on k.id = s.key_id where k.key_hash = sha256(convert_to(%s, 'UTF8'))", key)
    assert marked == "true" and message in page.text("dialog .tested")
    page.wait("dialog .watch", "first request arrived")
    for width in (320, 768, 1024, 1280):
        page.browser.look(width, forced=width == 1024)
        assert fits(page, "dialog") and page.overflow() == 0
    page.close_dialog("Done")


def test_a_test_event_fits_the_template(page):
    """With a value for each field, below whatever path."""
    template = {"product_org_id": "groupId", "name": "traits.name", "mrr": "plans.0.mrr",
                "feature_flags": "traits.flags", "last_active_at": "at",
                "custom": {"seats": "traits.flags.seats", "dotted": "a\\.b", "same": "groupId"}}
    page.visit("keys")
    page.name_a_key("Accounts to be tested")
    page.click("dialog .choice", "Product Org Updates")
    page.wait(".preview th", "custom.industry")
    type_into(page, page.wait("dialog textarea"), json.dumps(template))
    page.submit()
    page.click("dialog button", "Send a test event")
    page.wait_shown("dialog .tested", "202", "Test org", "Product orgs, under Staging")
    [(identity, name, mrr, flags, active, custom, warnings, test)] = page.stack.psql(
        "select u.product_org_id, u.name, u.mrr, u.feature_flags, u.last_active_at is not null,"
        " u.custom, u.warnings, u.payload ->> 'test' from sluice.product_org_staging u"
        " join sluice.api_key k on k.id = u.key_id where k.name = 'Accounts to be tested'")
    assert identity.startswith("test-") and identity in page.text("dialog .tested")
    assert (name, mrr, active, test) == ("Test org", 0, True, "true")
    assert flags["test"] is True and custom["dotted"] == "test" and custom["same"] == identity
    assert not warnings
    page.wait("dialog .watch", "first request arrived")
    page.close_dialog("Done")


def test_a_test_event_that_is_refused(page):
    """The answer at once, and the reason in words while the dialog waits."""
    page.expected.add(403)
    page.visit("keys")
    page.name_a_key("From elsewhere")
    page.wait("dialog input[placeholder^='192.0.2']").send_keys("198.51.100.0/24")
    page.submit()
    page.click("dialog button", "Send a test event")
    page.wait_shown("dialog .tested", "network")
    page.wait_shown("dialog .history", "403 wrong_network")
    page.close_dialog("Done")


# ---- rotation ----

def test_a_key_is_rotated_in_four_clicks(page):
    """Open the row, Rotate, confirm, copy."""
    old = page.stack.new_key(name="To be rotated", secret=True)
    assert status_with(page, old["key"], old["secret"]) == 202
    page.visit("keys")
    page.act("To be rotated", "Rotate")
    page.wait_shown("dialog", "last used", "a secret of its own")
    page.click("dialog button", "Rotate key")
    key, secret, curl = shown(page)
    page.wait_shown("dialog", "The old key", "was last used", "is valid until")
    assert KEY.fullmatch(key) and SECRET.fullmatch(secret) and key in curl
    assert [status_with(page, *pair) for pair in ((key, secret), (old["key"], old["secret"]))] \
        == [202, 202]
    page.wait("dialog .watch", "first request arrived")
    page.close_dialog("Done")
    assert_clear_text_gone(page, key, secret)
    (_, old_display, _), (_, new_display, _) = key_named(page, "To be rotated")
    page.wait_shown("tr.opens", old_display, "rotated, ends in ")
    page.open_row(new_display)
    page.wait_shown("tr.detail", "Replaces", old_display, "last used", "ends in ")
    page.open_row(old_display)
    page.wait_shown("tr.detail", "Replaced by", new_display)
    buttons = page.script("""return [...[...document.querySelectorAll('tr.opens')].find(row =>
        row.textContent.includes(arguments[0])).nextElementSibling
        .querySelectorAll('.actions button')].map(button => button.textContent)""", old_display)
    assert buttons == ["Edit", "Secret", "History", "Refusals", "Deactivate"], \
        "it is not rotated twice"


def test_a_secret_is_enabled_rotated_and_removed(page):
    key = page.stack.new_key(name="To be guarded")["key"]
    page.visit("keys")
    page.act("To be guarded", "Secret")
    page.wait("dialog .choice", "Enable a secret")
    page.click("dialog button", "Enable secret")
    first, = shown(page)
    page.wait_shown("dialog", "Requests need it from")
    page.close_dialog("Done")
    page.open_row("To be guarded")
    page.wait_shown("tr.detail", "Required in the X-Api-Secret header from")
    assert [status_with(page, key, secret) for secret in (None, first)] == [202, 202]
    page.act("To be guarded", "Secret")
    page.click("dialog button", "End it")
    page.wait_gone("dialog")
    wait_for(lambda: status_with(page, key) == 401, "it is needed")
    page.settle()
    page.act("To be guarded", "Secret")
    page.click("dialog button", "Rotate secret")
    second, = shown(page)
    page.wait_shown("dialog", "The old secret is valid, too, until")
    page.close_dialog("Done")
    assert [status_with(page, key, secret) for secret in (first, second)] == [202, 202]
    page.act("To be guarded", "Secret")
    page.click("dialog .choice", "Remove it")
    page.click("dialog button", "Remove secret")
    page.wait_gone("dialog")
    wait_for(lambda: status_with(page, key) == 202, "none is needed")
    assert_clear_text_gone(page, first, second)


# ---- why is it refused? ----

def test_why_a_key_is_refused_in_one_click(page):
    """The row says that it is; the click says why, and what to do."""
    key = page.stack.new_key(name="Misused", secret=True)
    assert [status_with(page, key["key"], secret) for secret in (None, None, "whs_" + "x" * 40)] \
        == [401] * 3
    wait_for(lambda: page.stack.psql("select sum(requests) from sluice.refusal where key_id = %s",
                                     key["id"]) == [(3,)], "the refusals are counted")
    page.visit("keys")
    row = page.row("Misused")
    link = row.find_element("css selector", "button.link")
    assert link.text.startswith("refused ")
    link.send_keys(Keys.ENTER)
    page.wait_shown("dialog", "The request had no secret", "X-Api-Secret", "401 unauthenticated",
                    "2 requests today", "The secret of the request was another one",
                    "1 request today")
    page.close_dialog("Close")
    assert status_with(page, key["key"], key["secret"]) == 202
    page.act("Misused", "Refusals")
    page.wait_shown("dialog", "accepted since")


# ---- how much comes with it? ----

def test_how_much_comes_with_a_key(page):
    """In the list, and of each kind in the opened row."""
    key = page.stack.new_key(name="Busy", secret=True)
    assert [status_with(page, key["key"], key["secret"]) for _ in range(3)] == [202] * 3
    assert send(page.stack, path_of(key, end="/batch"), b'[{"email": "a@example.com"}, 7]',
                {**JSON, "X-Api-Secret": key["secret"]}).status == 202
    assert status_with(page, key["key"]) == 401
    wait_for(lambda: page.stack.psql("select 1 from sluice.refusal where key_id = %s", key["id"]),
             "the refusal is counted")
    page.visit("keys")
    page.wait_shown("tr.opens", "Busy", "4 in 7 days", "1 rejected")
    page.open_row("Busy")
    page.wait_shown("tr.detail .volume", "4 in 7 days, 4 of them today", "1 in 7 days, 1 of them")
    assert page.wait(".days").get_attribute("aria-label").endswith("0; 0; 0; 0; 0; 0; 4")
    for width in (320, 768, 1024, 1280):
        page.look(width, dark=width == 768, forced=width == 1024)
        assert page.overflow() <= 0 and fits(page)


@pytest.mark.parametrize("label, rows", [("2 in 7 days", 2), ("1 rejected", 1)])
def test_what_came_with_a_key_is_one_click_away(page, label, rows):
    key = page.stack.new_key(name=f"Leads to {label}")
    assert send(page.stack, path_of(key, end="/batch"), b'[{"userId": 1}, 7, {"userId": 2}]',
                JSON).status == 202
    page.visit("keys")
    row = page.row(f"Leads to {label}")
    wait_for(lambda: label in row.text, "the volumes are there")
    page.click("tr.opens a", label)
    for reload in (False, True):
        if reload:
            page.driver.refresh()
        wait_for(lambda: len(page.all("tr.opens")) == rows, "only its own are shown")
        assert all(f"Leads to {label}" in each.text for each in page.all("tr.opens"))
    if label == "2 in 7 days":
        assert page.wait("[name=key]").get_property("value") == str(key["id"])


def test_of_a_key_that_never_came(page):
    page.stack.new_key(name="Silent")
    page.visit("keys")
    page.act("Silent", "Refusals")
    page.wait_shown("dialog", "No request with the whole key has arrived")


def test_the_one_time_dialog_says_why_nothing_arrives(page):
    page.visit("keys")
    page.create("At the wrong door")
    key = page.text("dialog .reveal-text")
    assert send(page.stack, org_path({"key": key}), b"{}").status == 403
    page.wait_shown("dialog .history", "sent to the other endpoint", "403 wrong_endpoint")
    assert page.text("dialog .watch").startswith("Waiting")
    assert status_with(page, key) == 202
    page.wait("dialog .watch", "first request arrived")


# ---- which key is it? ----

def test_a_pasted_key_is_found_and_not_sent(page):
    """In clear it stays in the browser, and not even there once it has been recognised."""
    key = page.stack.new_key(name="Found again")["key"]
    page.visit("keys")
    search = page.wait("input[type=search]")
    for text in (key, f"https://hooks.example.com/api/signal-staging/webhook/{key}/batch"):
        type_into(page, search, text)
        page.wait(".pasted", "Found again")
        assert page.text(".pasted").endswith(": Active.")
        assert search.get_property("value") == f"{key[:7]}…{key[-4:]}"
        wait_for(lambda: len(page.all("tr.opens")) == 1, "it alone is listed")
        type_into(page, search, "")
        wait_for(lambda: not page.text(".pasted"), "nothing is said any more")
    type_into(page, search, key[:20] + ("a" if key[20] != "a" else "b") + key[21:])
    page.wait(".pasted", "This key has a mistake")
    page.stack.ctl("organization", "create", "Elsewhere")
    other = page.stack.new_key("Elsewhere")["key"]
    type_into(page, search, other)
    page.wait(".pasted", "No key of this organization is the pasted one")
    page.wait(".empty", "No keys match")
    page.script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    type_into(page, search, key)
    page.wait(".pasted", "first and last characters alone")
    page.row("Found again")
    assert_clear_text_gone(page, key, other)


# ---- nothing is lost ----

def test_a_lost_answer_is_asked_for_again(page):
    page.visit("keys")
    page.script(LOSE, 1)
    page.name_a_key("Lost once")
    page.click("dialog [type=submit]")
    key = shown(page)[0]
    assert status_with(page, key) == 202
    page.close_dialog("Done")
    assert len(key_named(page, "Lost once")) == 1


def test_answers_that_stay_lost(page):
    """The form then keeps what was sent, and asks for the same key when it is told to."""
    page.visit("keys")
    page.script(LOSE, 3)
    page.name_a_key("Lost for longer")
    page.click("dialog [type=submit]")
    page.wait_shown("dialog .failed", "No answer from the server",
                    "It may have been done. Ask again")
    assert page.script("return document.querySelector('dialog .fields').inert")
    page.click("dialog [type=submit]", "Ask again")
    key = shown(page)[0]
    assert status_with(page, key) == 202
    page.close_dialog("Done")
    assert len(key_named(page, "Lost for longer")) == 1

    page.script(LOSE, 3)
    page.act("Lost for longer", "Rotate")
    page.click("dialog button", "Rotate key")
    page.wait("dialog .failed", "No answer from the server")
    page.click("dialog button", "Ask again")
    assert status_with(page, shown(page)[0]) == 202
    page.close_dialog("Done")
    assert len(key_named(page, "Lost for longer")) == 2


def test_a_lost_key_is_in_the_list(page):
    page.visit("keys")
    page.script(LOSE, 3)
    page.name_a_key("Given up")
    page.click("dialog [type=submit]")
    page.wait("dialog .failed")
    page.close_dialog("Cancel")
    page.row("Given up")


def asks_before_a_reload(page):
    return page.script("""const event = new Event('beforeunload', { cancelable: true });
        dispatchEvent(event); return event.defaultPrevented""")


def test_leaving_asks_first(page):
    """Escape, again and again, Back and reload."""
    page.visit("staging")
    page.go("API keys")
    page.create("Not to be left")
    key = page.text("dialog .reveal-text")
    for _ in range(3):
        page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.wait("dialog .question", "It cannot be shown again")
    # A request to close that cannot be prevented, such as Android's second Back.
    page.script("document.querySelector('dialog').close()")
    page.wait("dialog .question")
    assert page.text("dialog .reveal-text") == key
    assert asks_before_a_reload(page)
    page.driver.back()  # within the page
    assert page.text("dialog .reveal-text") == key
    page.click("dialog .question button", "Close")
    page.wait_gone("dialog")
    assert not asks_before_a_reload(page)
    assert_clear_text_gone(page, key)


def test_a_dialog_that_cannot_be_loaded_says_so(page):
    page.stack.new_key(name="Offline")
    page.visit("keys")
    page.expected.add(599)
    page.command("Network.setBlockedURLs", urls=["*/edit-key.js"])
    try:
        page.press("Offline", "Edit")
        page.wait("#toast", "could not be loaded")
    finally:
        page.command("Network.setBlockedURLs", urls=[])
    page.driver.get_log("browser")  # the module that was held back


# ---- how it looks ----

@pytest.mark.parametrize("width, forced", [
    pytest.param(width, forced, id=f"{width}-{'forced' if forced else 'colours'}",
                 marks=[] if (width, forced) in ((320, False), (768, True), (1024, False))
                 else [pytest.mark.slow])
    for width in (320, 768, 1024, 1280) for forced in (False, True)])
def test_all_that_can_be_done_is_in_the_window(page, width, forced):
    page.look(width, forced=forced)
    page.visit("keys")
    for name in ("Segment production", "Accounts from"):
        page.open_row(name)
    assert page.overflow() <= 0 and fits(page)
    seen = page.script("""return [...document.querySelectorAll('.actions button')].map(button => {
        const box = button.getBoundingClientRect();
        return box.width > 0 && box.left >= 0 && box.right <= innerWidth; })""")
    assert len(seen) == 12 and all(seen)
    for label in ("Edit", "Rotate", "Secret", "History", "Refusals", "Deactivate"):
        page.act("Segment production", label)
        page.settle()
        assert page.overflow() <= 0 and fits(page, "dialog"), label
        page.click("dialog .dialog-foot button")
        page.wait_gone("dialog")


def test_with_the_keyboard_alone(page):
    """From the row to the new secret, without a pointer."""
    page.stack.new_key(name="By keyboard")
    page.visit("keys")
    page.row("By keyboard")
    page.script("""[...document.querySelectorAll('tr.opens')].find(row =>
        row.textContent.includes('By keyboard')).querySelector('.toggle').focus()""")

    def press(*keys):
        for key in keys:
            page.driver.switch_to.active_element.send_keys(key)

    press(Keys.ENTER, Keys.TAB, Keys.TAB, Keys.TAB)
    assert page.driver.switch_to.active_element.text == "Secret"
    press(Keys.ENTER)
    page.wait("dialog")
    while page.driver.switch_to.active_element.text != "Enable secret":
        press(Keys.TAB)
    press(Keys.ENTER)
    secret, = shown(page)
    assert page.driver.switch_to.active_element.text == "Copy"
    page.close_dialog("Done")
    assert_clear_text_gone(page, secret)
