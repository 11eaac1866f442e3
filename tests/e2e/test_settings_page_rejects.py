"""The settings page in a real browser: rejects, from why they were rejected to their repair.

Each test fails by what those of test_settings_page.py fail by as well.
"""

import json
import re

import pytest
from selenium.webdriver.common.keys import Keys

from harness import ROOT, org_path, path_of, send, wait_for
from settings_page import HOSTILE, LOOKS, choose, fits, type_into

pytestmark = [pytest.mark.settings, pytest.mark.first_front]

ROWS = "table[role] tbody"
WIDTHS = pytest.mark.parametrize("width", [320, 768, 1024, 1280])


def reject(stack, body, name="rejects", **options):
    """Sends a body that is bad, with a key of its own; the key and the ids of what is kept."""
    key = stack.new_key(name=name)
    send(stack, path_of(key, **options), body)
    return key, [row[0] for row in stack.psql(
        "select id from sluice.rejected_payload where key_id = %s order by id", key["id"])]


def open_reject(page, identity):
    """Opens the row of that reject; the row below it."""
    page.wait(f'[aria-label="Details of reject {identity}"]')
    page.script("""const toggle = document.querySelector(arguments[0]);
        toggle.focus(); toggle.click()""", f'[aria-label="Details of reject {identity}"]')
    return page.wait_shown("tr.detail")


# ---- why, and where ----

@WIDTHS
def test_the_bad_place_is_marked(page, width):
    _, [identity] = reject(page.stack, b'{"a":1,\n "b\xc3\xa4": \xff\x00<b>}')
    page.look(width)
    page.visit("staging?list=rejects")
    open_reject(page, identity)
    page.wait_shown("tr.detail", "The body is not valid JSON: unexpected character",
                    "Line 2, column 8")
    assert "byte" not in page.text(f"{ROWS} tr.opens") + page.text("tr.detail p")
    assert page.script("return document.querySelector('tr.detail mark').textContent") == "\\377"
    assert "\\000<b>}" in page.text("tr.detail [aria-label='Bad place']")
    assert page.overflow() <= 0


def test_what_is_unseen_is_written_as_its_code(page):
    text = HOSTILE.encode()
    _, [identity] = reject(page.stack, b'{"a\x1b' + text + b'": 1}')
    page.visit("staging?list=rejects")
    open_reject(page, identity)
    shown = page.text("tr.detail [aria-label='Bad place']")
    assert shown.startswith('{"a\\u001b<script>')
    assert "\\u202egnirts" in page.text("tr.detail [aria-label='Received bytes']")
    assert page.script("return document.querySelector('tr.detail mark').textContent") == "\\u001b"
    assert "\x1b" not in page.text("tr.detail") and "\u202e" not in page.text("tr.detail")
    assert not page.script("return window.hacked")


def test_the_end_of_the_payload_is_a_place(page):
    _, [identity] = reject(page.stack, b'{"a": [1, 2')
    page.visit("staging?list=rejects")
    open_reject(page, identity)
    page.wait_shown("tr.detail", "where the payload ends")


def test_items_are_counted_from_one(page):
    _, [identity] = reject(page.stack, b"[{}, 7]", end="/batch")
    page.visit("staging?list=rejects")
    open_reject(page, identity)
    page.wait_shown("tr.detail", "The item is not a JSON object: not an object")
    assert page.script("""return [...document.querySelectorAll('tr.detail dt')]
        .find(term => term.textContent === 'Item').nextElementSibling.textContent""") == "2"
    _, [identity] = reject(page.stack, b"[{},")
    page.visit("staging?list=rejects")
    open_reject(page, identity)
    page.click("tr.detail .actions button", "Edit and replay")
    type_into(page, page.wait("dialog textarea"), "[{}, 7]")
    page.wait_shown("dialog .preview", "item 2: not an object; 1 of 2 items are bad",
                    "Line 1, column 6")
    page.close_dialog("Cancel")


# ---- one ----

def state_of(stack, identity):
    [(state,)] = stack.psql("select state from sluice.rejected_overview where id = %s", identity)
    return state


@WIDTHS
def test_a_payload_is_repaired(page, width):
    """Three clicks and what is typed."""
    key, [identity] = reject(page.stack, b'{"email":"jane@example.com",\n "a":}')
    page.look(width)
    page.visit("staging?list=rejects")
    open_reject(page, identity)
    page.click("tr.detail .actions button", "Edit and replay")
    area = page.wait("dialog textarea")
    page.wait_shown("dialog .preview", "Still bad", "Line 2, column 6")
    assert page.script("return document.querySelector('dialog mark').textContent") == "}"
    replay = "return [...document.querySelectorAll('dialog button')].at(-1).disabled"
    assert page.script(replay)
    type_into(page, area, '{"email":"jane@example.com",\n "a":[1}')
    page.wait_shown("dialog .preview", "Still bad", "Line 2, column 8")
    type_into(page, area, '{"email":"jane@example.com",\n "a":1}')
    page.wait_shown("dialog .preview", "1 row would be stored")
    assert page.overflow() <= 0 and fits(page, "dialog")
    page.close_dialog("Replay")
    wait_for(lambda: state_of(page.stack, identity) == "replayed", "it is replayed")
    assert page.stack.psql("select email, warnings->0->>'reason' from sluice.signal"
                           " where key_id = %s", key["id"]) == [
        ("jane@example.com", "was edited by olga before it was replayed")]
    page.wait_shown(ROWS, "Replayed", "by olga")


