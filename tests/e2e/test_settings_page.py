"""The settings page in a real browser against a real stack: what an operator does and sees.

Each test also fails by an error in the browser's console, by a violation of the page's policy, by a
request to another host and by an answer that it does not expect. Screenshots of every view and
dialog lie in build/test-output/settings-page.
"""

import collections
import datetime
import itertools
import json
import re
import shutil
import subprocess

import pytest
from selenium.webdriver.common.keys import Keys

import keyboard
import npm
from harness import ENVIRONMENT, KEY, OUTPUT, ROOT, SECRET, TOKEN, wait_for
from settings_page import (HOSTILE, LIMIT, LONG_NAME, ROWS, SHORT, Page, assert_clear_text_gone,
                           choose, fits, last_used, run_as_pasted, type_into)

PICTURES = OUTPUT / "settings-page"
AXE = ROOT / "build" / "axe"
Round = collections.namedtuple("Round", "name looks sender")
# Each width in each kind of colours: two short rounds of a usual run, and two of a long one.
ROUNDS = [Round("wide", ((1280, "light"), (1024, "forced")), "Mobile app"),
          Round("narrow", ((320, "light"), (768, "dark")), "Event app"),
          Round("wide-rest", ((1024, "light"), (1280, "forced"), (1280, "dark"), (1024, "dark")),
                "Partner portal"),
          Round("narrow-rest", ((768, "light"), (320, "dark"), (768, "forced"), (320, "forced")),
                "Support desk")]
SLOW_ROUNDS = ("wide-rest", "narrow-rest")
Walk = collections.namedtuple(
    "Walk", "overflow crushed turned violations no_axe keyboard complaints")
FIRST_VIEW_BYTES = 100_000


pytestmark = [pytest.mark.settings, pytest.mark.first_front]


# ---- what an operator does ----

def test_a_key_from_creation_to_refusal(page, clipboard):
    """Create, copy, use as printed, see it arrive, deactivate, see it refused."""
    name = "Created by edith"
    assert page.visit("keys", "edith") == "API keys"
    page.create(name, secret=True)
    key, secret, curl = (page.copied(label) for label in ("Key", "Secret", "Try it"))
    assert KEY.fullmatch(key) and SECRET.fullmatch(secret)
    status, body = run_as_pasted(curl)
    assert status == 202, body
    signal = json.loads(body)["id"]
    page.wait("dialog .watch", "first request arrived")
    page.close_dialog("Done")
    page.wait_shown("tr.opens", name, "Active")
    assert last_used(page, name) == page.stack.psql(
        "select to_char(last_used_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS \"UTC\"')"
        " from sluice.key_overview where name = %s", name)[0][0]
    assert_clear_text_gone(page, key, secret)

    page.go("Staging")
    page.open_row(name)
    page.wait_shown("tr.detail", str(signal), '"email": "')

    page.go("API keys")
    page.deactivate(name)
    page.wait_shown("dialog", "last used", name)
    page.close_dialog("Deactivate")
    page.wait_shown("tr.opens", name, "Deactivated")
    wait_for(lambda: page.script("return document.activeElement.tagName") == "H1",
             "the focus is at the heading")
    status, body = run_as_pasted(curl)
    assert status == 401 and json.loads(body)["code"] == "unauthenticated"

    page.go("Audit log")
    page.row("edith")


def test_leaving_the_page_drops_the_clear_text(page):
    page.visit("keys")
    page.create("Left open")
    key = page.text("dialog .reveal-text")
    assert KEY.fullmatch(key)
    for _ in range(3):
        page.wait("dialog").send_keys(Keys.ESCAPE)
        page.wait("dialog .question", "It cannot be shown again")
        assert page.text("dialog .reveal-text") == key, "Escape is too easily pressed"
    page.click("dialog .question button", "Keep it open")
    page.wait_gone("dialog .question")
    page.driver.get("about:blank")
    page.driver.back()
    page.row("Left open")
    page.settle()
    assert not page.all("dialog")
    assert_clear_text_gone(page, key)


def test_copying_without_the_clipboard_interface(page, clipboard):
    """As over plain http to another host."""
    page.visit("keys")
    page.create("Copied the old way")
    page.script("""window.kept = navigator.clipboard;
        Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true })""")
    key = page.text("dialog .reveal-text")
    page.click("dialog .copy")
    page.wait("dialog .copied")
    assert page.script_async("kept.readText().then(done)") == key


