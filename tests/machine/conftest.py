"""One machine for the tests of a file, with the packages installed as deploy/README.md says."""

import contextlib
import os
import shutil

import pytest

import machine as machines
from guides import Site
from machine import Machine, Network

REVISION = 1
SERVERS = ("apache2", "lighttpd", "nginx")
# Its answer is the status alone; the payload is new each time.
POST = ("curl -sS -o /dev/null -w '%{http_code}' --max-time 60 -H 'Content-Type: application/json'"
        " -d \"{\\\"email\\\":\\\"a@example.com\\\",\\\"messageId\\\":\\\"$(cat"
        " /proc/sys/kernel/random/uuid)\\\"}\" http://localhost/api/signal-staging/webhook/")
INSTALL = """
dpkg -i /srv/packages/sluice*_*-1_*.deb
runuser -u postgres -- sluicectl setup
systemctl enable --now sluice-intake@1.service sluice-settings@1.service sluice-maintain.timer
lighty-enable-mod accesslog sluice
systemctl start lighttpd
"""


def prepare(root, *servers):
    """All web servers of the system would listen on one port; only these are started at boot."""
    machines.shell("systemctl", f"--root={root}", "disable",
                   *(server for server in SERVERS if server not in servers))
    (root / "usr/sbin/policy-rc.d").unlink()
    shutil.copytree(os.environ["SLUICE_PACKAGES"], root / "srv/packages")


def wait_for_front(machine):
    """Debian's unit for lighttpd is started before lighttpd listens."""
    machine.run("curl -s --retry 100 --retry-connrefused --retry-delay 1 http://localhost/")


@pytest.fixture(scope="module")
def installed():
    """The machine, with the workers running by systemd behind lighttpd."""
    if reason := machines.missing():
        pytest.skip(reason)
    with Machine(prepare) as machine:
        machine.wait_until_booted()
        machine.run(INSTALL)
        wait_for_front(machine)
        machine.run("sluicectl organization create Example", PGDATABASE="sluice")
        yield machine


@pytest.fixture(scope="module")
def key(installed):
    return installed.json("sluicectl key create --organization Example --name machine --json",
                          PGDATABASE="sluice")["key"]


# ---- guides ----

def equip(root, hosts, servers):
    """As prepare does; the packages are in root's home, and the hosts know each other."""
    prepare(root, *servers)
    for package in (root / "srv/packages").glob(f"sluice*-{REVISION}_*.deb"):
        shutil.copy(package, root / "root")
    if "postgresql" not in servers:
        machines.shell("systemctl", f"--root={root}", "disable", "postgresql")
    with (root / "etc/hosts").open("a") as file:
        file.writelines(f"{address} {name}\n" for name, (address, *_) in hosts.items())


@contextlib.contextmanager
def booting():
    """boot({name: (address, server...)}): a Site of booted machines, each with these servers.

    The other servers of the system (web servers, postgresql) are as if not installed: not started.
    """
    if reason := machines.missing():
        pytest.skip(reason)
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(Network())

        def start(hosts):
            made = {}
            for name, (address, *servers) in hosts.items():
                made[name] = Machine(
                    lambda root, servers=servers: equip(root, hosts, servers), name,
                    network.plug_in(address))
            for machine in made.values():
                stack.enter_context(machine)
            for machine in made.values():
                machine.wait_until_booted()
            return Site(made)

        yield start


@pytest.fixture
def boot():
    with booting() as start:
        yield start