def test_a_limit_that_is_raised_meanwhile(page):
    """Nothing has to be typed for the payload to be tried once more."""
    key, [identity] = reject(page.stack, b'{"email":"late@example.com",}')
    stack = page.stack
    send(stack, path_of(stack.new_key(name="uses up the limit")), b'{"userId":"u"}')
    stack.ctl("organization", "limit", stack.organization, "--signals", "1", "--overages", "off")
    try:
        page.visit("staging?list=rejects")
        open_reject(page, identity)
        page.click("tr.detail .actions button", "Edit and replay")
        type_into(page, page.wait("dialog textarea"), '{"email":"late@example.com"}')
        page.wait_shown("dialog .preview", "Nothing is wrong with the payload.",
                        "has used up its signals of the month")
        assert page.script(
            "return [...document.querySelectorAll('dialog button')].at(-1).disabled")
    finally:
        stack.ctl("organization", "limit", stack.organization, "--signals", "0")
    page.click("dialog .preview button", "Try again")
    page.wait_shown("dialog .preview", "1 row would be stored")
    wait_for(lambda: page.script("return document.activeElement.className") == "preview",
             "the focus is at the result")
    page.close_dialog("Replay")
    wait_for(lambda: stack.rows(key) == 1, "it is stored")


CONTRAST = """const channel = value => (value /= 255) <= 0.04045 ? value / 12.92
        : ((value + 0.055) / 1.055) ** 2.4;
    const light = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(value =>
        channel(Number(value))).reduce((sum, value, at) =>
        sum + value * [0.2126, 0.7152, 0.0722][at], 0);
    const contrast = (one, other) => (Math.max(light(one), light(other)) + 0.05)
        / (Math.min(light(one), light(other)) + 0.05);
    """


@LOOKS
def test_what_can_be_edited_looks_so(page, look):
    """As a field of one line does, and not as what is disabled."""
    _, [identity] = reject(page.stack, b'{"email":}', "editable")
    page.look(1280, **look)
    page.visit("staging?list=rejects&state=open")
    open_reject(page, identity)
    page.click("tr.detail .actions button", "Edit and replay")
    page.wait_shown("dialog .preview", "Still bad")
    assert_editable(page)
    page.close_dialog("Cancel")
    page.visit("keys")
    page.open_dialog("Create key")
    page.click("dialog .choice", "Product Org Updates")
    page.wait("dialog textarea")
    assert_editable(page)


def assert_editable(page):
    for looks in page.script(CONTRAST + """
        const line = document.body.appendChild(document.createElement('input'));
        const its = getComputedStyle(line).backgroundColor;
        const found = [...document.querySelectorAll('dialog textarea')].map(area => {
            const style = getComputedStyle(area);
            return { area: its, background: style.backgroundColor, cursor: style.cursor,
                border: contrast(style.borderTopColor, style.backgroundColor),
                text: contrast(style.color, style.backgroundColor), opacity: style.opacity }; });
        line.remove();
        return found;"""):
        assert looks["background"] == looks["area"], looks
        assert looks["border"] >= 3 and looks["text"] >= 7 and looks["opacity"] == "1", looks
        assert looks["cursor"] in ("text", "auto")


def test_with_the_keyboard_alone(page):
    """In forced colours, too."""
    _, [identity] = reject(page.stack, b'{"email":}')
    page.look(1280, forced=True)
    page.visit("staging?list=rejects&state=open")
    open_reject(page, identity)
    active = page.driver.switch_to.active_element
    active.send_keys(Keys.TAB)
    active = page.driver.switch_to.active_element
    assert active.text == "Edit and replay"
    active.send_keys(Keys.ENTER)
    page.wait_shown("dialog .preview", "Still bad")
    area = page.driver.switch_to.active_element
    assert area.tag_name == "textarea"
    area.send_keys(Keys.CONTROL + "a")
    area.send_keys('{"email":"keys@example.com"}')
    page.wait_shown("dialog .preview", "1 row would be stored")
    assert page.script("return getComputedStyle(document.querySelector('tr.detail mark'))"
                       ".outlineStyle") == "solid"
    for _ in range(4):
        page.driver.switch_to.active_element.send_keys(Keys.TAB)
        if page.driver.switch_to.active_element.text == "Replay":
            break
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    page.wait_gone("dialog")
    wait_for(lambda: state_of(page.stack, identity) == "replayed", "it is replayed")


