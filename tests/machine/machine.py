"""A Debian machine of its own: made by debootstrap, booted with systemd in a container.

The base system of a suite, with the packages that an operator has and those that build Sluice, is
made once and kept in build/machine/SUITE. A machine is an overlay on it: what it writes goes with
it. It has a network of its own with nothing but a loopback interface. That needs root and the
package systemd-container.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACE = ROOT / "build/machine"
SUITE = os.environ.get("SUITE", "bookworm")
PATIENCE = 120
POWER_OFF = signal.SIGRTMIN + 4  # systemd(1)

BASE = ["ca-certificates", "systemd", "systemd-sysv", "dbus", "iproute2"]
OPERATOR = ["postgresql", "lighttpd", "apache2", "nginx", "curl", "procps", "adduser", "man-db"]
BUILD = ["gcc", "libc6-dev", "make", "libfcgi-dev", "libpq-dev", "libssl-dev", "zlib1g-dev",
         "libjson-c-dev", "libpq5", "libjson-c5", "spawn-fcgi", "multiwatch"]
ENVIRONMENT = {"HOME": "/root", "LC_ALL": "C.UTF-8",
               "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}

# Starts no service while packages are configured; the cluster is made, as on any machine.
INSTALL = r"""
mount -t proc proc /proc
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q -y --no-install-recommends install "$@"
apt-get clean
rm /usr/sbin/policy-rc.d
systemctl disable lighttpd apache2 nginx
"""


def missing():
    """Why no machine can be made here, or None."""
    if os.geteuid() != 0:
        return "a machine needs root"
    absent = [program for program in ("debootstrap", "systemd-nspawn", "nsenter")
              if shutil.which(program) is None]
    return f"not installed: {', '.join(absent)}" if absent else None


def shell(command, **options):
    return subprocess.run(command, check=True, text=True, capture_output=True, **options)


def mirror():
    """(URL, release) of each of this machine's Debian sources, as they are called in the suite."""
    targets = shell(["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)",
                     "Created-By: Packages"]).stdout.split("\n")
    found = []
    for line in sorted(set(targets)):
        url, _, release = line.partition(" ")
        name, _, update = release.partition("-")
        if name in ("bookworm", "trixie"):
            found.append((url, SUITE + ("-" + update if update else "")))
    return found


def make_base():
    base = PLACE / SUITE
    if base.exists():
        return base
    fresh = PLACE / f"{SUITE}.new"
    if fresh.exists():
        shutil.rmtree(fresh)
    PLACE.mkdir(parents=True, exist_ok=True)
    sources = mirror()
    url = next(url for url, release in sources if release == SUITE)
    shell(["debootstrap", "--variant=minbase", f"--include={','.join(BASE)}", SUITE, str(fresh),
           url])
    (fresh / "etc/apt/sources.list").write_text(
        "".join(f"deb {url} {release} main\n" for url, release in sources))
    for name in ("resolv.conf", "hosts"):
        shutil.copy(f"/etc/{name}", fresh / "etc" / name)
    shell(["unshare", "--mount", "--pid", "--fork", "--kill-child", "chroot", str(fresh),
           "bash", "-euxc", INSTALL, "install", *OPERATOR, *BUILD],
          env=ENVIRONMENT | {name: value for name, value in os.environ.items()
                             if name.endswith("_proxy")})
    fresh.rename(base)
    return base


class Machine:
    """Booted as a context. run() executes in it as root."""

    def __init__(self, name):
        self.name = f"sluice-{name}-{os.getpid()}"
        self.place = PLACE / self.name
        self.root = self.place / "root"
        self.process = self.leader = None

    def __enter__(self):
        base = make_base()
        for name in ("up", "work", "root"):
            (self.place / name).mkdir(parents=True)
        layers = f"lowerdir={base},upperdir={self.place}/up,workdir={self.place}/work"
        shell(["mount", "-t", "overlay", "overlay", "-o", layers, str(self.root)])
        try:
            self.boot()
        except BaseException:
            self.__exit__()
            raise
        return self

    def boot(self):
        with open(self.place / "console", "wb") as console:
            self.process = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--boot", "--private-network", "--register=no",
                 "--keep-unit", f"--machine={self.name}", f"--directory={self.root}"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT)
        wait_for(self.find_leader, "the container has a first process")
        # degraded: a service of the distribution that a container cannot have.
        wait_for(lambda: self.try_run("systemctl is-system-running").stdout.strip()
                 in ("running", "degraded"), "the machine has booted")

    def find_leader(self):
        """The container's first process: nspawn's child in another PID namespace."""
        assert self.process.poll() is None, \
            (self.place / "console").read_text(errors="replace")
        own = os.readlink("/proc/self/ns/pid")
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for child in children.read_text().split():
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{child}/ns/pid") != own:
                    self.leader = child
        return self.leader

    def reboot(self):
        self.power_off()
        self.boot()

    def command(self, script, environment):
        """nsenter's, for a script of bash as root in the machine."""
        variables = (f"{name}={value}" for name, value in (ENVIRONMENT | environment).items())
        return ["nsenter", "--target", self.leader, "--mount", "--uts", "--ipc", "--net", "--pid",
                "--cgroup", "--root", "--", "env", "-i", "-C", "/root", *variables,
                "bash", "-euo", "pipefail", "-c", script]

    def try_run(self, script, timeout=PATIENCE, **environment):
        return subprocess.run(
            self.command(script, environment), stdin=subprocess.DEVNULL, capture_output=True,
            text=True, errors="replace", timeout=timeout, check=False)

    def run(self, script, **options):
        """The script's output; it must not fail."""
        done = self.try_run(script, **options)
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    def json(self, script, **options):
        return json.loads(self.run(script, **options))

    def start(self, script):
        """A process whose end the caller waits for."""
        return subprocess.Popen(self.command(script, {}), stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def power_off(self):
        if self.leader is not None and self.process.poll() is None:
            os.kill(int(self.leader), POWER_OFF)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(PATIENCE)
        self.process.kill()
        self.process.wait()
        self.leader = None

    def __exit__(self, *_):
        if self.process is not None:
            self.power_off()
        subprocess.run(["umount", "--lazy", str(self.root)], check=False)
        shutil.rmtree(self.place, ignore_errors=True)


def wait_for(condition, what, patience=PATIENCE):
    end = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.05)
    return found
