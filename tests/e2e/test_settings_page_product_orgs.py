"""The settings page in a real browser: product orgs as they are now, their money and their history.

Each test fails by what those of test_settings_page.py fail by as well.
"""

import json

import pytest
from selenium.webdriver.common.keys import Keys

from harness import org_path, send

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