def test_a_key_for_product_orgs(page, clipboard):
    """The template is tried while it is typed; the key then does what the preview has shown."""
    page.visit("keys")
    page.open_dialog("Create key")
    page.wait("dialog input[type=text]").send_keys("Accounts")
    page.click("dialog .choice", "Product Org Updates")
    page.wait(".preview th", "custom.industry")
    assert "Example Ltd" in page.text(".preview")
    template, payload = page.all("dialog textarea")

    sample = payload.get_property("value")
    type_into(page, payload, '{"a": 1,\n b: 1}')
    page.wait(".preview .refused", "The payload is not valid JSON yet")
    assert "at line 2, column 2" in page.text(".preview .refused")

    type_into(page, payload, sample.replace("129900", '"a lot"')
              .replace('"acct-2077"', "12345678901234567890"))
    page.wait(".preview .warned", "mrr")
    assert "12345678901234567890" in page.text(".preview"), "not a digit is lost"
    type_into(page, template, '{"name": "traits.name"}')
    page.expected.add(400)
    page.wait(".preview .refused", "product_org_id")
    page.click("dialog [type=submit]")
    page.wait("dialog .fault", "product_org_id: the template must map product_org_id")
    assert page.driver.switch_to.active_element == template
    type_into(page, template, '{"product_org_id": "groupId",')
    page.wait(".preview .refused", "not valid JSON")
    type_into(page, template, '{"product_org_id": "groupId", "name": "traits.name",'
                              ' "custom": {"seats": "traits.feature_flags.seats"}}')
    page.wait(".preview th", "custom.seats")
    page.submit()
    curl = page.copied("Try it")
    page.close_dialog("Done")
    page.open_row("Accounts")
    assert '"traits.feature_flags.seats"' in page.wait("tr.detail .json").text
    status, body = run_as_pasted(curl)
    assert status == 202, body
    page.visit("staging?list=product-orgs")
    assert json.loads(body)["product_org_id"] == "12345678901234567890"
    page.row("12345678901234567890")


def test_the_form_says_what_is_wrong(page):
    page.visit("keys")
    page.open_dialog("Create key")
    field = page.wait("dialog input[type=text]")
    assert page.driver.switch_to.active_element == field
    page.click("dialog [type=submit]")
    page.wait("dialog .fault", "Enter a name")
    assert field.get_attribute("aria-invalid") == "true"
    assert page.driver.switch_to.active_element == field
    page.script("arguments[0].value = '\U0001f680'.repeat(201)", field)
    page.click("dialog [type=submit]")
    page.wait("dialog .fault", "201 characters")
    page.script("""arguments[0].value = '\U0001f680'.repeat(200);
        const life = document.querySelector('dialog select');
        life.value = 'date'; life.dispatchEvent(new Event('change'));
        document.querySelector('dialog [type=datetime-local]').value = '2001-01-01T10:00'""", field)
    page.click("dialog [type=submit]")
    page.wait("dialog .fault", "in the past")
    page.script("document.querySelector('dialog [type=datetime-local]').value = '2098-01-01T10:00'")
    networks = page.wait("dialog input[placeholder^='192.0.2.0/24']")
    networks.send_keys("10.0.0.1/8")
    page.expected.add(400)
    page.click("dialog [type=submit]")
    page.wait("dialog .fault", "its network is 10.0.0.0/8")
    assert page.driver.switch_to.active_element == networks
    networks.clear()
    networks.send_keys("10.0.0.0/8 , ::1")
    page.submit()
    page.close_dialog("Done")
    assert page.stack.psql("select networks::text from sluice.api_key where name = %s and"
                           " expires_at::date = '2098-01-01'", "\U0001f680" * 200) \
        == [("{10.0.0.0/8,::1/128}",)]


def test_searching_and_filtering(page):
    page.visit("keys")
    page.row("Website forms")
    page.wait("input[type=search]").send_keys("wEBSITE f")
    wait_for(lambda: len(page.all("tr.opens")) == 1, "one is left")
    page.row("Website forms")
    page.wait("input[type=search]").send_keys("zzz")
    page.wait(".empty", "No keys match")
    page.visit("keys")
    page.row("Website forms")
    for label, value, text in (("Status", "expired", "Trade fair"),
                               ("Status", "deactivated", "Old import"),
                               ("Endpoint type", "product_orgs", "Accounts")):
        choose(page, label, value)
        page.row(text)
        assert "Website forms" not in page.text(ROWS)
        choose(page, label, "")


def test_with_the_keyboard_alone(page):
    page.visit("keys")
    page.row("Website forms")
    keys = page.driver.switch_to.active_element.send_keys
    keys(Keys.TAB)
    assert page.driver.switch_to.active_element.text == "Skip to content"
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert page.driver.switch_to.active_element.get_attribute("id") == "main"
    page.driver.switch_to.active_element.send_keys(Keys.TAB)
    create = page.driver.switch_to.active_element
    assert create.text == "Create key"
    create.send_keys(Keys.ENTER)
    page.wait("dialog input[type=text]")
    page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.wait_gone("dialog")
    assert page.driver.switch_to.active_element == create
    page.click("nav a", "Usage")
    wait_for(lambda: page.script("return document.activeElement.textContent") == "Usage",
             "the focus is at the new heading")


