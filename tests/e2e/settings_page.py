"""The settings page as one user sees it, and a stack with something to see, for its tests."""

import json
import subprocess

import pytest

from browser import Browser
from harness import ENVIRONMENT, KEY, PATIENCE, SECRET, org_path, path_of, send, wait_for

LIMIT = 1000  # signals a month
HOSTILE = ('<script>window.hacked=1</script>"><img src=x onerror="window.hacked=1">'
           '\u202egnirts\u202c \u200f\u0627\u0644\u0639\u0631\u0628\u064a\u0629 '
           '\U0001f680\U0001f469\u200d\U0001f4bb ')
LONG_NAME = HOSTILE + "x" * (200 - len(HOSTILE))

ROWS = "table[role] tbody"  # not those of the chart's numbers

# The next answers to changes are lost, after the service has given them.
LOSE = """
window.real ??= fetch;
window.lost = arguments[0];
window.fetch = async (...call) => {
    const answer = await real(...call);
    if (call[1]?.method !== 'POST' || lost-- <= 0)
        return answer;
    await answer.text();
    throw new TypeError('lost');
};
"""

# What a search answers that has not come to its end, until `allow` is set; then the service's own.
SHORT = """
const real = fetch, [path] = arguments;
window.allow = false;
window.fetch = async (url, options) => {
    if (window.allow || !String(url).includes(`/${path}?`))
        return real(url, options);
    await new Promise(resolve => setTimeout(resolve, 20));
    options.signal?.throwIfAborted();
    return new Response(JSON.stringify({ [path.replace('-', '_')]: [],
        next: path === 'signals' ? '1762905600000000-0' : '999999999999',
        searched_until: '2025-11-12T00:00:00Z', live: '1-3:3:' }));
};
"""

LOOKS = pytest.mark.parametrize("look", [{}, {"dark": True}, {"forced": True},
                                         {"dark": True, "forced": True}],
                                ids=["light", "dark", "forced", "forced-dark"])


def fill(stack):
    """What a demo has: keys of every kind, rows of every kind, one of each status."""
    keys = {
        "forms": stack.new_key(name="Website forms"),
        "segment": stack.new_key(name="Segment production", secret=True,
                                 expires="2099-12-31T23:59:59Z"),
        "product": stack.new_product_key(name="Accounts from the warehouse"),
        "expired": stack.new_expired_key(name="Trade fair 2025"),
        "old": stack.new_key(name="Old import"),
        "hostile": stack.new_key(name=LONG_NAME),
    }
    stack.ctl("key", "deactivate", keys["old"]["id"])
    stack.ctl("organization", "limit", stack.organization, "--signals", LIMIT)
    for source, count in (("website", 9), ("hubspot", 6), ("marketo", 3), ("newsletter", 2)):
        items = [{"email": f"lead-{number}@example.com", "event": "form_submission",
                  "properties": {"form_name": "Contact", "budget": 1500.50}}
                 for number in range(count)]
        send(stack, path_of(keys["forms"], source), json.dumps(items).encode())
    send(stack, path_of(keys["hostile"]), json.dumps(
        {"email": "hostile@example.com", "event": LONG_NAME, HOSTILE: [HOSTILE, {"deep": [[]]}],
         "big": 1}).replace('"big": 1', '"big": 12345678901234567890').encode())
    send(stack, path_of(keys["forms"], end="/batch"), b'[{"email":"a@example.com"}, 7, "no"]')
    send(stack, path_of(keys["forms"]), b'{"email": <b>')
    send(stack, path_of(keys["segment"]))  # without its secret: refused
    send(stack, org_path(keys["product"]),
         b'{"groupId": "acct-2077", "traits": {"name": "Example Ltd"}}')
    for status in ("completed", "skipped", "failed"):
        stack.psql("select sluice.finish_signals(array_agg(id), %s,"
                   " case when %s = 'failed' then 'the CRM did not answer' end)"
                   " from sluice.claim_signals('demo', 4, '5 minutes')", status, status)
    return keys


