"""test_uninstall.py - removing and purging the packages: the web servers go on."""

import pathlib

import fronts
import machine
import pytest


@pytest.mark.parametrize("kind", fronts.FRONTS, ids=lambda kind: kind.name)
def test_the_web_server_goes_on(kind, worker):
    server = kind(fronts.SETUPS[0])
    server.restore()
    machine.install(2)
    server.enable()
    server.start()
    try:
        for command in ("-r", "-P"):
            machine.run("dpkg", command, "sluice-intake", "sluice-tools")
            assert server.request("/health").body == fronts.PAGES["/health"]
            # Also after a restart.
            server.stop()
            server.start()
            assert server.request("/health").body == fronts.PAGES["/health"]
    finally:
        server.stop()
        worker.stop()
        machine.install(2)
        worker.start()


def test_purging_leaves_no_file(worker):
    machine.install(2)
    for name in ("apache2", "lighttpd", "nginx"):
        assert list(pathlib.Path(f"/etc/{name}").rglob("*sluice*"))
    machine.run("dpkg", "-P", "sluice-intake", "sluice-tools")
    found = machine.run("find", "/etc", "/usr", "/var/lib", "-name", "*sluice*",
                        "-not", "-path", "/var/lib/postgresql/*").split()
    assert found == []
