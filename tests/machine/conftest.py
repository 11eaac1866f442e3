"""One machine for the tests of a file, with Sluice as deploy/README.md installs it."""

import re
import subprocess

import pytest

import machine as machines
from machine import ROOT, Machine

# Its answer is the status alone; the payload is new each time.
POST = ("curl -sS -o /dev/null -w '%{http_code}' --max-time 60 -H 'Content-Type: application/json'"
        " -d \"{\\\"email\\\":\\\"a@example.com\\\",\\\"messageId\\\":\\\"$(cat"
        " /proc/sys/kernel/random/uuid)\\\"}\" http://localhost/api/signal-staging/webhook/")


def commands(*headings):
    """The sh blocks below the headings of deploy/README.md."""
    text = (ROOT / "deploy/README.md").read_text()
    found = []
    for heading in headings:
        section = re.search(rf"^#+ {heading}\n(.*?)(?=^#|\Z)", text, re.M | re.S)
        found += re.findall(r"^```sh\n(.*?)^```", section[1], re.M | re.S)
    return found


def copy_checkout(machine):
    """What is committed, in /root/sluice."""
    target = machine.root / "root/sluice"
    target.mkdir(parents=True, exist_ok=True)
    archive = subprocess.Popen(["git", "-C", str(ROOT), "archive", "HEAD"], stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", str(target)], stdin=archive.stdout, check=True)
    assert archive.wait() == 0


def wait_for_front(machine):
    """Debian's unit for lighttpd is started before lighttpd listens."""
    machine.run("curl -s --retry 100 --retry-connrefused --retry-delay 1 http://localhost/")


@pytest.fixture(scope="module")
def installed(request):
    """The machine, with the workers running by systemd behind lighttpd."""
    if reason := machines.missing():
        pytest.skip(reason)
    name = request.module.__name__.removeprefix("test_")
    with Machine(name) as machine:
        copy_checkout(machine)
        by_hand, *database = commands("Install", "Database")
        configuration, = commands("Configuration")
        units = commands("Workers and maintenance")[0]
        machine.run("cd /root/sluice\n" + by_hand, timeout=600)
        for block in (*database, configuration, units):
            machine.run("cd /root/sluice\n" + block)
        machine.run("printf '%s\\n' 'var.sluice_socket = \"/run/sluice/intake.sock\"'"
                    " 'include \"/usr/local/share/sluice/lighttpd/sluice.conf\"'"
                    " >/etc/lighttpd/conf-enabled/90-sluice.conf\n"
                    "rm -f /etc/lighttpd/conf-enabled/99-unconfigured.conf\n"
                    "systemctl start lighttpd")
        wait_for_front(machine)
        machine.run("sluicectl organization create Example", PGDATABASE="sluice")
        yield machine


@pytest.fixture(scope="module")
def key(installed):
    return installed.json("sluicectl key create --organization Example --name machine --json",
                          PGDATABASE="sluice")["key"]
