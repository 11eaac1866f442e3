"""The guides of deploy/README.md, and what must hold after them."""

import pytest

SERVICES = {"nginx": "nginx", "Apache": "apache2", "lighttpd": "lighttpd"}


@pytest.mark.parametrize("front", SERVICES)
def test_install_and_tls(boot, front):
    site = boot({"web.example.com": ("192.0.2.10", "postgresql", SERVICES[front])})
    site.follow("Packages and database")
    site.follow(f"With {front}")
    site.follow("The first signal")
    site.follow("A certificate")
    site.follow(f"TLS in {front}")
    site.follow("A signal over TLS")
    machine = site.machines["web.example.com"]
    assert machine.try_run(f"journalctl -q --no-pager | grep -F {site.key}").returncode == 1
    assert machine.try_run(f"grep -rFl {site.key} /var/log /run").returncode == 1


def test_pgbouncer(boot):
    site = boot({"web.example.com": ("192.0.2.10", "postgresql", "nginx")})
    for title in ("Packages and database", "With nginx", "The first signal"):
        site.follow(title)
    site.follow("PgBouncer")


def test_remote_database(boot):
    site = boot({"db-1.example.com": ("192.0.2.20", "postgresql"),
                 "web-1.example.com": ("192.0.2.10", "nginx")})
    site.follow("A remote database")
