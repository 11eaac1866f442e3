"""The settings page in a real browser: what a person is told whose request failed, and what to do.

Each test fails by what those of test_settings_page.py fail by as well.
"""

import json

import pytest

from harness import org_path, path_of, send
from settings_page import LOSE, ROWS, type_into

pytestmark = [pytest.mark.settings, pytest.mark.first_front]

# Answers of a web server, or of the service, to requests whose address has this text.
ANSWER = """const was = window.fetch, [text, status, body, headers] = arguments;
    window.fetch = async (url, options) => String(url).includes(text)
        ? new Response(body, { status, headers }) : was(url, options)"""
HTML = "<html><h1>Sorry</h1></html>"
RELOAD = "Reload the page"


def answers(page, text, status, body=HTML, **headers):
    page.script(ANSWER, text, status, body, headers)


def told(page, selector, *texts):
    """The words and buttons of the failure that is shown; it holds nothing of programs."""
    page.wait_shown(f"{selector} .failed", *texts)
    shown = page.script("""return [...document.querySelectorAll(arguments[0])].at(-1).innerText
        """, f"{selector} .failed")
    for word in ("undefined", "null", "X-CSRF", "parameter", "member of the body", "<html"):
        assert word not in shown
    return page.script("""return [...[...document.querySelectorAll(arguments[0])].at(-1)
        .querySelectorAll('button')].map(button => button.textContent)""", f"{selector} .failed")


def test_the_password_was_changed(page):
    """In a view and in a dialog. With Basic, a browser at a screen asks for the new one."""
    page.visit("keys")
    page.open_dialog("Create key")
    page.wait("dialog input[type=text]").send_keys("After the change")
    answers(page, "/keys", 401)
    page.click("dialog [type=submit]")
    assert told(page, "dialog", "You have been signed out", "password may have been changed",
                "Reload the page to sign in again") == [RELOAD]
    assert not page.script("return document.querySelector('dialog .fields').inert")
    page.close_dialog("Cancel")
    answers(page, "/members", 401)
    page.click("nav a", "Members")
    assert told(page, ".view", "You have been signed out") == [RELOAD]
    page.click(".failed button", RELOAD)
    page.wait_gone(".failed")
    page.wait(".view h1", "Members")
    page.settle()


@pytest.fixture
def member(page):
    """A member of whom the test may change everything."""
    stack = page.stack
    stack.ctl("member", "add", "--organization", stack.organization, "--user", "sven",
              "--role", "editor")
    yield "sven"
    stack.psql("delete from sluice.member where user_name = 'sven'")


def test_the_role_was_changed(page, member):
    page.expected.add(403)
    page.visit("keys", member)
    page.act("Website forms", "Deactivate")
    page.stack.psql("update sluice.member set role = 'viewer' where user_name = %s", member)
    page.click("dialog button", "Deactivate")
    assert told(page, "dialog", "Your role does not allow this", "editor, admin or owner",
                "If your role was changed meanwhile, reload the page") == [RELOAD]
    page.stack.psql("delete from sluice.member where user_name = %s", member)
    page.click("dialog button", "Deactivate")
    assert told(page, "dialog", "You are not a member", "not a member of") == [RELOAD]
    page.click("dialog .failed button", RELOAD)
    page.wait("h1", "You are not a member yet")


def test_somebody_was_quicker(page):
    """409: what is shown is no longer so."""
    page.expected.add(409)
    key = page.stack.new_key(name="Somebody was quicker")
    send(page.stack, path_of(key), b'{"email":}')
    identity, = page.stack.psql("select id from sluice.rejected_payload where key_id = %s",
                                key["id"])[0]
    page.visit(f"staging?list=rejects&state=open&key={key['id']}")
    page.click("tr.opens .toggle")
    page.click("tr.detail .actions button", "Discard")
    page.wait("dialog")
    page.stack.ctl("rejected", "discard", identity)
    page.click("dialog button", "Discard")
    assert told(page, "dialog", "This cannot be done now", "was discarded already",
                "Reload the page to see how it is now") == [RELOAD]
    page.click("dialog .failed button", RELOAD)
    page.wait_gone("dialog")
    page.wait_shown(".view", "Nothing matches")


def test_a_name_that_is_taken(page):
    """409 and 400 that name a field are shown at it, with the focus."""
    page.expected.add(409)
    page.visit("keys")
    page.name_a_key("Website forms")
    page.click("dialog [type=submit]")
    page.wait_shown("dialog .fault", "Website forms")
    assert not page.all("dialog .failed")
    assert page.script("return document.activeElement.matches('[aria-invalid=true]')")
    page.close_dialog("Cancel")


