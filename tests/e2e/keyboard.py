"""The settings page by its keyboard alone: what Tab reaches, in which order, and what shows it."""

from harness import wait_for

# What can be used, in the order of the document; of a group of radio buttons the chosen one.
EXPECTED = """
const within = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body;
window.stops = [...within.querySelectorAll('a[href], button:enabled, input:enabled, select:enabled,'
    + ' textarea:enabled, summary, [tabindex="0"]')].filter(one => one.checkVisibility()
    && (one.type !== 'radio' || one.checked));
within.tabIndex = -1;
within.focus({ preventScroll: true });
within.removeAttribute('tabindex');
return stops.map(one => one.outerHTML.slice(0, 100));
"""

# Where the focus is: its place among the stops, and what is wrong with how it is shown.
FOCUSED = """
const one = document.activeElement;
const seen = element => {
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return outlineStyle !== 'none' && parseFloat(outlineWidth) > 0;
};
const box = one.getBoundingClientRect();
const x = box.left + Math.min(box.width / 2, 20);
// Of a field that is higher than its place the line with the caret is shown.
const hits = [12, box.height / 2, box.height - 12].map(y =>
    document.elementFromPoint(x, box.top + Math.max(1, Math.min(y, box.height - 1))));
const faults = [];
if (![one, one.nextElementSibling].some(element => element && seen(element)))
    faults.push('nothing shows the focus');
if (hits.every(hit => hit === null))
    faults.push('it is outside of the window');
else if (!hits.some(hit => hit !== null && (one.contains(hit)
        || one.closest('label')?.contains(hit))))
    faults.push(`it is below ${hits.find(hit => hit)?.outerHTML.slice(0, 80)}`);
return [one.matches('body, html, dialog'), stops.indexOf(one), one.outerHTML.slice(0, 100), faults];
"""


def press_tab(page):
    for kind in ("rawKeyDown", "keyUp"):
        page.command("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab",
                     windowsVirtualKeyCode=9)


def faults_of(page):
    """What cannot be reached or not be seen, of the page or of the dialog above it."""
    expected = page.script(EXPECTED)
    found, reached = [], []
    for _ in range(8 * len(expected) + 20):  # a field for a date has several stops
        press_tab(page)
        outside, place, element, faults = page.script(FOCUSED)
        if outside or (reached and place == reached[0] and len(set(reached)) > 1):
            break
        found += [f"{element}: {fault}" for fault in faults]
        if place >= 0 and place not in reached:
            reached.append(place)
    if reached != sorted(reached):
        found.append(f"the order is {reached}")
    return found + [f"{element}: Tab does not reach it"
                    for place, element in enumerate(expected) if place not in reached]


def focus_returns(page, open_it):
    """Opens a dialog by Enter, closes it by Escape; whether the focus is where it was."""
    opener = open_it()
    page.script("arguments[0].focus()", opener)
    opener.send_keys("\ue007")
    page.wait("dialog")
    inside = wait_for(lambda: page.script(
        "return document.querySelector('dialog').contains(document.activeElement)"),
        "the focus is in the dialog")
    page.driver.switch_to.active_element.send_keys("\ue00c")
    page.wait_gone("dialog")
    return inside and page.driver.switch_to.active_element == opener
