"""The guides of deploy/README.md, and what must hold after them."""

import re

import pytest

from answers import SERVICES
from machine import wait_for


def leaks(site):
    """Where a log or a file of the system holds the key."""
    return [(name, found) for name, machine in site.machines.items()
            if (found := machine.run(f"journalctl -q --no-pager | grep -F {site.key} || true\n"
                                     f"grep -rFl {site.key} /etc /run /var/log || true"))]


@pytest.mark.parametrize("front", SERVICES)
def test_install_and_tls(boot, front):
    site = boot({"web.example.com": ("192.0.2.10", "postgresql", SERVICES[front])})
    site.follow("Packages and database", f"With {front}", "The first signal")
    site.follow("A certificate", f"TLS in {front}", "A signal over TLS")
    assert not leaks(site)


def test_pgbouncer(boot):
    site = boot({"web.example.com": ("192.0.2.10", "postgresql", "nginx")})
    site.follow("Packages and database", "With nginx", "The first signal", "PgBouncer")


DB_1, DB_2, WEB_1, WEB_2, LB = (f"{name}.example.com" for name in
                                ("db-1", "db-2", "web-1", "web-2", "lb"))


def test_remote_database_and_two_hosts(boot):
    site = boot({DB_1: ("192.0.2.20", "postgresql"), WEB_1: ("192.0.2.10", "nginx"),
                 WEB_2: ("192.0.2.11", "nginx"), LB: ("192.0.2.5",)})
    site.follow("A remote database", "Two intake hosts")
    assert not leaks(site)


# Signals one after the other, until the file is there: the answers' statuses and bodies.
SENDER = """
until test -e /root/enough; do
    curl -sS --max-time 20 -w '%{http_code}\\n' http://localhost/api/signal-staging/webhook/KEY \\
        -H 'Content-Type: application/json' -d '{"email":"ada@example.com"}' || true
done
"""


def psql(machine, statement):
    return machine.run(f"cd /; runuser -u postgres -- psql -At -c '{statement}' sluice").split()


def wait_for_signals(machine):
    """A hundred more than there are now."""
    count = "SELECT count(*) FROM sluice.signal"
    before = int(psql(machine, count)[0])
    wait_for(lambda: int(psql(machine, count)[0]) > before + 100, "signals come in")


def test_replication_and_failover(boot):
    """What was answered with 202 is there after the loss of the primary under load."""
    site = boot({DB_1: ("192.0.2.20", "postgresql"), DB_2: ("192.0.2.21", "postgresql"),
                 WEB_1: ("192.0.2.10", "nginx"), WEB_2: ("192.0.2.11", "nginx")})
    site.follow("A remote database", "The second host",
                "A certificate and a role for the standby", "The standby", "What 202 promises",
                "Workers that find the primary")
    primary, standby = site.machines[DB_1], site.machines[DB_2]
    senders = [site.machines[name].start(SENDER.replace("KEY", site.key))
               for name in (WEB_1, WEB_2, WEB_1, WEB_2)]
    wait_for_signals(primary)
    primary.lose()
    site.follow("Failover")
    wait_for_signals(standby)
    for name in (WEB_1, WEB_2):
        site.machines[name].run("touch /root/enough")
    answers = "".join(sender.communicate()[0] for sender in senders)
    ids = re.findall(r'^\{"id":(\d+),.*\n202$', answers, re.M)
    assert len(ids) > 200
    assert not set(ids) - set(psql(standby, "SELECT id FROM sluice.signal"))
    primary.come_back("systemctl disable postgresql")
    site.follow("The old primary as standby")