def test_a_value_of_the_address_that_is_not_accepted(page):
    page.expected.add(400)
    page.visit("staging?list=signals&email=a%40b.c&status=lost")
    told(page, ".view", "This is not accepted as it is", "Correct this, and try again:", "status")


def test_the_month_is_used_up(page):
    """429 of the service says what to do; the limit is put back."""
    page.expected.update({400, 429})
    stack = page.stack
    key = stack.new_key(name="Used up")
    send(stack, path_of(key), b'{"email":}')
    before, = stack.psql("select signal_limit from sluice.organization where name = %s",
                         stack.organization)
    page.visit("staging?list=rejects&state=open")
    page.script("document.querySelector('tr.opens .toggle').click()")
    page.click("tr.detail .actions button", "Edit and replay")
    page.wait_shown("dialog .preview", "Still bad")
    type_into(page, page.wait("dialog textarea"), '{"email":"jane@example.com"}')
    page.wait_shown("dialog .preview", "1 row would be stored")
    stack.ctl("organization", "limit", stack.organization, "--signals", 1)
    try:
        page.click("dialog button", "Replay")
        assert told(page, "dialog", "The signal limit of the month is reached",
                    "What is not replayed stays open", "have the limit raised") == []
    finally:
        stack.ctl("organization", "limit", stack.organization, "--signals", before[0])
    page.close_dialog("Cancel")


@pytest.mark.parametrize("status, headers, texts", [
    (429, {"Retry-After": "30"}, ["Too many requests at once", "Try again in 30 seconds"]),
    (429, {}, ["Too many requests at once", "Try again in a moment"]),
    (403, {}, ["The web server does not let you do this", "Ask the operator of Sluice"]),
    (404, {}, ["The service was not found", "Reload the page"]),
    (502, {}, ["The service does not answer", "restarting", "try again in a moment"]),
    (503, {}, ["The service does not answer", "restarting", "tell the operator of Sluice"]),
    (418, {}, ["Unexpected answer from the server", "The answer was 418"]),
])
def test_an_answer_of_the_web_server(page, status, headers, texts):
    """In place of the service's."""
    page.visit("usage")
    answers(page, "/members", status, **headers)
    page.click("nav a", "Members")
    assert told(page, ".view", *texts) == ["Try again"]


# ---- a change whose answer is lost ----

def act_on_reject(label):
    def act(page):
        page.click("tr.opens .toggle")
        page.click("tr.detail .actions button", label)
        if label == "Edit and replay":
            page.wait_shown("dialog .preview", "Still bad")
            type_into(page, page.wait("dialog textarea"), '{"email":"lost@example.com"}')
            page.wait_shown("dialog .preview", "1 row would be stored")
        page.script(LOSE, 1)
        page.click("dialog .dialog-foot .button:last-child")
    return act


def press_in_row(row, label, set_up=""):
    def act(page):
        page.act(row, label)
        page.script(set_up)
        page.script(LOSE, 1)
        page.click("dialog .dialog-foot .button:last-child")
    return act


def change_limit(page):
    page.click("button", "Change limit")
    page.wait("dialog input[type=checkbox]").click()
    page.script(LOSE, 1)
    page.click("dialog [type=submit]")


@pytest.mark.parametrize("view, act, place, after", [
    ("staging?list=rejects&key=", act_on_reject("Discard"), "the state of the payload",
     ("tr.opens", "Discarded")),
    ("staging?list=rejects&key=", act_on_reject("Edit and replay"), "the state of the payload",
     ("tr.opens", "Replayed")),
    ("keys", press_in_row("To be lost", "Edit", "document.querySelector('dialog input').value ="
                          " 'Not lost'"), "the key", ("tr.opens", "Not lost")),
    ("keys", press_in_row("To be lost", "Deactivate"), "the key",
     ("tr.opens", "To be lost", "Deactivated")),
    ("members", press_in_row("sven", "Change role", "document.querySelector('dialog select').value"
                             " = 'viewer'"), "the members", ("tr.opens", "sven", "Viewer")),
    ("members", press_in_row("sven", "Remove"), "the members", ("main", "vera")),
    ("usage", change_limit, "the limit", (".view", "beyond the limit are still accepted")),
], ids=["discard", "edit", "key", "deactivate", "role", "remove", "limit"])
def test_a_change_whose_answer_is_lost(page, member, view, act, place, after):
    """It may have been done: nobody says that it failed, and what is shown then is as it is now."""
    del member
    key = page.stack.new_key(name="To be lost")
    send(page.stack, path_of(key), b'{"email":}')
    try:
        page.visit(f"{view}{key['id'] if view.endswith('=') else ''}")
        act(page)
        assert told(page, "dialog", "It is not known whether this was done",
                    f"it may have been done. Close this and look at {place}",
                    "try again if it was not") == []
        page.close_dialog("Cancel")
        page.wait_shown(*after)
        if place == "the members":
            assert ("sven" in page.text("main")) == ("sven" in after)
    finally:
        page.stack.psql("update sluice.api_key set deactivated_at = now(), deactivated_by = 'dba'"
                        " where id = %s and deactivated_at is null", key["id"])
        page.stack.psql("update sluice.organization set overages = false where name = %s",
                        page.stack.organization)


