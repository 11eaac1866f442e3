"""test_started.py - the program started by the web server, as CGI and by mod_fcgid."""

import pathlib

import fronts
import machine
import pytest
from test_fronts import WEBHOOK, send_hostile_requests


@pytest.fixture(scope="module")
def as_web_server(fitted):
    """The program runs as www-data, which needs the configuration and the role for it."""
    machine.run("adduser", "www-data", "sluice")
    ident = pathlib.Path(machine.run("psql", "-Atc", "SHOW ident_file", user="postgres").strip())
    before = ident.read_text()
    ident.write_text(before + "sluice www-data sluice_intake\n")
    machine.run("psql", "-Atc", "SELECT pg_reload_conf()", user="postgres")
    yield
    ident.write_text(before)
    machine.run("gpasswd", "-d", "www-data", "sluice")  # Debian 13's deluser cannot here


@pytest.fixture(scope="module", params=[(front, setup) for front in fronts.STARTING_FRONTS
                                        for setup in fronts.SETUPS[:3]],
                ids=lambda pair: f"{pair[0].name}-{pair[1].name}")
def front(request, as_web_server):
    kind, setup = request.param
    with kind(setup).serving() as server:
        yield server


def test_signals_are_stored(front, key):
    for path in (f"{WEBHOOK}{key}", f"{WEBHOOK}web/{key}", f"{WEBHOOK}{key}/batch",
                 f"/api/signal-staging/bulk/{key}"):
        answer = front.post(path, body=f"[{machine.SIGNAL}]")
        assert answer.status == 202, (path, answer)
    answer = front.post(f"{WEBHOOK}sk_unknown")
    assert answer.status == 401
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_the_pages_of_the_site_are_its_own(front):
    for path, text in fronts.PAGES.items():
        answer = front.request(path)
        assert (answer.status, answer.body) == (200, text), path


def test_no_log_holds_a_key(front, key):
    send_hostile_requests(front, key)
    front.stop()
    lines = front.lines()
    front.start()
    assert machine.leaks(key) == []
    assert len(lines) > 40
    assert len([line for line in lines if '" 202 ' in line]) > 4