def test_a_payload_is_discarded(page):
    _, [identity] = reject(page.stack, b'{"a":}')
    page.visit("staging?list=rejects")
    open_reject(page, identity)
    page.click("tr.detail .actions button", "Discard")
    page.wait_shown("dialog", "no longer among the open ones")
    page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.wait_gone("dialog")
    assert state_of(page.stack, identity) == "open"
    page.click("tr.detail .actions button", "Discard")
    page.wait("dialog")
    page.close_dialog("Discard")
    wait_for(lambda: state_of(page.stack, identity) == "discarded", "it is discarded")
    choose(page, "State", "discarded")
    open_reject(page, identity)
    page.wait_shown(ROWS, "Discarded", "by olga")
    assert "Not yet" not in page.text(ROWS) and not page.all("tr.detail .actions")
    assert "state=discarded" in page.script("return location.href")


def test_trouble_is_told_in_the_dialog(page):
    _, [identity] = reject(page.stack, b'{"a":}')
    page.visit("staging?list=rejects")
    open_reject(page, identity)
    page.expected.update({400, 409})
    page.click("tr.detail .actions button", "Replay")
    page.wait("dialog")
    page.click("dialog button", "Replay")
    page.wait_shown("dialog .failed", "Correct this, and try again:",
                    "is still bad: The body is not valid JSON")
    page.stack.ctl("rejected", "discard", identity)
    page.click("dialog button", "Replay")
    page.wait_shown("dialog .failed", "is still bad")
    page.close_dialog("Cancel")
    page.click("tr.detail .actions button", "Discard")
    page.wait("dialog")
    page.click("dialog button", "Discard")
    page.wait_shown("dialog .failed", "was discarded already, by sluicectl:")
    page.close_dialog("Cancel")


def test_who_only_looks_changes_nothing(page):
    _, [identity] = reject(page.stack, b'{"a":}')
    page.visit("staging?list=rejects", "vera")
    open_reject(page, identity)
    page.wait_shown("tr.detail", "The body is not valid JSON")
    assert not page.all("tr.detail .actions")
    labels = page.script("return [...document.querySelectorAll('.reject-kinds button')]"
                         ".map(button => button.textContent)")
    assert set(labels) == {"Show"}


# ---- all of a kind ----

@WIDTHS
def test_all_of_a_kind_are_replayed(page, width):
    name = f"kind {width}"
    key = page.stack.new_key(name=name, endpoint="product_orgs",
                             template={"product_org_id": "wrong"})
    items = [{"id": number} for number in range(1, 121)] + [{"no": "id"}]
    send(page.stack, org_path(key), json.dumps(items).encode())
    page.stack.psql("update sluice.api_key set payload_template = '{\"product_org_id\": \"id\"}'"
                    " where id = %s", key["id"])
    page.look(width)
    page.visit("staging?list=rejects")
    page.wait_shown(".reject-kinds", "121 open payloads", name)
    page.script("""[...document.querySelectorAll('.reject-kinds li')].find(entry =>
        entry.textContent.includes(arguments[0])).querySelectorAll('button')[1].click()""", name)
    page.wait_shown("dialog", "Replay 121 payloads?", name)
    assert page.overflow() <= 0 and fits(page, "dialog")
    page.click("dialog button", "Replay 121")
    page.wait_shown("dialog", "120 replayed, 1 still bad.", "What is still bad stays open")
    page.close_dialog("Close")
    page.wait_shown(".reject-kinds", "1 open payload ", name)
    assert page.stack.psql("select count(*) from sluice.product_org_update where key_id = %s",
                           key["id"]) == [(120,)]


def test_many_kinds_are_shown_in_parts(page):
    for number in range(7):
        reject(page.stack, b"[{}, 7]", f"of many kinds {number}")
    page.visit("staging?list=rejects")
    page.wait(".reject-kinds")
    assert len(page.all(".reject-kinds li")) == 5
    page.click(".reject-summary .more button", "Show more")
    wait_for(lambda: len(page.all(".reject-kinds li")) >= 7, "the next part is there")
    wait_for(lambda: page.script(
        "return document.activeElement.closest('li')"
        " === document.querySelectorAll('.reject-kinds li')[5]"),
        "the focus is at the first kind of the part")
    assert page.overflow() <= 0 and fits(page)


