"""The settings page in a real browser: product orgs as they are now, their money and their history.

Each test fails by what those of test_settings_page.py fail by as well.
"""

import json

import pytest
from selenium.webdriver.common.keys import Keys

from harness import org_path, send, wait_for
from settings_page import choose

pytestmark = [pytest.mark.settings, pytest.mark.first_front]

TEMPLATE = {"product_org_id": "id", "name": "name", "plan_name": "plan", "mrr": "mrr"}


@pytest.fixture(scope="module")
def orgs(page_stack, filled):
    key = page_stack.new_key(name="current", endpoint="product_orgs", template=TEMPLATE)
    for number, name, plan, mrr in ((1, "Umbrella", "Free", 0), (2, "Stark", "Pro", 990050),
                                    (1, "Umbrella Ltd", "Enterprise", 129900)):
        body = {"id": f"current-{number}", "name": name, "plan": plan, "mrr": mrr}
        assert send(page_stack, org_path(key), json.dumps(body).encode()).status == 202
    return key


def test_the_current_state_and_its_history(page, orgs):
    page.visit("staging")
    page.click(".tabs button", "Current orgs")
    page.wait("[name=q]").send_keys("UMBRELLA", Keys.ENTER)
    page.row("Umbrella Ltd")
    assert page.script("return document.querySelectorAll('tr.opens').length") == 1
    assert page.script("return document.activeElement.name") == "q"
    assert "$1,299.00" in page.row("Umbrella Ltd").text
    page.click(".toggle")
    page.wait_shown("tr.detail", "current-1", "Free", "$0.00", "Enterprise")
    page.driver.refresh()
    page.row("Umbrella Ltd")
    assert page.wait("[name=q]").get_property("value") == "UMBRELLA"
    page.visit("staging?list=current-orgs&q=nobody")
    page.wait(".empty", "Nothing matches")


def test_filters_by_plan_and_trial_status(page, orgs):
    del orgs
    page.visit("staging?list=current-orgs")
    page.row("Stark")
    page.wait("[name=plan]").send_keys("Enterprise", Keys.ENTER)
    page.row("Umbrella Ltd")
    assert page.script("return document.querySelectorAll('tr.opens').length") == 1
    assert page.script("return document.activeElement.name") == "plan"
    page.wait("[name=trial]").send_keys("active", Keys.ENTER)
    page.wait(".empty", "Nothing matches")
    page.driver.refresh()
    page.wait(".empty", "Nothing matches")
    assert page.wait("[name=plan]").get_property("value") == "Enterprise"
    assert page.wait("[name=trial]").get_property("value") == "active"


# ---- updates ----

def names(page):
    return page.script("""return [...document.querySelectorAll('tr.opens .cell-name')].map(
        cell => cell.querySelector('bdi').textContent)""")


def test_an_update_is_found(page, orgs):
    """By ids, plan, status, a text and a time; the address holds it."""
    page.visit("staging?list=product-orgs")
    page.wait("[name=q]").send_keys("current-1", Keys.ENTER)
    page.wait(".progress", "2 updates: that is all there is.")
    assert names(page) == ["Umbrella Ltd", "Umbrella"]
    assert page.script("return document.activeElement.name") == "q"
    page.wait("[name=plan]").send_keys("Free", Keys.ENTER)
    page.wait(".progress", "1 update: that is all there is.")
    assert names(page) == ["Umbrella"]
    page.driver.refresh()
    page.wait(".progress", "1 update")
    assert page.wait("[name=plan]").get_property("value") == "Free"
    choose(page, "Status", "failed")
    page.wait(".empty", "no update is as you have asked")
    page.driver.back()
    page.wait(".progress", "1 update")
    choose(page, "Received", "yesterday")
    page.wait(".empty", "Nothing matches")
    page.click(".empty button", "Clear the search")
    page.settle()
    assert page.script("return location.hash") == "#/staging?list=product-orgs"
    page.visit(f"staging?list=product-orgs&key={orgs['id']}")
    page.wait(".progress", "3 updates")
    page.visit(f"staging?list=product-orgs&key={orgs['id']}&q=%22Pro%22&in=text")
    page.wait(".progress", "1 update: that is all of 31 days.")
    assert names(page) == ["Stark"]
    page.click(".toggle")
    update = page.text("tr.detail .facts dd")
    page.visit(f"staging?list=product-orgs&q={update}")
    page.wait(".progress", "1 update")
    assert names(page) == ["Stark"]


@pytest.mark.parametrize("label, start", [("CSV", "id,product_org_id,"),
                                          ("NDJSON", '{"id" : ')])
def test_updates_are_saved(page, orgs, tmp_path, label, start):
    page.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.visit(f"staging?list=product-orgs&q=current-1&key={orgs['id']}")
    page.wait(".progress", "2 updates")
    page.click(".files button", label)
    file = tmp_path / f"product-org-updates.{label.lower()}"
    wait_for(lambda: file.exists() and file.stat().st_size, "the file is saved")
    text = file.read_text()
    assert text.startswith(start) and text.count("current-1") >= 2 and "Stark" not in text
    page.wait_gone("dialog")


# ---- the currency ----

def test_the_owner_changes_the_currency(page, orgs):
    del orgs
    page.expected.add(400)
    page.visit("usage")
    page.click("button", "Change currency")
    code = page.wait("dialog input")
    code.clear()
    code.send_keys("xyz", Keys.ENTER)
    page.wait("dialog .fault", "is not a currency")
    code.clear()
    code.send_keys("eur", Keys.ENTER)
    page.wait_gone("dialog")
    try:
        page.wait("section[aria-label=Currency] strong", "EUR")
        page.visit("staging?list=current-orgs&q=stark")
        assert "€9,900.50" in page.row("Stark").text
        page.visit("usage", user="edith")
        page.wait("section[aria-label=Currency] strong", "EUR")
        assert "Change currency" not in page.text("main")
    finally:
        page.stack.ctl("organization", "currency", page.stack.organization, "--currency", "USD")


def test_the_currency_of_the_organization(page, orgs):
    organization = page.stack.organization
    page.stack.ctl("organization", "currency", organization, "--currency", "JPY")
    try:
        page.visit("staging?list=current-orgs&q=stark")
        assert "¥990,050" in page.row("Stark").text
        page.visit("staging?list=product-orgs")
        assert "¥990,050" in page.row("Stark").text
    finally:
        page.stack.ctl("organization", "currency", organization, "--currency", "USD")