# ---- who sees what ----

@pytest.mark.parametrize("user, views", [
    ("olga", ["API keys", "Staging", "Usage", "Members", "Audit log"]),
    ("adam", ["API keys", "Staging", "Usage", "Members", "Audit log"]),
    ("edith", ["API keys", "Staging", "Usage", "Members", "Audit log"]),
    ("vera", ["Staging"])])
def test_roles(page, user, views):
    """A view that is not one's own leads to the first that is, and nothing is asked for in vain."""
    for view in ("", "keys", "usage", "members", "audit", "nonsense"):
        title = page.visit(view, user)
        assert [link.text for link in page.all("nav a")] == views
        assert title in views
    assert user in page.text(".user")
    page.visit("staging", user)
    page.wait(".tile")
    page.row("website")


def test_a_stranger_is_told_what_to_do(page):
    page.expected.add(403)
    assert page.visit("keys", "sven") == "You are not a member yet"
    assert "sven" in page.text(".stranger-detail") and "member add" in page.text(".stranger-detail")
    assert not page.all("nav a")
    page.stack.ctl("member", "add", "--organization", page.stack.organization, "--user", "sven",
                   "--role", "viewer")
    try:
        page.click("button", "Check again")
        page.wait("nav a", "Staging")
    finally:
        page.stack.psql('delete from sluice.member where user_name = \'sven\'')


def test_several_organizations(page):
    """The switch changes all that is shown; the address remembers it."""
    page.stack.ctl("organization", "create", "Second Ltd")
    page.stack.ctl("member", "add", "--organization", "Second Ltd", "--user", "adam",
                   "--role", "viewer")
    try:
        page.visit("keys", "adam")
        page.row("Website forms")
        page.script("""const select = document.querySelector('.switcher select');
            select.selectedIndex = [...select.options].findIndex(option =>
                option.text === 'Second Ltd'); select.dispatchEvent(new Event('change'))""")
        page.wait(".empty", "No signals in this window")
        assert [link.text for link in page.all("nav a")] == ["Staging"], "a viewer there"
        page.driver.refresh()
        page.wait(".empty", "No signals in this window")
        assert page.script("return document.querySelector('.switcher select').selectedOptions[0]"
                           ".textContent") == "Second Ltd"
        page.visit("", "adam")
        assert page.script("return document.querySelector('.switcher select').selectedOptions[0]"
                           ".textContent") == "Second Ltd", "without an address: the last one"
        assert page.script("return JSON.stringify(localStorage)").count(":") == 1
        page.visit("keys", "olga")
        page.row("Website forms")
    finally:
        page.stack.psql("delete from sluice.member m using sluice.organization o where"
                        " o.id = m.organization_id and o.name = 'Second Ltd'")


def test_an_address_of_another_organization(page):
    """It is not answered with one's own as if that was asked for."""
    page.visit("staging?organization=999999", "vera")
    page.wait_shown(".empty", "This is not an organization of yours")
    page.click(".empty a", f"Go to {page.stack.organization}")
    page.wait(".tile")


# ---- the first view ----

WIDTHS = pytest.mark.parametrize("width", [320, 768, 1024, 1280])


def assert_accessible(page):
    text, _ = axe()
    assert not (text and violations(page, text))


@WIDTHS
def test_what_to_do_while_there_is_nothing(page, width):
    page.stack.ctl("organization", "create", f"Empty {width}")
    page.stack.ctl("member", "add", "--organization", f"Empty {width}", "--user", "sven",
                   "--role", "admin")
    try:
        page.look(width, forced=width == 768)
        page.visit("", "sven")
        assert [step.text.split(".")[0] for step in page.all(".empty .steps li")] == [
            "Create a key",
            ("Send a test event, or paste what is shown for curl, Python, Segment"
             " and others"),
            "Watch it arrive under Staging"]
        assert page.overflow() <= 0
        assert_accessible(page)
        page.click(".empty button", "Create key")
        page.wait("dialog input[type=text]")
        page.close_dialog("Cancel")
    finally:
        page.stack.psql("delete from sluice.member where user_name = 'sven'")


@WIDTHS
def test_how_to_sign_out_is_told(page, width):
    page.look(width, forced=width == 1024)
    page.visit("keys")
    summary = page.wait(".user summary")
    summary.send_keys(Keys.ENTER)
    page.wait_shown(".sign-out", "keeps name and password until all of its windows are closed")
    assert page.script("""const box = document.querySelector('.sign-out').getBoundingClientRect();
        return box.left >= 0 && box.right <= innerWidth""")
    assert page.overflow() <= 0
    assert_accessible(page)
    summary.send_keys(Keys.ESCAPE)
    wait_for(lambda: not page.script("return document.querySelector('.user').open"), "it closes")