def test_a_replay_whose_answer_is_lost(page):
    """Of one that is good by now; the second attempt tells that it was done."""
    page.expected.add(409)
    key = page.stack.new_key(name="Replayed and lost", endpoint="product_orgs",
                             template={"product_org_id": "wrong"})
    send(page.stack, org_path(key), b'{"id": "lost"}')
    page.stack.psql("update sluice.api_key set payload_template = '{\"product_org_id\": \"id\"}'"
                    " where id = %s", key["id"])
    page.visit(f"staging?list=rejects&key={key['id']}")
    act_on_reject("Replay")(page)
    told(page, "dialog", "It is not known whether this was done")
    page.click("dialog button", "Replay")
    assert told(page, "dialog", "This cannot be done now", "was replayed already") == [RELOAD]
    page.close_dialog("Cancel")
    page.wait_shown("tr.opens", "Replayed")


def test_a_replay_of_many_whose_answer_is_lost(page):
    key = page.stack.new_key(name="Many replayed and lost", endpoint="product_orgs",
                             template={"product_org_id": "wrong"})
    send(page.stack, org_path(key), b'[{"id": "lost-1"}, {"id": "lost-2"}]')
    page.stack.psql("update sluice.api_key set payload_template = '{\"product_org_id\": \"id\"}'"
                    " where id = %s", key["id"])
    page.visit(f"staging?list=rejects&key={key['id']}")
    page.click(f".reject-kinds button[aria-label*='{key['name']}']", "Replay all")
    page.wait("dialog")
    page.script(LOSE, 1)
    page.click("dialog button", "Replay 2")
    told(page, "dialog", "It is not known whether this was done",
         "look at which payloads are still open")
    page.close_dialog("Cancel")
    page.wait_shown(ROWS, "Replayed")
    assert "Open" not in page.text(ROWS)


def problem(code, title, detail):
    return json.dumps({"code": code, "title": title, "detail": detail, "request_id": "c0ffee"})


@pytest.mark.parametrize("status, code, seconds, reads, changes, buttons", [
    (503, "database_unavailable", "30", ["Try again in 30 seconds"],
     ["Nothing was changed. Try again in 30 seconds"], []),
    (503, "busy", "2", ["Try again in a moment"],
     ["Nothing was changed. Try again in a moment"], []),
    (503, "misconfigured", "60", ["as told"], ["as told"], []),
    (503, "outcome_unknown", "5", ["as told"],
     ["It is not known whether this was done", "look at the limit"], []),
    (403, "csrf_refused", "", ["The page is not up to date", "Reload the page and try again"],
     ["The page is not up to date", "Reload the page and try again"], [RELOAD]),
    (404, "not_found", "", ["This is not there", "as told", "Reload the page"],
     ["This is not there", "as told", "Reload the page"], []),
])
def test_an_answer_of_the_service(page, status, code, seconds, reads, changes, buttons):
    """What was only read is not said to be unchanged; the request's id is there to be told."""
    page.visit("usage")
    answers(page, "/members", status, problem(code, "A title", "as told"),
            **({"Retry-After": seconds} if seconds else {}))
    page.click("nav a", "Members")
    assert told(page, ".view", *reads, "Request ID c0ffee") == (buttons or ["Try again"])
    assert "Nothing was changed" not in page.text(".view .failed")
    page.visit("usage")
    page.open_dialog("Change limit")
    answers(page, "/limit", status, problem(code, "A title", "as told"),
            **({"Retry-After": seconds} if seconds else {}))
    page.click("dialog [type=submit]")
    assert told(page, "dialog", *changes, "Request ID c0ffee") == buttons
    page.close_dialog("Cancel")


def test_words_that_do_not_come(page):
    """The service's own words are shown then."""
    page.expected.add(599)
    page.command("Network.setBlockedURLs", urls=["*/words.js"])
    try:
        page.visit("usage")
        answers(page, "/members", 503, problem("busy", "A title", "as told"))
        page.click("nav a", "Members")
        told(page, ".view", "A title", "as told")
    finally:
        page.command("Network.setBlockedURLs", urls=[])
    page.driver.get_log("browser")  # the module that was held back
