"""A hand at the settings page: a pointer whose clicks are counted, and a keyboard."""

from selenium.webdriver.common.keys import Keys

from harness import wait_for

# Where an element can be clicked, scrolled to if need be; nothing while another one is above it.
PLACE = """
const [selector, text, row] = arguments;
const own = element => element.closest('tr.detail')?.previousElementSibling
    ?? element.closest('tr.opens');
const element = [...document.querySelectorAll(selector)].find(one => one.checkVisibility()
    && (!text || (one.innerText || one.ariaLabel || '').includes(text))
    && (!row || own(one)?.textContent.includes(row)));
element?.scrollIntoView({ block: 'nearest' });
const box = element?.getBoundingClientRect();
const [x, y] = box ? [box.left + box.width / 2, box.top + box.height / 2] : [];
const hit = box && document.elementFromPoint(x, y);
return hit && (element.contains(hit) || hit.contains(element)) ? [x, y] : null;
"""


class Hand:
    def __init__(self, page):
        self.page = page
        self.clicks = 0

    def click(self, selector, text=None, row=None):
        """Where a person would: on what is seen. row: a text of the row to which it belongs."""
        def still():
            """Where it is, once nothing that loads moves it any more."""
            before = self.page.script(PLACE, selector, text, row)
            self.page.settle()
            return before and before == self.page.script(PLACE, selector, text, row) and before

        left, top = wait_for(still, f"{selector} {text or ''} {row or ''} can be clicked")
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.page.command("Input.dispatchMouseEvent", type=kind, x=left, y=top,
                              button="none" if kind == "mouseMoved" else "left", clickCount=1)
        self.clicks += 1

    @property
    def focused(self):
        return self.page.driver.switch_to.active_element

    def press(self, *keys):
        for key in keys:
            self.focused.send_keys(key)

    def write(self, text):
        """Into the field that has the focus, in place of all that it holds."""
        wait_for(lambda: self.page.script(
            "return document.activeElement.matches('input, textarea')"), "a field has the focus")
        self.press(Keys.CONTROL + "a")
        self.page.command("Input.insertText", text=text)

    def pasted(self):
        """What is on the clipboard."""
        return self.page.script_async("navigator.clipboard.readText().then(done)")
