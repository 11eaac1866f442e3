"""A Debian machine of its own, booted with systemd in a container.

It is a layer on the system in the folder SLUICE_SYSTEM, which takes all that is written and goes
with the machine; tests/check-package makes that system. Its network has nothing but a loopback
interface, or other machines too (Network). That needs root and the package systemd-container.
"""

import contextlib
import itertools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

PATIENCE = 120
POWER_OFF = signal.SIGRTMIN + 4  # systemd(1)
ENVIRONMENT = {"HOME": "/root", "LC_ALL": "C.UTF-8",
               "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def missing():
    """Why no machine can be booted here, or None."""
    if os.geteuid() != 0:
        return "a machine needs root"
    if shutil.which("systemd-nspawn") is None:
        return "not installed: systemd-container"
    return None if "SLUICE_SYSTEM" in os.environ else "run by tests/check-package"


def shell(*command):
    return subprocess.run(command, check=True, text=True, capture_output=True)


class Network:
    """A switch that connects machines, and nothing else. It ends with this process."""

    def __init__(self):
        self.namespaces = []

    def __enter__(self):
        self.switch = self.add_namespace()
        self.configure(self.switch, "ip link add switch type bridge; ip link set switch up")
        return self

    def __exit__(self, *_):
        for process in self.namespaces:
            process.kill()
            process.wait()

    def add_namespace(self):
        """The process that keeps a namespace of its own."""
        own = os.readlink("/proc/self/ns/net")
        process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--",
                                    "sleep", "infinity"], stdin=subprocess.DEVNULL)
        self.namespaces.append(process)
        wait_for(lambda: os.readlink(f"/proc/{process.pid}/ns/net") != own, "it has a namespace")
        return process

    def configure(self, namespace, script):
        shell("nsenter", "--target", str(namespace.pid), "--net", "--", "bash", "-euc", script)

    def plug_in(self, address):
        """The path of a new namespace that has this address on the switch."""
        namespace = self.add_namespace()
        port = f"port{len(self.namespaces)}"
        self.configure(self.switch, f"ip link add {port} master switch up type veth"
                                    f" peer name eth0 netns {namespace.pid}")
        self.configure(namespace, f"ip link set lo up; ip link set eth0 up;"
                                  f" ip address add {address}/24 dev eth0")
        return f"/proc/{namespace.pid}/ns/net"


class Machine:
    """Booted as a context; wait_until_booted() before run(), which executes in it as root."""

    numbers = itertools.count(1)

    def __init__(self, prepare, name="sluice", namespace=None):
        """prepare(root) changes the system before it boots; namespace is the network's."""
        self.prepare = prepare
        self.name = name
        self.namespace = namespace
        self.place = self.root = self.process = self.leader = None

    def __enter__(self):
        system = pathlib.Path(os.environ["SLUICE_SYSTEM"])
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="booted-", dir=system.parent))
        self.root = self.place / "root"
        for name in ("changes", "work", "root"):
            (self.place / name).mkdir()
        layers = f"lowerdir={system},upperdir={self.place}/changes,workdir={self.place}/work"
        shell("mount", "-t", "overlay", "overlay", "-o", layers, str(self.root))
        try:
            self.prepare(self.root)
            self.boot()
        except BaseException:
            self.__exit__()
            raise
        return self

    def boot(self):
        network = "--private-network"
        if self.namespace:
            network = f"--network-namespace-path={self.namespace}"
        with open(self.place / "console", "wb") as console:
            self.process = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--boot", network, "--register=no",
                 "--keep-unit", f"--machine=sluice-{os.getpid()}-{next(self.numbers)}",
                 f"--hostname={self.name}", f"--directory={self.root}"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT)
        wait_for(self.find_leader, "the container has a first process")

    def wait_until_booted(self):
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
        self.wait_until_booted()

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
        self.kill()

    def kill(self):
        """The first process takes all others along, and nspawn ends; not the other way round."""
        if self.leader is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(self.leader), signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.leader = None

    def lose(self):
        """Without a word to anybody, as if power and network were cut."""
        self.set_link("down")
        self.kill()

    def come_back(self, rescue):
        """After lose(). The script runs in the system before it boots."""
        shell("chroot", str(self.root), "bash", "-euc", rescue)
        self.set_link("up")
        self.boot()
        self.wait_until_booted()

    def set_link(self, state):
        shell("nsenter", f"--net={self.namespace}", "--", "ip", "link", "set", "eth0", state)

    def __exit__(self, *_):
        if self.process is not None:
            self.kill()
        subprocess.run(["umount", "--lazy", str(self.root)], check=False)
        shutil.rmtree(self.place, ignore_errors=True)


def wait_for(condition, what, patience=PATIENCE):
    end = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.05)
    return found
