"""test_site.py - what the site's own visitors and operators notice of Sluice: nothing."""

import re
import subprocess

import fronts
import machine
import pytest

WEBHOOK = "/api/signal-staging/webhook/"


def without_time(lines):
    return [re.sub(r"\[[^]]+\]", "[]", line) for line in lines]


SITE_REQUESTS = [["/health"], ["/api/mine.txt?a=b", "-e", "http://a/?b", "-A", "x/1 (y)"],
                 ["/none", "-A", ""], ["/task_list_of_1234567890abcdefghij"],
                 ["/", "-X", "OPTIONS"],
                 ["/%41?%42", "-A", 'quote " backslash \\ ä'], ["/index.html", "--http1.0"]]


def site_answers(server):
    """What the site's visitors get, and what is logged of them."""
    server.start()
    answers = [server.request(path, *options) for path, *options in SITE_REQUESTS]
    server.stop()
    return [(answer.status, line, {name: sorted(text.split(",")) for name, text
                                   in answer.headers.items()
                                   if name not in ("date", "etag", "last-modified")})
            for answer, line in zip(answers, without_time(server.lines()), strict=True)]


@pytest.mark.parametrize("kind", fronts.FRONTS, ids=lambda kind: kind.name)
def test_the_site_is_as_before(kind, worker):
    server = kind(fronts.SETUPS[0])
    server.restore()
    if kind is fronts.Lighttpd:
        machine.run("lighty-enable-mod", "accesslog")
    before = site_answers(server)
    server.restore()
    server.enable()
    after = site_answers(server)
    for was, is_now, (path, *_) in zip(before, after, SITE_REQUESTS, strict=True):
        assert is_now == was, path


def test_the_status_page_shows_no_key(worker, key):
    with fronts.Apache(fronts.SETUPS[0]).serving() as server:
        slow = subprocess.Popen(
            ["curl", "-s", "-T", "-", "-X", "POST", f"http://127.0.0.1{WEBHOOK}{key}"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

        def page():
            return server.request("/server-status").body

        machine.wait_for("the request is shown", lambda: f"POST {WEBHOOK}..." in page())
        shown = page()
        slow.communicate(b"{}")
        assert key[3:15] not in shown and "sk_" not in shown
        assert "GET /server-status" in shown