class Page:
    """The page as one user sees it."""

    def __init__(self, stack, browser):
        self.stack, self.browser = stack, browser
        self.expected = set()  # statuses of 400 and above that are part of the test

    def __getattr__(self, name):
        return getattr(self.browser, name)

    def visit(self, view="", user="olga"):
        """Opens a view; its title, when all that it loads is there."""
        self.sign_in(user, self.stack.env["DEMO_PASSWORD"])
        self.open(f"{self.stack.env['SETTINGS_URL']}#/{view}")
        self.wait(".view h1")
        self.settle()
        return self.text(".view h1")

    def go(self, label):
        """Follows the navigation to a view, until all that it loads is there."""
        self.click("nav a", label)
        self.wait(".view h1", label)
        self.settle()

    def close_dialog(self, label):
        """By one of its buttons; what is below it is loaded anew."""
        self.click("dialog button", label)
        self.wait_gone("dialog")
        self.settle()

    def row(self, text):
        return self.wait("tr.opens", text)

    def open_row(self, text):
        self.row(text)
        self.script("""[...document.querySelectorAll('tr.opens')].find(row =>
            row.textContent.includes(arguments[0])).querySelector('.toggle').click()""", text)
        return self.wait("tr.detail")

    def open_dialog(self, label, within=""):
        self.click(f"{within} button".strip(), label)
        return self.wait("dialog")

    def name_a_key(self, name):
        """Fills in the form for a key, which is still to be sent."""
        self.open_dialog("Create key")
        self.wait("dialog input[type=text]").send_keys(name)

    def create(self, name, secret=False):
        self.name_a_key(name)
        if secret:
            self.wait("dialog input[type=checkbox]").click()
        self.submit()

    def submit(self):
        """Creates the key; what it shows must later be in no log."""
        self.click("dialog [type=submit]")
        self.wait("dialog .reveal")
        shown = self.text("dialog")
        self.stack.credentials.update(KEY.findall(shown), SECRET.findall(shown))

    def copied(self, label):
        """What the copy button of that field puts on the clipboard."""
        self.wait("dialog .reveal", label)
        self.script("""window.copier = [...document.querySelectorAll('.reveal')].find(reveal =>
            reveal.textContent.startsWith(arguments[0])).querySelector('button');
            copier.classList.remove('copied'); copier.click()""", label)
        wait_for(lambda: self.script("return copier.classList.contains('copied')"),
                 f"{label} is copied")
        return self.script_async("navigator.clipboard.readText().then(done)")

    def press(self, name, label):
        """A button of a key's row, which is opened for it."""
        self.row(name)
        self.script("""const row = [...document.querySelectorAll('tr.opens')].find(row =>
            row.textContent.includes(arguments[0]));
            if (row.nextElementSibling.hidden) row.querySelector('.toggle').click();
            [...row.nextElementSibling.querySelectorAll('.actions button')].find(button =>
                button.textContent === arguments[1]).click()""", name, label)

    def act(self, name, label):
        """Opens a dialog by a button of a key's row."""
        self.press(name, label)
        return self.wait("dialog")

    def deactivate(self, name):
        return self.act(name, "Deactivate")


def type_into(page, area, text):
    page.script("""arguments[0].value = arguments[1];
        arguments[0].dispatchEvent(new Event('input', { bubbles: true }))""", area, text)


def choose(page, label, value):
    page.script("""const filter = [...document.querySelectorAll('.filter, .search-field')]
        .find(entry => entry.textContent.startsWith(arguments[0])).querySelector('select');
        filter.value = arguments[1];
        filter.dispatchEvent(new Event('change', { bubbles: true }))""", label, value)
    page.settle()


def fits(page, within=ROWS):
    """Nothing sticks out of the window at the side."""
    return page.script("""return [...document.querySelector(arguments[0]).querySelectorAll(
        'bdi, td, button, code')].every(element => {
            const box = element.closest('.clamp, .clip, td, dialog')?.getBoundingClientRect()
                ?? element.getBoundingClientRect();
            return box.right <= innerWidth + 1; })""", within)


def last_used(page, name):
    """When the row of that key says that it was last used, in UTC."""
    return page.script("""return [...document.querySelectorAll('tr.opens')].find(row =>
        row.textContent.includes(arguments[0])).querySelector('[data-label="Last Used"] time').title
        """, name)


def assert_clear_text_gone(page, *texts):
    """Not in the document, the address, the history or any storage."""
    left = page.script("""return [document.documentElement.outerHTML, location.href,
        JSON.stringify(history.state), JSON.stringify(localStorage),
        JSON.stringify(sessionStorage), document.cookie,
        [...document.querySelectorAll('input, textarea')].map(field => field.value).join()]""")
    for text in texts:
        assert not any(text in place for place in left)
    assert page.script_async("indexedDB.databases().then(list => done(list.length))") == 0
    assert page.script_async("caches.keys().then(list => done(list.length))") == 0
    for request in page.traffic():
        assert not any(text in request["url"] for text in texts)


def run_as_pasted(curl):
    """The line in a shell, as a terminal would run it; (status, body)."""
    done = subprocess.run(["bash", "-c", f"{curl.strip()} -sw '\n%{{http_code}}'"], env=ENVIRONMENT,
                          capture_output=True, text=True, check=True, timeout=60 * PATIENCE)
    body, status = done.stdout.rsplit("\n", 1)
    return int(status), body


# ---- fixtures ----

@pytest.fixture(scope="module")
def filled(page_stack):
    return fill(page_stack)


@pytest.fixture(scope="module")
def chromium():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def page(page_stack, chromium, filled):
    chromium.look(1280)
    chromium.forget()
    chromium.command("Storage.clearDataForOrigin", origin=page_stack.base_url,
                     storageTypes="local_storage")
    found = Page(page_stack, chromium)
    yield found
    complaints = found.complaints(found.expected)
    assert not complaints, complaints


@pytest.fixture
def clipboard(page):
    page.command("Browser.grantPermissions", origin=page.stack.base_url,
                 permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
