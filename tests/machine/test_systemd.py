"""The packages' units under a real systemd, with PostgreSQL and lighttpd as Debian sets them up."""

import pytest

from conftest import POST, wait_for_front
from machine import wait_for

WORKER = "sluice-intake@1.service"
SERVICES = [WORKER, "sluice-settings@1.service", "sluice-maintain.service"]
EXPOSURE_MAX = 1.2


def shown(machine, unit, what):
    return machine.run(f"systemctl show --value -p {what} {unit}").strip()


def posted(machine, key):
    return machine.run(POST + key)


def start_senders(machine, key):
    """Four, with 150 signals each."""
    return [machine.start(f"for n in {{1..150}}; do {POST}{key}; echo; done") for _ in "1234"]


def answers_of(senders):
    return [line for sender in senders for line in sender.communicate()[0].split()]


def test_a_signal_is_committed(installed, key):
    assert posted(installed, key) == "202"
    assert installed.run("runuser -u postgres -- psql -Atc 'SELECT count(*) > 0 FROM sluice.signal'"
                         " sluice") == "t\n"


def test_the_tool_finds_nothing_wrong(installed):
    assert "WARNING" not in installed.run("sluicectl check", PGDATABASE="sluice")


def test_a_request_starts_a_stopped_worker(installed, key):
    installed.run(f"systemctl stop {WORKER}")
    assert shown(installed, WORKER, "ActiveState") == "inactive"
    assert posted(installed, key) == "202"
    assert shown(installed, WORKER, "ActiveState") == "active"


def test_no_request_is_lost_while_workers_restart(installed, key):
    """Requests queue in the socket, which systemd holds."""
    senders = start_senders(installed, key)
    restarts = 0
    while any(sender.poll() is None for sender in senders):
        installed.run(f"systemctl restart {WORKER}")
        restarts += 1
    assert restarts > 3
    assert answers_of(senders) == ["202"] * 600


def test_no_request_is_lost_during_an_upgrade(installed, key):
    before = shown(installed, WORKER, "MainPID")
    senders = start_senders(installed, key)
    installed.run("dpkg -i /srv/packages/sluice*_*-2_*.deb")
    assert answers_of(senders) == ["202"] * 600
    assert shown(installed, WORKER, "MainPID") not in ("0", before)


def test_a_killed_worker_comes_back(installed, key):
    before = shown(installed, WORKER, "MainPID")
    installed.run(f"kill -KILL {before}")
    wait_for(lambda: shown(installed, WORKER, "MainPID") not in ("0", before), "it runs again")
    assert posted(installed, key) == "202"


def test_a_worker_that_hangs_is_restarted(installed, key):
    assert shown(installed, WORKER, "WatchdogUSec") == "1min"
    installed.run("mkdir -p /run/systemd/system/sluice-intake@.service.d\n"
                  "printf '[Service]\\nWatchdogSec=1\\n'"
                  " >/run/systemd/system/sluice-intake@.service.d/short.conf\n"
                  f"systemctl daemon-reload; systemctl restart {WORKER}")
    before = shown(installed, WORKER, "MainPID")
    installed.run(f"kill -STOP {before}")
    wait_for(lambda: shown(installed, WORKER, "MainPID") not in ("0", before), "it is replaced")
    assert "watchdog" in installed.run(f"journalctl -q --no-pager -u {WORKER}").lower()
    assert posted(installed, key) == "202"
    # One that lives, though nothing comes, is left alone.
    living = shown(installed, WORKER, "MainPID")
    installed.run("sleep 3")
    assert shown(installed, WORKER, "MainPID") == living
    installed.run("rm -r /run/systemd/system/sluice-intake@.service.d; systemctl daemon-reload")


def test_a_reload_changes_no_process(installed, key):
    before = shown(installed, WORKER, "MainPID")
    installed.run("echo 'log_level = debug' >>/etc/sluice/sluice.conf\n"
                  f"systemctl reload {WORKER}")
    logged = f"journalctl -q --no-pager -u {WORKER} | grep 'configuration reloaded'"
    wait_for(lambda: installed.try_run(logged).returncode == 0, "the reload is logged")
    assert "log_level" in installed.run(logged)
    wait_for(lambda: shown(installed, WORKER, "SubState") == "running", "it has told the end of it")
    assert shown(installed, WORKER, "MainPID") == before
    assert posted(installed, key) == "202"


def test_a_worker_waits_for_its_database(installed, key):
    installed.run("systemctl stop 'postgresql@*'")
    assert posted(installed, key) == "503"
    assert shown(installed, WORKER, "ActiveState") == "active"
    installed.run("systemctl restart postgresql")
    wait_for(lambda: posted(installed, key) == "202", "it has reconnected")


def test_maintenance_runs(installed):
    assert shown(installed, "sluice-maintain.timer", "ActiveState") == "active"
    installed.run("systemctl start sluice-maintain.service")
    assert shown(installed, "sluice-maintain.service", "Result") == "success"


@pytest.mark.parametrize("unit", SERVICES)
def test_exposure_is_small(installed, unit):
    said = installed.run(f"systemd-analyze security --no-pager {unit} | tail -n 1")
    assert float(said.split("level for")[1].split(":")[1].split()[0]) <= EXPOSURE_MAX, said


def test_a_worker_has_no_network_and_leaves_no_core(installed):
    worker = shown(installed, WORKER, "MainPID")
    assert installed.run(f"nsenter -t {worker} -n ip -br link").split()[0] == "lo"
    assert "Max core file size        0                    0" in \
        installed.run(f"cat /proc/{worker}/limits")
    assert installed.run(f"ps -o user= -p {worker}") == "sluice\n"


def test_a_database_by_tcp_is_reached_with_the_drop_in(installed, key):
    installed.run(
        "runuser -u postgres -- psql -c \"ALTER ROLE sluice_intake PASSWORD 'made-up'\"\n"
        "cp /etc/sluice/sluice.conf /root/sluice.conf\n"
        "echo 'database = hostaddr=127.0.0.1 dbname=sluice user=sluice_intake password=made-up'"
        " >/etc/sluice/sluice.conf\n"
        "mkdir -p /etc/systemd/system/sluice-intake@.service.d\n"
        "sed 's/192.0.2.20/127.0.0.1/' /usr/share/sluice/systemd/remote_database.conf"
        " >/etc/systemd/system/sluice-intake@.service.d/remote_database.conf\n"
        f"systemctl daemon-reload; systemctl restart {WORKER}")
    assert posted(installed, key) == "202"
    installed.run("cp /root/sluice.conf /etc/sluice/sluice.conf\n"
                  "rm -r /etc/systemd/system/sluice-intake@.service.d\n"
                  f"systemctl daemon-reload; systemctl restart {WORKER}")
    assert posted(installed, key) == "202"


def test_all_comes_back_after_a_boot(installed, key):
    installed.reboot()
    installed.run("systemctl start lighttpd")
    wait_for_front(installed)
    wait_for(lambda: posted(installed, key) == "202", "a signal is accepted after the boot")
    assert shown(installed, "sluice-maintain.timer", "ActiveState") == "active"


def test_the_key_is_in_no_log(installed, key):
    """Last: what all tests of this file have logged."""
    assert installed.try_run(f"journalctl -q --no-pager | grep -F {key}").returncode == 1
    assert installed.try_run(f"grep -rFl {key} /var/log /run /etc").returncode == 1
