"""test_package.py - what installing the packages has made, and an upgrade under load."""

import grp
import json
import pathlib
import pwd
import threading

import fronts
import machine
import pytest

WEBHOOK = "/api/signal-staging/webhook/"


@pytest.fixture(autouse=True)
def _installed(host):
    pass


def installed_files():
    return [pathlib.Path(line) for name in ("sluice-intake", "sluice-tools")
            for line in machine.run("dpkg", "-L", name).splitlines()
            if pathlib.Path(line).is_file()]


def test_there_are_three_users_and_a_group_for_the_page():
    users = [pwd.getpwnam(name) for name in ("sluice", "sluice-settings", "sluice-maintenance")]
    assert len({user.pw_uid for user in users}) == len({user.pw_gid for user in users}) == 3
    assert all(user.pw_shell.endswith("nologin") for user in users)
    assert grp.getgrnam("sluice-web").gr_mem == []


@pytest.mark.parametrize("name, user", [("sluice", "sluice"), ("settings", "sluice-settings")])
def test_the_configuration_is_for_its_user_alone(name, user):
    path = pathlib.Path(f"/etc/sluice/{name}.conf")
    assert (path.owner(), path.group(), oct(path.stat().st_mode & 0o777)) == ("root", user, "0o640")
    machine.run("sluicectl", "config", "--config", str(path), user=user)
    assert machine.run("cat", str(path), user="nobody", check=False).returncode == 1


def test_no_file_names_another_place():
    for path in installed_files():
        if path.suffix in (".gz", ".svg") or "sbin" in path.parts:
            continue
        text = path.read_bytes()
        for wrong in (b"/usr/local/sbin/sluice", b"/usr/local/share", b"/usr/local/bin",
                      b"@sbindir@", b"@bindir@", b"@datadir@", b"@sysconfdir@"):
            assert wrong not in text or path.name == "README.md", (path, wrong)


def test_the_units_are_sound():
    units = [str(path) for path in pathlib.Path("/usr/lib/systemd/system").glob("sluice-*")]
    assert len(units) == 6
    done = machine.run("systemd-analyze", "verify", "--man=no", *units, check=False)
    assert [line for line in done.stderr.splitlines() if "sluice" in line] == []


@pytest.mark.parametrize("unit", ["sluice-intake@1", "sluice-settings@1", "sluice-maintain"])
def test_the_units_are_confined(unit):
    machine.run("systemd-analyze", "security", "--offline=true", "--threshold=12",
                f"{unit}.service")


def test_the_bill_of_materials_is_of_these_packages():
    for name in ("sluice-intake", "sluice-tools"):
        bill = json.loads((machine.PACKAGES / f"{name}.spdx.json").read_text())
        assert bill["spdxVersion"] == "SPDX-2.3"
        sums = machine.run("sh", "-c", f"sha256sum /srv/packages/{name}_*-1_*.deb").split()[0]
        assert bill["packages"][0]["checksums"][0]["checksumValue"] == sums
        needs = {entry["name"] for entry in bill["packages"][1:]}
        assert {"libpq5", "libc6", "libjson-c5"} <= needs
        assert all(entry["versionInfo"] for entry in bill["packages"])


def test_an_upgrade_loses_no_request(worker, key):
    """The socket is held, as systemd does, while the old worker ends and the new one starts."""
    front = fronts.Apache(fronts.SETUPS[0])
    front.restore()
    front.enable()
    front.start()
    answers, done = [], threading.Event()

    def send():
        while not done.is_set():
            answers.append(front.post(f"{WEBHOOK}{key}").status)

    senders = [threading.Thread(target=send) for _ in range(4)]
    try:
        for sender in senders:
            sender.start()
        machine.wait_for("requests", lambda: len(answers) > 20)
        machine.install(2)
        assert worker.stop() == 0
        worker.start()
        before = len(answers)
        machine.wait_for("requests", lambda: len(answers) > before + 20)
    finally:
        done.set()
        for sender in senders:
            sender.join()
        front.stop()
    assert set(answers) == {202}
    assert "-2" in machine.run("dpkg-query", "-W", "-f", "${Version}", "sluice-intake")
    rows = machine.run("psql", "-Atc", "SELECT count(*) FROM sluice.signal_staging", "sluice",
                       user="postgres")
    assert int(rows) >= len(answers)
