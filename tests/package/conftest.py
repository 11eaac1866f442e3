"""conftest.py - the machine once, and each web server as it was installed for each test of it."""

import shutil

import fronts
import machine
import pytest


@pytest.fixture(scope="session")
def host():
    """A host with the packages installed, nothing enabled, and Debian's cluster running."""
    machine.install(1)
    for name in ("apache2", "lighttpd", "nginx"):
        shutil.copytree(f"/etc/{name}", machine.PRISTINE / name, symlinks=True)
    machine.make_certificate()
    version, cluster = machine.run("pg_lsclusters", "-h").split()[:2]
    machine.run("pg_ctlcluster", version, cluster, "start")
    yield machine
    machine.run("pg_ctlcluster", version, cluster, "stop", "-m", "fast")


@pytest.fixture(scope="session")
def worker(host, fitted):
    listener = host.open_socket(host.SOCKET, "sluice", "www-data")
    service = host.Service(listener, "sluice", "/usr/sbin/sluice-intake", "--config",
                           "/etc/sluice/sluice.conf")
    service.start()
    yield service
    service.stop()


@pytest.fixture(scope="session")
def fitted(host):
    """The database set up, the workers' configuration written."""
    host.run("/srv/src/tests/package/set-up")


@pytest.fixture(scope="session")
def key(fitted):
    return machine.make_key()


@pytest.fixture(scope="module", params=[(front, setup) for front in fronts.FRONTS
                                        for setup in fronts.SETUPS],
                ids=lambda pair: f"{pair[0].name}-{pair[1].name}")
def front(request, worker, key):
    kind, setup = request.param
    with kind(setup).serving() as server:
        yield server
