"""The settings page in a real browser: signals are searched, followed and saved.

Each test fails by what those of test_settings_page.py fail by as well.
"""

import json
import urllib.parse

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

import keyboard
from harness import path_of, send, wait_for
from settings_page import LOOKS, ROWS, SHORT, choose

pytestmark = [pytest.mark.settings, pytest.mark.first_front]

JANE = {"email": "Jane@example.com", "event": "Signed up", "userId": "u-77", "plan": "Größe"}


@pytest.fixture(scope="module")
def jane(page_stack, filled):
    """A sign-up of yesterday at noon, below newer signals."""
    made = send(page_stack, path_of(filled["forms"], source="rare-crm"),
                json.dumps(JANE).encode()).json["id"]
    page_stack.psql("update sluice.signal set received_at = "
                    "date_trunc('day', now(), 'UTC') - interval '12 hours' where id = %s", made)
    return made


def rows(page):
    return page.script("return document.querySelectorAll('tr.opens').length")


def arrive(page, filled, source="live", **members):
    return send(page.stack, path_of(filled["forms"], source=source),
                json.dumps({"email": "new@example.com", **members}).encode()).json["id"]


# ---- search ----

def test_did_janes_sign_up_arrive_yesterday(page, jane):
    """Four clicks: the view, the field, yesterday, the row."""
    page.command("Emulation.setTimezoneOverride", timezoneId="UTC")
    page.visit("keys")
    page.click("nav a", "Staging")
    page.wait(".search-field.q input").click()
    page.driver.switch_to.active_element.send_keys("jane@example.com")
    choose(page, "Received", "yesterday")
    page.wait(".progress", "1 signal: that is all there is.")
    page.click(".toggle")
    page.wait_shown("tr.detail", str(jane), "Signed up", "jane@example.com", "u-77")
    page.command("Emulation.setTimezoneOverride", timezoneId="")


def test_the_address_holds_the_search(page, jane):
    page.visit("staging")
    page.wait("[name=q]").send_keys("größe", Keys.ENTER)
    page.wait(".empty", "Nothing matches")
    assert page.script("return document.activeElement.name") == "q"
    choose(page, "In", "text")
    page.row("jane@example.com")
    page.wait(".progress", "1 signal")
    page.driver.refresh()
    page.row("jane@example.com")
    assert page.wait("[name=q]").get_property("value") == "größe"
    page.driver.back()
    page.wait(".empty", "Nothing matches")
    assert page.wait("[name=in]").get_property("value") == ""
    page.driver.back()
    page.row("Website forms")
    assert page.wait("[name=q]").get_property("value") == ""


def test_what_is_said_of_nothing(page, jane):
    """Words that differ: nothing matches, nothing has come yet, not searched to the end."""
    page.visit("staging?source=rare-crm")
    page.row("jane@example.com")
    page.visit("staging?source=nowhere")
    page.wait(".empty", "Nothing matches")
    page.click(".empty button", "Clear the search")
    page.row("Website forms")
    page.stack.ctl("organization", "create", "Quiet")
    [(quiet,)] = page.stack.psql("select id from sluice.organization where name = 'Quiet'")
    page.stack.ctl("member", "add", "--organization", "Quiet", "--user", "vera", "--role", "viewer")
    page.visit(f"staging?organization={quiet}", "vera")
    page.wait(".found .empty", "Nothing has arrived yet")
    page.stack.ctl("member", "remove", "--organization", "Quiet", "--user", "vera")


@pytest.mark.parametrize("name, one", [("signals", "signals"), ("product-orgs", "updates"),
                                       ("rejects", "rejected payloads")])
def test_a_long_search_says_how_far_it_is(page, jane, name, one):
    page.visit(f"staging?list={name}")
    page.script(SHORT, name)
    page.wait("[name=q]").send_keys("of nobody", Keys.ENTER)
    page.wait(".progress", "Searched until Nov 12, 2025")
    page.click(".progress button", "Stop")
    page.wait(".empty", "Nothing found so far")
    page.wait(".progress", f"0 {one} so far, searched until Nov 12, 2025")
    page.click(".progress button", "Go on")
    page.wait(".progress", "going on")
    page.script("window.allow = true")
    page.wait(".empty", "Nothing matches")


def test_more_keeps_the_focus(page, filled):
    items = [{"email": f"p{n}@example.com", "event": "Many"} for n in range(60)]
    send(page.stack, path_of(filled["forms"], "many"), json.dumps(items).encode())
    page.visit("staging?source=many")
    page.wait(".progress", "50 signals so far")
    page.wait(".progress button", "Show more").send_keys(Keys.ENTER)
    page.wait(".progress", "60 signals: that is all there is.")
    assert page.script("""return [...document.querySelectorAll('.toggle')].indexOf(
        document.activeElement)""") == 50


def chosen(page):
    """The parameters of the address."""
    return dict(urllib.parse.parse_qsl(page.script("return location.hash").partition("?")[2]))


