"""The settings page in a real browser: rejects, from why they were rejected to their repair.

Each test fails by what those of test_settings_page.py fail by as well.
"""

import pytest

from harness import VARIANT, path_of, send
from settings_page import HOSTILE

pytestmark = [pytest.mark.settings, pytest.mark.first_front,
              pytest.mark.skipif(VARIANT != "release", reason="about the page, not the programs")]

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
    page.wait_shown("tr.detail", "The body is not valid JSON", "at byte 16", "Line 2, column 8")
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