def test_show_more_keeps_the_focus(page):
    """At the first row that it has added."""
    page.stack.ctl("organization", "create", "Many keys")
    page.stack.ctl("member", "add", "--organization", "Many keys", "--user", "sven",
                   "--role", "admin")
    try:
        for number in range(101):
            page.stack.new_key(organization="Many keys", name=f"key {number}")
        for view, rows in (("keys", 100), ("audit", 100)):
            page.visit(view, "sven")
            before = len(page.all("tr.opens"))
            page.wait(".more button", "Show").send_keys(Keys.ENTER)
            wait_for(lambda rows=rows: len(page.all("tr.opens")) >= rows, "they are shown")
            assert page.script("""return [...document.querySelectorAll('tr.opens')].findIndex(row =>
                row.contains(document.activeElement))""") == before, view
    finally:
        page.stack.psql("delete from sluice.member where user_name = 'sven'")


# ---- what comes from outside is text ----

@pytest.mark.parametrize("width", [1280, 390])
def test_hostile_texts_are_texts(page, width):
    page.look(width)
    page.visit("keys")
    page.open_row("window.hacked")
    names = page.script("""return [...document.querySelectorAll('bdi')].map(name =>
        name.textContent).filter(name => name.includes('hacked'))""")
    assert re.sub("[\u200f\u202c\u202e]", lambda found: f"\\u{ord(found[0]):04x}",
                  LONG_NAME) in names
    assert page.overflow() <= 0
    assert fits(page)
    page.deactivate("window.hacked")
    assert fits(page, "dialog")
    page.close_dialog("Cancel")

    page.visit("staging")
    page.open_row("window.hacked")
    shown = page.wait("tr.detail .json").get_property("textContent")
    assert "12345678901234567890" in shown
    assert json.loads(shown)[HOSTILE][0] == HOSTILE
    assert "\u202e" not in shown, "what turns text around is shown by its code"
    assert page.overflow() <= 0
    page.visit("staging?list=rejects")
    page.wait(".toggle")
    page.script("document.querySelectorAll('.toggle').forEach(button => button.click())")
    assert '{"email": <b>' in page.text(ROWS)
    page.visit("audit")
    page.wait(".toggle")
    page.script("document.querySelectorAll('.toggle').forEach(button => button.click())")
    assert page.overflow() <= 0
    assert not page.script("return window.hacked")
    assert not page.all("main script, main img, main b, dialog img, dialog script")


def test_each_action_of_the_audit_log_has_words(page):
    functions = "".join(path.read_text()
                        for path in (ROOT / "sql-migrations" / "functions").glob("*.sql"))
    # Those of no organization (0) are not on the page.
    written = set(re.findall(r"sluice\.audit\(actor, [^0][^,]*, '(\w+)'", functions))
    assert "token_create" in written and "secret_" in written
    written.remove("secret_")  # with what is done to it
    page.visit("audit")
    known = set(page.script_async(
        "import('./audit.js').then(({ ACTIONS }) => done(Object.keys(ACTIONS)))"))
    assert written <= known, written - known
    assert {name for name in known if name.startswith("secret_")} == {
        "secret_enable", "secret_rotate", "secret_retire", "secret_remove"}


# ---- what is shown of what came in ----

def test_staging(page):
    page.visit("staging")
    page.wait(".tile")
    tiles = dict(page.script("""return [...document.querySelectorAll('.tile')].map(tile =>
        [tile.querySelector('dt').textContent, tile.querySelector('dd').textContent])"""))
    assert {"Pending", "Completed", "Permanently failed", "Cold storage", "Rejected",
            "Duplicates"} <= set(tiles)
    page.wait(".chart rect")
    page.click(".numbers summary")
    table = page.wait(".numbers table").text
    assert "website" in table and "hubspot" in table
    for window in ("7 days", "30 days", "24 hours"):
        page.click(".segments label", window)
        page.settle()
        page.wait(".chart rect")
    assert page.script("return location.hash") == "#/staging"
    choose(page, "Status", "failed")
    page.row("Failed")
    assert "Completed" not in page.text(ROWS)
    page.open_row("Failed")
    page.wait("tr.detail", "the CRM did not answer")
    choose(page, "Status", "")
    page.wait("[name=source]").send_keys("hubspot", Keys.ENTER)
    page.settle()
    page.row("hubspot")
    assert "website" not in page.text(ROWS), "only HubSpot's are left"
    page.driver.refresh()
    page.row("hubspot")
    page.settle()
    assert "website" not in page.text(ROWS)


