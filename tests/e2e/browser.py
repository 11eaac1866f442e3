"""A headless Chromium that watches a page: what it logs, what it asks for, what its policy forbids.

Debian's chromium and chromedriver, driven by Selenium and by Chromium's own protocol.
"""

import base64
import json
import os
import shutil
import urllib.parse

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from harness import LIMIT_S, wait_for

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--lang=en-US"]
HEIGHTS = {1280: 900, 1024: 768, 768: 1024, 390: 844, 320: 640}
TALLEST = 2600  # pixels of a screenshot

# Runs in every document before its own scripts.
WATCH = """
window.violations = [];
document.addEventListener('securitypolicyviolation', event =>
    violations.push(`${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`));
new MutationObserver((records, observer) => {
    if (document.querySelector('.view .toggle')) {
        window.interactive = performance.now();
        observer.disconnect();
    }
}).observe(document, { childList: true, subtree: true });
"""


class Browser:
    """One browser for many tests; `requests` are those since forget()."""

    def __init__(self):
        assert shutil.which("chromedriver"), \
            "chromium-driver is missing: `deploy/lab/deps test` installs it"
        options = webdriver.ChromeOptions()
        for flag in FLAGS:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options,
                                       service=Service(shutil.which("chromedriver"),
                                                       log_output=os.devnull))
        self.command("Network.enable")
        self.command("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        self.width, self.base = 1280, None
        self.forget()

    def close(self):
        self.driver.quit()

    def command(self, name, **parameters):
        return self.driver.execute_cdp_cmd(name, parameters)

    # ---- who, where, how ----

    def sign_in(self, user, password):
        """As the browser's own prompt would: the header of Basic, with every request."""
        word = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.command("Network.setExtraHTTPHeaders", headers={"Authorization": f"Basic {word}"})

    def look(self, width, dark=False, forced=False):
        self.width = width
        self.command("Emulation.setEmulatedMedia", features=[
            {"name": "forced-colors", "value": "active" if forced else "none"},
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce"}])
        self._size(HEIGHTS[width])

    def _size(self, height):
        self.command("Emulation.setDeviceMetricsOverride", width=self.width, height=height,
                     deviceScaleFactor=1, mobile=False)

    def open(self, url):
        """A fresh document, whatever is shown now."""
        self.base = url.split("#")[0]
        self.driver.get("about:blank")
        self.driver.get(url)

    # ---- the page ----

    def script(self, text, *values):
        return self.driver.execute_script(text, *values)

    def script_async(self, text, *values):
        """text ends by calling done(value)."""
        return self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];" + text, *values)

    def all(self, selector, within=None):
        return (within or self.driver).find_elements(By.CSS_SELECTOR, selector)

    def wait(self, selector, text=None, timeout=LIMIT_S):
        """The first visible element of that kind, with that text in it."""
        def found():
            try:
                for element in self.all(selector):
                    if element.is_displayed() and (text is None or text in element.text):
                        return element
            except (NoSuchElementException, StaleElementReferenceException):
                pass
            return None
        return wait_for(found, f"{selector} {text or ''}", timeout)

    def wait_shown(self, selector, *texts, timeout=LIMIT_S):
        """Waits until one visible element of that kind has all these texts in it."""
        wait_for(lambda: self.script(
            "return [...document.querySelectorAll(arguments[0])].some(element =>"
            " element.checkVisibility() && arguments[1].every(text =>"
            " element.innerText.includes(text)))", selector, texts),
            f"{selector} {texts}", timeout)

    def settle(self):
        """Waits until nothing on the page is still being loaded."""
        wait_for(lambda: self.script("return document.readyState === 'complete'"
                                     " && !document.querySelector('[aria-busy]')"),
                 "the page has loaded everything")

    def wait_gone(self, selector, timeout=LIMIT_S):
        wait_for(lambda: not self.script("return [...document.querySelectorAll(arguments[0])]"
                                         ".some(element => element.checkVisibility())", selector),
                 f"{selector} goes away", timeout)

    def click(self, selector, text=None):
        """Also where the element is made anew between the look and the click."""
        def clicked():
            try:
                self.wait(selector, text).click()
            except StaleElementReferenceException:
                return False
            return True
        wait_for(clicked, f"{selector} {text or ''} is clicked")

    def text(self, selector):
        """All text of the first element of that kind, as soon as there is one."""
        return wait_for(lambda: self.script(
            "const found = document.querySelector(arguments[0]);"
            "return found && [found.textContent]", selector), selector)[0]

    def overflow(self):
        """By how many pixels the document is wider than the window."""
        return self.script("return document.documentElement.scrollWidth - innerWidth")

    def crushed(self):
        """Texts whose place is so narrow that their words stand in it letter by letter."""
        return self.script("""
            const found = [];
            const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            while (texts.nextNode()) {
                const { currentNode: node } = texts;
                const range = document.createRange();
                range.selectNodeContents(node);
                const { width, height } = range.getBoundingClientRect();
                const em = parseFloat(getComputedStyle(node.parentElement).fontSize);
                if (node.parentElement.checkVisibility() && node.data.trim().length > 4
                        && width > 0 && width < 2.5 * em && height > 4 * em)
                    found.push(node.data.trim().slice(0, 80));
            }
            return found""")

    def screenshot(self, file):
        """The whole page, or the window with a dialog in it."""
        # What is open only while the focus is in it stays open.
        self.script("if (!document.activeElement.closest('details[open]'))"
                    " document.activeElement.blur(); scrollTo(0, 0)")
        height = HEIGHTS[self.width]
        if not self.all("dialog"):
            height = max(height, min(TALLEST, self.script(
                "return document.documentElement.scrollHeight")))
        elif self.width > 600:
            height = 1000
        self._size(height)
        self.driver.save_screenshot(str(file))
        self._size(HEIGHTS[self.width])

    # ---- what it did ----

    def forget(self):
        self.requests, self._by_id, self._lines, self._violations = [], {}, [], []
        self.driver.get_log("browser")
        self.driver.get_log("performance")

    def _read_requests(self):
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            values = message["params"]
            if message["method"] == "Network.requestWillBeSent":
                request = {"url": values["request"]["url"], "status": None, "bytes": 0,
                           "done": False}
                self.requests.append(request)
                self._by_id[values["requestId"]] = request
            elif values.get("requestId") not in self._by_id:
                continue
            elif message["method"] == "Network.responseReceived":
                self._by_id[values["requestId"]]["status"] = values["response"]["status"]
            elif message["method"] == "Network.loadingFailed":
                self._by_id[values["requestId"]]["done"] = True
                if not values.get("canceled"):
                    self._by_id[values["requestId"]]["status"] = 599  # no answer at all
            elif message["method"] == "Network.loadingFinished":
                self._by_id[values["requestId"]].update(bytes=values["encodedDataLength"],
                                                        done=True)

    def traffic(self):
        """The requests since forget(): url, status, bytes over the wire."""
        self._read_requests()
        return [request for request in self.requests if request["url"].startswith("http")]

    def whole_traffic(self):
        """The same when all of them have ended."""
        wait_for(lambda: all(request["done"] for request in self.traffic()),
                 "all requests have ended")
        return self.traffic()

    def complaints(self, expected_statuses=()):
        """All that must not happen: errors and warnings, violations, requests to elsewhere."""
        found = [f"{entry['level']}: {entry['message']}"
                 for entry in self.driver.get_log("browser") if entry["source"] != "network"]
        if self.base and self.driver.current_url.startswith(self.base):
            found += [f"policy: {text}" for text in self.script("return window.violations")]
        for request in self.traffic():
            url = urllib.parse.urlsplit(request["url"])
            if f"{url.scheme}://{url.netloc}/" != urllib.parse.urljoin(self.base, "/"):
                found.append(f"elsewhere: {request['url']}")
            if request["status"] is not None and request["status"] >= 400 \
                    and request["status"] not in expected_statuses:
                found.append(f"{request['status']}: {request['url']}")
        return found
