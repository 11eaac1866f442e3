"""The life of an installation, by the guides of deploy/README.md: backup and restore, upgrade under
load, a new key, trouble, growth, and its end. The tests go on where the one before has ended."""

import contextlib
import re

import answers
import pytest
from conftest import POST, booting
from machine import wait_for

HOST = "web.example.com"


@pytest.fixture(scope="module")
def site():
    with booting() as boot:
        site = boot({HOST: ("192.0.2.10", "postgresql", "nginx")})
        site.follow("Packages and database", "With nginx", "The first signal")
        yield site


@pytest.fixture(scope="module")
def machine(site):
    return site.machines[HOST]


def posted(site, body=None):
    """The answer to a new signal, or to this body."""
    if body is None:
        return site.machines[HOST].run(POST + site.key)
    return site.machines[HOST].json(
        f"curl -sS -d '{body}' http://{HOST}/api/signal-staging/webhook/{site.key}")


def wait_until_accepted(site):
    wait_for(lambda: posted(site) == "202", "the worker has reconnected")


def stored(site):
    """How many signals there are, and a sum of their ids."""
    return site.machines[HOST].run(
        "psql -XAtc \"SELECT count(*), md5(string_agg(id::text, ' ' ORDER BY id))"
        " FROM sluice.signal_staging\"", PGDATABASE="sluice")


@contextlib.contextmanager
def load(site):
    """Four senders; the list of their answers is complete afterwards."""
    machine = site.machines[HOST]
    machine.run("rm -f /root/enough")
    answered = []
    senders = [machine.start(f"until test -e /root/enough; do {POST}{site.key}; echo; done")
               for _ in "1234"]
    try:
        yield answered
    finally:
        machine.run("touch /root/enough")
        for sender in senders:
            answered += sender.communicate(timeout=60)[0].split()


def test_the_archive_has_no_other_package_of_these_names(machine):
    """It would take the place of ours with the next upgrade."""
    assert "Inst" in machine.run("apt-get -s install hello")  # the archive's list is there
    assert not re.search("^Inst sluice", machine.run("apt-get -s dist-upgrade"), re.M)


def test_a_dump_is_restored(site, machine):
    repeat = '{"email":"a@example.com","messageId":"before the dump"}'
    first = posted(site, repeat)
    site.follow("Dump")
    before = stored(site)
    machine.run("read -r version cluster _ < <(pg_lsclusters -h)\n"
                "pg_dropcluster --stop $version $cluster\n"
                "pg_createcluster --start $version $cluster")
    site.follow("Restore a dump")
    assert stored(site) == before
    assert posted(site, repeat) == {**first, "duplicate": True}
    assert posted(site) == "202"


def test_the_last_commit_is_restored(site):
    site.follow("Base backup and WAL")
    wait_until_accepted(site)
    before = stored(site)
    site.follow("Restore up to the last commit")
    assert stored(site) == before
    wait_until_accepted(site)


def test_no_request_is_lost_by_an_upgrade(site, machine):
    machine.run("mkdir previous; mv sluice*.deb previous; cp /srv/packages/sluice*-2_*.deb .\n"
                "echo cd >>.guide")  # the reader goes home
    before = int(stored(site).split("|")[0])
    with load(site) as answered:
        site.follow("Upgrade the packages")
    assert len(answered) > 20 and set(answered) == {"202"}
    assert int(stored(site).split("|")[0]) == before + len(answered)
    versions = machine.run("dpkg-query -W -f '${Version} ' sluice-intake sluice-tools").split()
    assert [version[-2:] for version in versions] == ["-1", "-2"]
    machine.run("apt-get install -y ./sluice-intake_*.deb")


def test_the_old_key_is_refused(site):
    old = site.key
    site.follow("Key rotation")
    assert site.key != old and posted(site) == "202"
    assert site.machines[HOST].run(POST + old) == "401"


def test_trouble_is_found(site, machine):
    machine.run("systemctl stop 'postgresql@*'")
    assert posted(site) == "503"
    machine.run("systemctl start postgresql")
    wait_until_accepted(site)
    site.follow("Troubleshooting")


@pytest.mark.parametrize("server", answers.SERVICES)
def test_answers_of_web_servers(site, machine, server):
    front = answers.Front(machine, server, site.key)
    front.stop_others()
    site.follow(f"With {server}")
    front.start()
    of_it = [row[1:] for row in answers.rows() if row[0] == server]
    assert len(of_it) == len(answers.CAUSES)
    for row in of_it:
        answers.check(front, *row)


def test_growth_is_provided_for(site, machine):
    site.follow("Sizing")
    assert machine.run("systemctl is-active 'sluice-intake@2'") == "active\n"
    assert machine.run("psql -XAtc 'SHOW max_wal_size' sluice") == "2GB\n"
    tables = machine.json("sluicectl retention list --json", PGDATABASE="sluice")["tables"]
    kept, = [each for each in tables if each["table"] == "signal"]
    assert kept["keep"] == "30 days", kept


def left(machine):
    """All files that are ours, but the database's, its backups and what the test has brought."""
    return machine.run(
        "find / -xdev \\( -path /srv -o -path /root -o -path /var/backups/sluice"
        " -o -path /proc -o -path /sys \\) -prune -o -name '*sluice*' -print\n"
        "find /run /dev/shm -name '*sluice*'").split()


def test_purging_leaves_servers_and_data(site, machine):
    front = answers.Front(machine, "lighttpd", site.key)
    machine.run("lighty-enable-mod accesslog sluice || true")  # it may be already
    front.start()
    before = stored(site)
    site.follow("Programs")
    wait_for(lambda: posted(site) == "404", "lighttpd has reloaded")
    machine.run("systemctl restart postgresql")
    for name in answers.SERVICES:
        answers.Front(machine, name, site.key).start()
    assert stored(site) == before
    assert machine.try_run("systemctl list-unit-files --no-legend 'sluice*'").stdout == ""
    wait_for(lambda: machine.run("systemctl list-units --all --plain --no-legend 'sluice*'") == "",
             "systemd has forgotten the units")
    assert left(machine) == []


def test_the_data_can_be_removed(site, machine):
    site.follow("Data")
    names = machine.run("runuser -u postgres -- psql -XAtc \"SELECT rolname FROM pg_roles WHERE"
                        " rolname !~ '^pg_' UNION ALL SELECT datname FROM pg_database\"").split()
    assert sorted(names) == ["postgres", "postgres", "template0", "template1"]
    assert machine.try_run("getent passwd | grep sluice; getent group | grep sluice").stdout == ""
    files = machine.run("cat /etc/postgresql/*/main/pg_{hba,ident}.conf")
    assert not re.search("sluice", files)