def test_the_meter_turns_amber_and_red(page):
    organization = page.stack.organization
    page.visit("usage")
    used = int(page.wait(".figure").text.split()[0].replace(",", ""))
    assert used > 0
    try:
        for limit, tone, text in ((used * 2, "good", "50%"), (used, "bad", "100%"),
                                  (used * 10 // 9, "warn", "% used")):
            page.stack.ctl("organization", "limit", organization, "--signals", limit)
            page.visit("usage")
            page.wait(f".meter-legend .badge.{tone}", text)
            page.wait(f".meter .bar.{tone}")
    finally:
        page.stack.ctl("organization", "limit", organization, "--signals", LIMIT)


def test_times_are_the_readers_with_utc_on_hover(page):
    page.command("Emulation.setTimezoneOverride", timezoneId="Asia/Kathmandu")
    try:
        page.visit("staging")
        page.row("website")
        shown = page.script("""return [...document.querySelectorAll('table[role] tbody time')]
            .map(time => [time.dateTime, time.title, time.matches('.ago') ? null
                : time.textContent])""")
        assert shown
        for timestamp, title, text in shown:
            there = datetime.datetime.fromisoformat(timestamp)
            assert title == f"{there:%Y-%m-%d %H:%M:%S} UTC"
            here = there + datetime.timedelta(hours=5, minutes=45)
            assert text is None or re.sub(r"\s", " ", text) == \
                f"{here:%b} {here.day}, {here.year}, {here:%I:%M:%S %p}".replace(", 0", ", ")
    finally:
        page.command("Emulation.setTimezoneOverride", timezoneId="")


def test_trouble_is_shown_and_can_be_tried_again(page):
    """No answer at all: the rest of the view works on."""
    page.expected.add(599)
    page.command("Network.setBlockedURLs", urls=["*/api/settings/statistics*"])
    try:
        page.visit("staging")
        page.wait(".failed", "No answer from the server")
        page.row("website")
    finally:
        page.command("Network.setBlockedURLs", urls=[])
    page.click(".failed button", "Try again")
    page.wait(".tile")
    page.driver.get_log("browser")  # the request that was held back


# ---- members and the limit ----

def role_of(page, user):
    return dict(page.stack.psql("select user_name, role::text from sluice.member")).get(user)


def test_members_on_the_page(page):
    page.expected.add(400)  # the member without a name
    page.visit("members")
    page.row("vera")
    page.open_dialog("Add member")
    page.click("dialog [type=submit]")
    page.wait("dialog .fault", "user name is missing")
    name = page.driver.switch_to.active_element
    name.send_keys("wanda", Keys.ENTER)
    page.wait_gone("dialog")
    page.row("wanda")
    wait_for(lambda: page.script("return document.activeElement.tagName") == "H1",
             "the focus is at the heading")
    page.settle()
    page.act("wanda", "Change role")
    page.script("document.querySelector('dialog select').value = 'admin'")
    page.click("dialog [type=submit]")
    page.wait_gone("dialog")
    wait_for(lambda: role_of(page, "wanda") == "admin", "the role is another one")
    page.settle()
    page.act("wanda", "Remove")
    page.click("dialog [type=submit]")
    page.wait_gone("dialog")
    wait_for(lambda: role_of(page, "wanda") is None, "the member is gone")
    page.visit("members", "edith")
    page.row("olga")
    assert [each.text for each in page.all(".head button")] == ["Create token"], \
        "an editor manages no members"


def test_tokens_on_the_page(page, clipboard):
    """Made, shown once, used as it is pasted, revoked; by the keyboard until it is shown."""
    page.visit("members", "edith")
    page.open_dialog("Create token")
    page.click("dialog [type=submit]")
    page.wait("dialog .fault", "Enter a name.")
    assert page.all("dialog input[value=organization]") == [], "an editor changes no members"
    page.script("document.querySelector('dialog input[value=keys]').click()")
    page.driver.switch_to.active_element.send_keys("nightly", Keys.ENTER)
    page.wait("dialog .reveal")
    token, curl = page.copied("Token"), page.copied("Try it")
    page.stack.credentials.add(token)
    assert TOKEN.fullmatch(token) and curl.count(token) == 1
    done = subprocess.run(["bash", "-c", curl], env=ENVIRONMENT, capture_output=True, text=True,
                          check=True)
    assert json.loads(done.stdout)["user"].endswith(":edith")
    page.close_dialog("Done")
    assert_clear_text_gone(page, token)
    row = page.row("nightly").text
    assert "Read, Keys" in row and "Active" in row and token not in row
    page.visit("members")  # the owner ends it
    page.act("nightly", "Revoke")
    page.click("dialog [type=submit]")
    page.wait_gone("dialog")
    page.settle()
    wait_for(lambda: page.stack.psql("select status from sluice.token_overview"
                                     " where name = 'nightly'") == [("revoked",)], "it is revoked")
    assert "Revoked" in page.row("nightly").text


def test_the_limit_on_the_page(page):
    page.visit("usage")
    page.click("button", "Change limit")
    number = page.wait("dialog input[inputmode=numeric]")
    number.clear()
    number.send_keys("many", Keys.ENTER)
    page.wait("dialog .fault", "Enter a whole number")
    number.clear()
    number.send_keys("2,000", Keys.ENTER)
    page.wait_gone("dialog")
    page.wait(".figure", "of 2,000 signals")
    page.visit("usage", "adam")
    page.wait(".figure", "of 2,000 signals")
    assert "Change limit" not in page.text(".view")
    page.stack.ctl("organization", "limit", page.stack.organization, "--signals", LIMIT)


# ---- how it looks ----

# Pictures are kept; what is on them must be nobody's key.
MASK = """for (const text of document.querySelectorAll('.reveal-text'))
    text.textContent = text.textContent.replace(/(sk|whs|slt)_\\w+/g, key =>
        key.replace(/_.*/, '_' + 'A1b2C3d4'.repeat(5)))"""


def scenes(page, sender):
    """Every view and dialog, by name; each is shown when its name is given out."""
    page.visit("keys")
    page.row("Website forms")
    yield "keys"
    page.open_row("Accounts from")
    yield "keys-details"
    page.act("Accounts from", "Edit")
    page.wait(".preview th", "product_org_id")
    yield "edit"
    page.close_dialog("Cancel")
    page.open_dialog("Create key")
    yield "create"
    page.click("dialog [type=submit]")
    page.click("dialog .choice", "Product Org Updates")
    page.wait(".preview th", "custom.industry")
    yield "create-template"
    page.close_dialog("Cancel")
    page.create(sender, secret=True)
    page.script(MASK)
    yield "one-time"
    page.click("dialog button", "Send a test event")
    page.wait("dialog .tested .facts")
    yield "test-event"
    page.wait("dialog").send_keys(Keys.ESCAPE)
    yield "one-time-question"
    page.close_dialog("Close")
    page.act(sender, "Rotate")
    yield "rotate"
    page.close_dialog("Cancel")
    page.act(sender, "Secret")
    yield "secret"
    page.close_dialog("Cancel")
    page.act("Accounts from", "History")
    page.wait("dialog .history li")
    yield "history"
    page.close_dialog("Close")
    page.act("Segment production", "Refusals")
    page.wait("dialog .history li")
    yield "refusals"
    page.close_dialog("Close")
    page.deactivate(sender)
    yield "deactivate"
    page.close_dialog("Deactivate")
    page.visit("staging")
    page.wait(".chart rect")
    page.open_row("form_submission")
    yield "staging"
    page.visit("staging?when=between&source=website")
    page.row("website")
    yield "signals-between"
    page.visit("staging?list=product-orgs&window=7d")
    page.wait(".chart rect")
    page.open_row("acct-2077")
    yield "product-orgs"
    page.script(SHORT, "product-orgs")
    page.wait("[name=q]").send_keys("acct-2077", Keys.ENTER)
    page.click(".progress button", "Stop")
    page.wait(".progress button", "Go on")
    yield "search-stopped"
    page.visit("staging?list=current-orgs&window=7d")
    page.wait(".chart rect")
    page.open_row("acct-2077")
    page.wait(".changes li")
    yield "current-orgs"
    page.visit("staging?list=rejects&window=30d")
    page.wait(".chart rect")
    page.wait(".toggle").click()
    yield "rejects"
    page.visit("staging?list=rejects&when=between&q=7&in=text&state=open&code=not_an_object")
    page.wait(".progress", "that is all of 31 days")
    yield "rejects-search"
    page.visit("staging?list=rejects&q=of%20nobody&in=text")
    page.wait(".empty", "Nothing matches")
    yield "nothing-matches"
    page.visit("staging?list=rejects")
    page.wait(".toggle").click()
    page.click("tr.detail .actions button", "Edit and replay")
    page.wait_shown("dialog .preview", "Still bad")
    yield "reject-edit"
    page.close_dialog("Cancel")
    page.click("tr.detail .actions button", "Discard")
    yield "reject-discard"
    page.script("window.fetch = async () => { throw new TypeError('lost') }")
    page.click("dialog button", "Discard")
    page.wait(".failed", "It is not known whether this was done")
    yield "lost-answer"
    page.visit("staging?list=rejects")
    page.click(".reject-kinds button", "Replay all")
    yield "reject-kind"
    page.close_dialog("Cancel")
    page.visit("usage")
    page.wait(".months")
    yield "usage"
    page.click("button", "Change limit")
    page.wait("dialog")
    yield "limit"
    page.close_dialog("Cancel")
    page.click("button", "Change currency")
    page.wait("dialog")
    yield "currency"
    page.close_dialog("Cancel")
    page.visit("members")
    page.open_row("vera")
    yield "members"
    page.open_dialog("Add member")
    yield "member-add"
    page.close_dialog("Cancel")
    page.open_dialog("Create token")
    yield "token-create"
    page.wait("dialog input[type=text]").send_keys("Deployment", Keys.ENTER)
    page.wait("dialog .reveal")
    page.stack.credentials.update(TOKEN.findall(page.text("dialog")))
    page.script(MASK)
    yield "token-new"
    page.close_dialog("Done")
    page.act("Deployment", "Revoke")
    yield "token-revoke"
    page.close_dialog("Cancel")
    page.visit("audit")
    page.wait(".toggle").click()
    yield "audit"
    page.visit("staging", "vera")
    page.wait(".chart rect")
    yield "viewer"
    page.click(".user summary")
    page.wait_shown(".sign-out", "Signing out")
    yield "sign-out"
    page.visit("keys", "sven")
    yield "stranger"


def axe():
    """The text of axe-core and None, or None and why there is none."""
    reason = npm.install(ROOT / "tests" / "e2e" / "page" / "package.json", AXE)
    if reason:
        return None, reason
    return (AXE / "node_modules" / "axe-core" / "axe.min.js").read_text(), None


def violations(page, text):
    page.script(text)
    return page.script_async("""axe.run({ resultTypes: ['violations'], preload: false })
        .then(result => done(result.violations.map(({ id, impact, nodes }) =>
            [id, impact, nodes.length, nodes[0].html.slice(0, 200), nodes[0].failureSummary])))""")


@pytest.fixture(scope="module", ids=lambda one: one.name, params=[
    pytest.param(one, marks=[pytest.mark.slow] if one.name in SLOW_ROUNDS else [])
    for one in ROUNDS])
def walk(request, page_stack, chromium, filled):
    """All scenes, in each look of a round: what was wider than the window, or crushed, what axe has
    found, and in the first look what the keyboard does not reach."""
    one = request.param
    PICTURES.mkdir(parents=True, exist_ok=True)
    text, reason = axe()
    page = Page(page_stack, chromium)
    found = Walk({}, {}, [], {}, reason, {}, [])
    look(page, one.looks[0])
    chromium.forget()
    for name in scenes(page, one.sender):
        for width, colours in one.looks:
            look(page, (width, colours))
            found.overflow[name, width] = chromium.overflow()
            found.crushed[name, width] = chromium.crushed()
            chromium.screenshot(PICTURES / f"{name}-{width}-{colours}.png")
            if text:
                found.violations[name, width, colours] = violations(chromium, text)
        look(page, one.looks[0])
        if chromium.script(r"return /[\u202a-\u202e]/.test(document.body.innerText)"):
            found.turned.append(name)
        # Last: a menu closes when the focus leaves it.
        found.keyboard[name] = keyboard.faults_of(page)
        # 403: what the stranger is told
        found.complaints.extend(chromium.complaints({403}))
    return found


def look(page, width_and_colours):
    """Waits until the chart, too, has the new width."""
    width, colours = width_and_colours
    page.look(width, dark=colours == "dark", forced=colours == "forced")
    page.script_async("requestAnimationFrame(() => requestAnimationFrame(() => done()))")


def test_every_view_fits(walk):
    assert set(walk.overflow.values()) == {0}, walk.overflow
    crushed = {where: texts for where, texts in walk.crushed.items() if texts}
    assert not crushed, crushed
    assert not walk.complaints


def test_no_text_turns_what_is_around_it(walk):
    """A sender could have one value read as another."""
    assert not walk.turned


def test_axe_finds_nothing(walk):
    if walk.no_axe:
        pytest.skip(walk.no_axe)
    assert len(walk.violations) > 30
    found = {name: listed for name, listed in walk.violations.items() if listed}
    assert not found, "\n".join(map(str, found.items()))


def test_the_keyboard_reaches_all(walk):
    found = {name: listed for name, listed in walk.keyboard.items() if listed}
    assert not found, json.dumps(found, indent=1)


def test_forced_colours_show_what_is_chosen(page):
    page.look(1280, forced=True)
    page.visit("staging")
    page.wait(".tile")
    for chosen, other, name in (
            (".tab[aria-pressed=true]", ".tab[aria-pressed=false]", "backgroundColor"),
            (".segments input:checked + span", ".segments input:not(:checked) + span",
             "backgroundColor"),
            (".views a[aria-current]", ".views a:not([aria-current])", "borderBottomColor")):
        colours = page.script("""return [arguments[0], arguments[1]].map(selector =>
            getComputedStyle(document.querySelector(selector))[arguments[2]])""",
                              chosen, other, name)
        assert colours[0] != colours[1], (chosen, colours)


def opener(page, row, label):
    """A button of a view, or of a row that is open already."""
    if row:
        page.script("""const row = [...document.querySelectorAll('tr.opens')].find(row =>
            row.textContent.includes(arguments[0]));
            if (row.nextElementSibling.hidden) row.querySelector('.toggle').click()""", row)
    return page.wait("tr.detail button" if row else ".view button", label)


DIALOGS = [("keys", None, ["Create key", "refused "]),
           ("keys", "Segment production",
            ["Edit", "Rotate", "Secret", "History", "Refusals", "Deactivate"]),
           ("usage", None, ["Change limit"]),
           ("members", None, ["Add member"]),
           ("members", "vera", ["Change role", "Remove"])]


@pytest.mark.parametrize("view, row, labels", DIALOGS, ids=lambda value: value or "none"
                         if not isinstance(value, list) else "")
def test_escape_closes_each_dialog(page, view, row, labels):
    """And the focus is where it was."""
    page.visit(view)
    for label in labels:
        page.settle()
        assert keyboard.focus_returns(page, lambda label=label: opener(page, row, label)), label


# ---- no answer, and a slow one ----

VIEWS = ["API keys", "Staging", "Usage", "Members", "Audit log"]


def offline(page, yes, latency=0):
    page.command("Network.emulateNetworkConditions", offline=yes, latency=latency,
                 downloadThroughput=-1, uploadThroughput=-1)


@pytest.mark.parametrize("known", [True, False], ids=["seen", "new"])
@pytest.mark.parametrize("label", VIEWS)
def test_each_view_offline(page, label, known):
    """It says so, and comes when there is a network again: also where it was never shown."""
    page.expected.add(599)
    other = "Usage" if label == "API keys" else "API keys"
    page.visit("usage" if other == "Usage" else "keys")
    if known:
        page.go(label)
        page.go(other)
    offline(page, True)
    try:
        page.click("nav a", label)
        page.wait_shown(".failed", "No answer from the server", "Check your network and try again")
    finally:
        offline(page, False)
    # Each part of the view has its own button.
    wait_for(lambda: page.script("""document.querySelector('.failed button')?.click();
        return !document.querySelector('.failed, .loading')"""), "all of it is there")
    page.wait(".view h1", label)
    page.settle()
    page.driver.get_log("browser")  # the requests that had no answer


@pytest.mark.parametrize("label", VIEWS)
def test_each_view_while_it_loads(page, label):
    """On a slow network: its heading, and that the rest is being loaded."""
    other = "Usage" if label == "API keys" else "API keys"
    page.visit("usage" if other == "Usage" else "keys")
    page.script("window.fetch = () => new Promise(() => {})")
    page.click("nav a", label)
    page.wait(".view h1", label)
    page.wait_shown(".view [aria-busy] .loading", "Loading ")
    assert page.overflow() <= 0
    assert_accessible(page)


def test_a_view_whose_code_is_still_to_come(page):
    page.visit("usage")
    offline(page, False, latency=1000)
    try:
        page.click("nav a", "Members")
        page.wait_shown(".view .loading", "Loading Members")
    finally:
        offline(page, False)
    page.wait(".view h1", "Members")
    page.row("vera")


# ---- how fast ----

def test_the_first_view_is_small(page, capsys):
    """How soon it is interactive (the table of keys is there and its buttons work) is only told."""
    times = []
    for _ in range(5):
        page.command("Network.clearBrowserCache")
        page.forget()
        page.visit("keys")
        page.row("Website forms")
        times.append(wait_for(lambda: page.script("return window.interactive"), "it is noted"))
    traffic = page.whole_traffic()
    size = sum(request["bytes"] for request in traffic)
    with capsys.disabled():
        print(f"\nsettings page: first view {size / 1000:.1f} kB in {len(traffic)} requests,"
              f" interactive after {min(times):.0f} to {max(times):.0f} ms")
    assert len(traffic) > 8 and 10_000 < size < FIRST_VIEW_BYTES


# ---- what is written twice ----

def test_samples_are_the_templates_of_deploy():
    node = shutil.which("node")
    assert node, "node is missing: `deploy/lab/deps test` installs it"
    # As standard input: Debian 12's node takes a file of this name for a CommonJS module.
    module = (ROOT / "fcgi-app" / "web" / "template-samples.js").read_text()
    done = subprocess.run([node, "--input-type=module"],
                          input=f"{module}\nconsole.log(JSON.stringify(SAMPLES));",
                          stdout=subprocess.PIPE, text=True, check=True)
    samples = json.loads(done.stdout)
    templates = ROOT / "deploy" / "templates"
    assert {f"{name}{end}" for name, end in itertools.product(
        samples, (".json", ".payload.json"))} == {file.name for file in templates.glob("*.json")}
    for name, sample in samples.items():
        assert sample["template"] == (templates / f"{name}.json").read_text().strip()
        assert sample["payload"] == (templates / f"{name}.payload.json").read_text().strip()
