"""PostgreSQL 15 becomes 17 below a running Sluice, as when Debian 12 becomes 13, by the guide."""

import os
import pathlib

import pytest
from machine import wait_for
from test_life import HOST, load, posted, stored, wait_until_accepted

# As the distribution's upgrade leaves it: the cluster of 15 in use, an empty one of 17 beside it.
BEFORE = """
apt-get install -y --no-install-recommends postgresql-15
pg_dropcluster --stop 17 main
pg_createcluster --start 15 main
pg_createcluster --start 17 main
"""


def test_nothing_is_lost(boot):
    system = pathlib.Path(os.environ.get("SLUICE_SYSTEM", "/"))
    if not (system / "usr/lib/postgresql/17").exists():
        pytest.skip("this Debian has no PostgreSQL 17")
    site = boot({HOST: ("192.0.2.10", "postgresql", "nginx")})
    machine = site.machines[HOST]
    machine.run(BEFORE)
    site.follow("Packages and database", "With nginx", "The first signal")
    with load(site) as answered:
        wait_for(lambda: posted(site) == "202", "a signal is stored")
        site.follow("PostgreSQL major upgrade")
        wait_until_accepted(site)
    assert set(answered) == {"202", "503"}
    assert machine.run("psql -XAtc 'SHOW server_version_num' sluice")[:2] == "17"
    # The first signal, the two of this test, and all that were accepted meanwhile.
    assert int(stored(site).split("|")[0]) == 3 + answered.count("202")
