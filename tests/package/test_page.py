"""test_page.py - the settings page in each web server as Debian configures it."""

import stat

import fronts
import machine
import pytest

OLGA = ["-u", "olga:secret"]


@pytest.fixture(scope="module")
def settings(fitted):
    hashed = machine.run("openssl", "passwd", "-apr1", "secret").strip()
    machine.USERS.write_text(f"olga:{hashed}\nsven:{hashed}\n")
    machine.run("adduser", "www-data", "sluice-web")
    machine.run("sluicectl", "member", "add", "--organization", "Example", "--user", "olga",
                "--role", "owner", PGDATABASE="sluice")
    service = machine.Service(
        machine.open_socket(machine.SETTINGS_SOCKET, "sluice-settings", "sluice-web"),
        "sluice-settings", "/usr/sbin/sluice-settings", "--config", "/root/settings.conf")
    # As /etc/sluice/settings.conf after the edit that its comment asks for.
    machine.run("install", "-m", "711", "-d", "/root")
    machine.run("sh", "-c", "sed s/off/on/ /etc/sluice/settings.conf >/root/settings.conf")
    service.start()
    yield service
    service.stop()
    machine.USERS.unlink()  # the operator's, which a purge would leave


@pytest.fixture(scope="module", params=fronts.FRONTS, ids=lambda kind: kind.name)
def front(request, worker, settings):
    with request.param(fronts.SETUPS[0]).serving(settings=True) as server:
        yield server


def test_the_page_is_for_signed_in_users(front):
    for path in ("/settings/", "/settings/main.js", "/api/settings/me"):
        assert front.request(path).status == 401, path
        assert front.request(path, "-u", "olga:wrong").status == 401, path
    page = front.request("/settings/", *OLGA)
    assert page.status == 200 and page.headers["content-security-policy"].startswith("default-src")
    assert front.request("/settings/main.js", *OLGA).status == 200
    me = front.request("/api/settings/me", *OLGA)
    assert me.status == 200 and "Example" in me.body
    assert front.request("/api/settings/me", "-u", "sven:secret").status == 403


def test_the_other_paths_are_as_without_it(front, key):
    assert front.post(f"/api/signal-staging/webhook/{key}").status == 202
    assert front.request("/settings.html").body == fronts.PAGES["/settings.html"]


def test_the_socket_is_for_a_group_of_its_own(settings):
    path = machine.SETTINGS_SOCKET
    assert (path.owner(), path.group()) == ("sluice-settings", "sluice-web")
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    unit = machine.run("cat", "/usr/lib/systemd/system/sluice-settings.socket")
    assert "SocketGroup=sluice-web\n" in unit and "SocketMode=0660\n" in unit
