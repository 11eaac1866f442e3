"""make install and make uninstall, in a directory whose name has a blank."""

import shutil
import subprocess

import pytest

from harness import ROOT, VARIANT

pytestmark = pytest.mark.skipif(VARIANT != "release", reason="not about the programs' variant")
UNITS = ("sluice-intake@1.service", "sluice-settings@1.service", "sluice-maintain.timer")


def make(target, place):
    done = subprocess.run(["make", "-s", "-C", ROOT, target, f"DESTDIR={place}"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0 and "rror" not in done.stdout, done.stdout


def files(place):
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if not path.is_dir())


@pytest.fixture
def installed(tmp_path):
    """With units and cron file as deploy/README.md has them copied, and units enabled."""
    place = tmp_path / "a b"
    make("install", place)
    share = place / "usr/local/share/sluice"
    units = place / "etc/systemd/system"
    units.mkdir(parents=True)
    for unit in (share / "systemd").glob("sluice-*"):
        shutil.copy(unit, units)
    (place / "etc/cron.d").mkdir()
    shutil.copy(share / "cron/sluice", place / "etc/cron.d")
    if shutil.which("systemctl"):
        subprocess.run(["systemctl", f"--root={place}", "--quiet", "enable", *UNITS], check=True)
        assert (units / "sockets.target.wants/sluice-intake.socket").is_symlink()
    return place


def test_nothing_is_left_enabled(installed):
    make("uninstall", installed)
    assert files(installed) == []


def test_what_an_operator_has_edited_stays(installed):
    unit = installed / "etc/systemd/system/sluice-intake@.service"
    unit.write_text(unit.read_text() + "# mine\n")
    cron = installed / "etc/cron.d/sluice"
    cron.write_text("# mine\n")
    make("uninstall", installed)
    left = files(installed)
    assert set(left) >= {"etc/cron.d/sluice", "etc/systemd/system/sluice-intake@.service"}
    assert not [name for name in left if "socket" in name or "timer" in name]