def test_a_kind_is_shown_alone(page):
    name = "shown alone"
    key, _ = reject(page.stack, b"[{}, 7, 8]", name)
    page.visit("staging?list=rejects")
    page.wait_shown(".reject-kinds", name)
    page.script("""[...document.querySelectorAll('.reject-kinds li')].find(entry =>
        entry.textContent.includes(arguments[0])).querySelector('button').click()""", name)
    wait_for(lambda: page.script("return document.querySelectorAll('tr.opens').length") == 2,
             "only those of the kind")
    assert page.script("return document.activeElement.name") == "state"
    page.driver.refresh()
    page.row(name)
    assert shown(page) == {"state": "Open", "code": "Not a JSON object", "key": str(key["id"])}
    page.click(".search-buttons button", "Clear")
    page.settle()
    assert "code=" not in page.script("return location.href")
    assert shown(page) == {"state": "All states", "code": "All reasons", "key": ""}


def shown(page):
    """What the form says of a kind."""
    return {name: page.script("""const field = document.querySelector(`[name=${arguments[0]}]`);
        return field.selectedOptions?.[0].text ?? field.value""", name)
            for name in ("state", "code", "key")}


# ---- search ----

def found(page):
    return page.script("""return [...document.querySelectorAll('.toggle')].map(toggle =>
        Number(toggle.getAttribute('aria-label').match(/\\d+/)[0]))""")


def test_a_reject_is_found(page):
    """By what stands whole in its bytes, by any text in them, by where it came from."""
    _, [identity] = reject(page.stack, b'{"email":"lost@sought.example", "plan":}', "sought",
                           source="rare-form")
    _, [other] = reject(page.stack, b'["lost@sought.example.org"]', "sought elsewhere")
    page.visit("staging?list=rejects")
    page.wait("[name=q]").send_keys("Lost@sought.example", Keys.ENTER)
    page.wait(".progress", "1 rejected payload: that is all there is.")
    assert found(page) == [identity]
    choose(page, "In", "text")
    page.wait(".progress", "2 rejected payloads: that is all of 31 days.")
    assert found(page) == [other, identity]
    page.wait("[name=source]").send_keys("rare-form", Keys.ENTER)
    page.wait(".progress", "1 rejected payload")
    assert found(page) == [identity]
    page.driver.refresh()
    page.wait(".progress", "1 rejected payload")
    assert page.wait("[name=source]").get_property("value") == "rare-form"
    choose(page, "State", "discarded")
    page.wait(".empty", "Nothing matches")
    page.driver.back()
    page.wait(".progress", "1 rejected payload")
    choose(page, "Received", "yesterday")
    page.wait(".empty", "Nothing matches")
    page.click(".empty button", "Clear the search")
    page.settle()
    assert page.script("return location.hash") == "#/staging?list=rejects"
    page.visit(f"staging?list=rejects&q={other}")
    page.wait(".progress", "1 rejected payload")
    assert found(page) == [other]


def test_after_a_change_the_search_is_as_it_was(page):
    key, [identity] = reject(page.stack, b'{"a":}', "changed while sought")
    page.visit(f"staging?list=rejects&key={key['id']}")
    open_reject(page, identity)
    page.click("tr.detail .actions button", "Discard")
    page.wait("dialog")
    page.close_dialog("Discard")
    page.wait_shown("tr.opens", "Discarded")
    assert found(page) == [identity]
    assert page.script("return document.activeElement.name") == "state"


@pytest.mark.parametrize("user, whole", [("olga", True), ("vera", False)])
@pytest.mark.parametrize("label, start", [("CSV", "id,received_at,"), ("NDJSON", '{"id" : ')])
def test_what_is_found_is_saved(page, tmp_path, user, whole, label, start):
    """A viewer's file holds how each begins, and the page says so."""
    name = f"saved {label} {user}"
    key, [identity] = reject(page.stack, b'{"a":"' + b"x" * 5000 + b'",}', name)
    page.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.visit(f"staging?list=rejects&key={key['id']}", user)
    page.wait(".progress", "1 rejected payload")
    assert ("Long payloads are truncated in a file" in page.text(".files")) != whole
    page.click(".files button", label)
    file = tmp_path / f"rejects.{label.lower()}"
    wait_for(lambda: file.exists() and file.stat().st_size, "the file is saved")
    text = file.read_text()
    assert text.startswith(start) and str(identity) in text
    assert ("x" * 5000 in text) == whole
    page.wait_gone("dialog")
    open_reject(page, identity)
    page.wait_shown("tr.detail", "truncated")


def test_each_reason_has_words(page):
    """That can be chosen."""
    function = (ROOT / "sql-migrations" / "functions" / "rejected.sql").read_text()
    function = function[function.index("FUNCTION sluice.reject_why"):]
    codes = re.findall(r"WHEN '(\w+)' THEN", function[:function.index("END\n$$")])
    page.visit("staging?list=rejects")
    options = page.script("""return [...document.querySelectorAll('[name=code] option')]
        .map(({ value }) => value)""")
    assert options == ["", *codes] and "malformed_json" in codes