def test_a_list_keeps_only_what_it_knows(page, jane):
    """Of what was chosen in another one that which means the same in both."""
    page.visit("staging?q=jane%40example.com&when=yesterday&source=rare-crm&event=Signed%20up"
               "&key=1&status=failed&window=7d")
    shared = {"window": "7d", "q": "jane@example.com", "when": "yesterday", "key": "1"}
    for label, list_name, known in (
            ("Rejects", "rejects", {**shared, "source": "rare-crm"}),
            ("Product orgs", "product-orgs", shared),
            ("Current orgs", "current-orgs", {"window": "7d", "q": "jane@example.com"})):
        page.click(".tab", label)
        page.settle()
        assert chosen(page) == {**known, "list": list_name}
        assert page.script("return document.activeElement.textContent") == label
    page.visit("staging?list=product-orgs&state=open&event=e&source=s&plan=Pro&status=failed")
    page.wait("[name=plan]").send_keys(Keys.ENTER)
    page.settle()
    assert chosen(page) == {"list": "product-orgs", "plan": "Pro", "status": "failed"}
    page.click(".search-buttons button", "Clear")
    page.settle()
    assert chosen(page) == {"list": "product-orgs"}


def test_a_text_is_sought_in_the_last_days(page, jane):
    """And that is said, unless a time was chosen."""
    page.visit("staging?q=of%20nobody&in=text")
    page.wait(".empty", "those of 31 days were searched, and no signal is as you have asked")
    choose(page, "Received", "7d")
    page.wait(".empty", "All that is kept was searched, and no signal is as you have asked")
    page.visit("staging?q=gr%C3%B6%C3%9Fe&in=text")
    page.wait(".progress", "1 signal: that is all of 31 days.")


# ---- live ----

def test_new_signals_come_by_themselves(page, filled):
    page.visit("staging?source=live")
    page.wait(".live-state", "Live")
    page.script("document.activeElement.blur()")
    first = arrive(page, filled, event="First")
    page.row("First")
    age = page.wait("tr.opens time").get_property("textContent")
    assert "ago" in age or age == "just now"
    page.click(".live button", "Pause")
    page.wait(".live-state", "Paused")
    arrive(page, filled, event="Second")
    arrive(page, filled, "elsewhere", event="Third")
    page.wait(".fresh button", "1 new signal")
    assert rows(page) == 1
    page.click(".fresh button")
    page.row("Second")
    assert rows(page) == 2
    page.wait_gone(".fresh button")
    page.click(".live button", "Resume")
    ActionChains(page.driver).move_to_element(page.row("First")).perform()
    arrive(page, filled, event="Fourth")
    page.wait(".fresh button", "1 new signal")
    assert rows(page) == 2, "nothing moves under the pointer"
    ActionChains(page.driver).move_to_element(page.wait("h1")).perform()
    page.row("Fourth")
    assert page.script("return document.querySelectorAll('.found [aria-live] tr').length") == 0
    assert first


@pytest.mark.slow
def test_live_comes_back_after_a_break(page, filled):
    page.visit("staging?source=break")
    page.wait(".live-state", "Live")
    page.command("Network.emulateNetworkConditions", offline=True, latency=0,
                 downloadThroughput=-1, uploadThroughput=-1)
    page.wait(".live-state", "No answer, trying again")
    arrive(page, filled, "break", event="Back again")
    page.command("Network.emulateNetworkConditions", offline=False, latency=0,
                 downloadThroughput=-1, uploadThroughput=-1)
    page.row("Back again")
    page.wait(".live-state", "Live")
    page.expected.add(599)


# ---- files ----

@pytest.mark.parametrize("label, start", [("CSV", "id,received_at,"), ("NDJSON", '{"id" : ')])
def test_what_is_found_is_saved(page, jane, tmp_path, label, start):
    page.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.visit("staging?source=rare-crm")
    page.row("jane@example.com")
    page.click(".files button", label)
    file = tmp_path / f"signals.{label.lower()}"
    # Until all of it is there the file is empty.
    wait_for(lambda: file.exists() and file.stat().st_size, "the file is saved")
    text = file.read_text()
    assert text.startswith(start) and "Größe" in text and str(jane) in text
    page.wait_gone("dialog")


# ---- looks ----

@pytest.mark.parametrize("width", [320, pytest.param(768, marks=pytest.mark.slow),
                                   pytest.param(1024, marks=pytest.mark.slow), 1280])
@pytest.mark.parametrize("name", ["signals", "rejects"])
def test_it_fits(page, jane, width, name):
    page.look(width, dark=width == 768, forced=width == 1024)
    page.visit(f"staging?list={name}&when=between&until=2099-12-31T23:59")
    page.row("Website forms")
    assert page.overflow() <= 0
    assert page.script("""const { scrollWidth, clientWidth } = document
        .querySelector('.found .table-wrap');
        return scrollWidth - clientWidth""") <= 0
    widths = {element.get_attribute("name"): element.rect["width"] for element in page.all(
        ".search-form input, .search-form select")}
    assert widths.pop("q") >= 240
    assert all(100 <= each <= 240 for each in widths.values()), widths
    assert page.all(ROWS)


@LOOKS
def test_a_date_is_whole_and_shows_its_focus(page, look):
    """At 320 pixels, also at the button within it that opens the calendar."""
    page.look(320, **look)
    page.visit("staging?when=between&from=2026-12-22T22:59")
    assert page.script("""const field = document.querySelector('[name=from]');
        const { width } = field.getBoundingClientRect();
        field.style.width = 'max-content';
        const needed = field.getBoundingClientRect().width;
        field.style.width = '';
        field.focus();
        return needed - width""") <= 0
    stops = 0
    while page.script("return document.activeElement.name") == "from":
        assert page.script("""const { outlineStyle, outlineWidth } = getComputedStyle(
            document.activeElement); return outlineStyle !== 'none' && outlineWidth""") == "2px"
        keyboard.press_tab(page)
        stops += 1
    assert stops == 7, "month, day, year, hour, minute, half of the day, button"
