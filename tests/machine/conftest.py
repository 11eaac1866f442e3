"""One machine for the tests of a file, with the packages installed as deploy/README.md says."""

import os
import shutil

import pytest

import machine as machines
from machine import Machine

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


def prepare(root):
    """All web servers of the system would listen on one port; none is started at boot."""
    machines.shell("systemctl", f"--root={root}", "disable", *SERVERS)
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
        machine.run(INSTALL)
        wait_for_front(machine)
        machine.run("sluicectl organization create Example", PGDATABASE="sluice")
        yield machine


@pytest.fixture(scope="module")
def key(installed):
    return installed.json("sluicectl key create --organization Example --name machine --json",
                          PGDATABASE="sluice")["key"]
