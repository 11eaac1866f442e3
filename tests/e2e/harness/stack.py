"""The life of a stack: up, its environment, down."""

import os
import pathlib
import random
import shutil
import socket
import subprocess
import tempfile

from . import run
from .database import WithDatabase
from .fronts import STREAMING
from .logs import WithLogs
from .place import BUILD, VARIANT
from .processes import WithProcesses
from .tool import WithTool


# Processes of pytest-xdist share no port, though each only listens some time after it has looked.
PORTS = range(10000 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]), 32768, 64)


def free_port():
    """A port below the ephemeral range that nobody listens on right now."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def make_certificate():
    """A file with a key and a certificate for localhost, signed by itself."""
    descriptor, path = tempfile.mkstemp(suffix=".pem")
    os.close(descriptor)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", path, "-out", f"{path}.crt"], check=True, capture_output=True)
    with open(path, "ab") as both, open(f"{path}.crt", "rb") as certificate:
        both.write(certificate.read())
    os.unlink(f"{path}.crt")
    return path


class Stack(WithTool, WithDatabase, WithProcesses, WithLogs):
    """A running stack; `env` holds the variables of DIR/env."""

    def __init__(self, front, *options, workers=None, settings=None, tls=False):
        self.front = front
        self.streams = front in STREAMING
        self.variant = VARIANT
        self.dir = run.new_directory(f"sluice-{front[:2]}-")
        self.port = free_port()
        self.credentials = set()
        self.closers = []  # what tests started beside the stack
        self.log_dir = self.dir
        command = ["up", "--dir", self.dir, "--front", front, "--port", self.port,
                   "--bindir", BUILD, "--maintain", "0", *run.options(), *options]
        # One, unless a test is about several: then it is known who serves what.
        command += ["--workers", workers or 1]
        for name, value in (settings or {}).items():
            command += ["--set", f"{name}={value}"]
        if tls:
            self.tls_port = free_port()
            self.certificate = make_certificate()
            self.closers.append(lambda: os.unlink(self.certificate))
            command += ["--tls", self.tls_port, "--certificate", self.certificate]
        up = run.run_stack(*command)
        if up.returncode:
            kept = self.keep_logs(f"{front}-up")
            self.close()
            raise RuntimeError(f"deploy/stack {' '.join(map(str, command))}: exit {up.returncode}"
                               f"\n{up.stdout}\nlogs kept: {kept}")
        shell = subprocess.run(["env", "-i", "sh", "-c", 'set -a; . "$1"; env -0', "sh",
                                str(self.dir / "env")], stdout=subprocess.PIPE, check=True)
        pairs = (entry.split("=", 1) for entry in shell.stdout.decode().split("\0") if entry)
        self.env = {name: value for name, value in pairs
                    if name not in ("PWD", "SHLVL", "_", "OLDPWD")}
        self.base_url = self.env["BASE_URL"]
        self.log_dir = pathlib.Path(self.env["LOG_DIR"])
        self.organization = self.env["ORGANIZATION"]

    def close(self):
        self.disconnect()
        for closer in self.closers:
            closer()
        down = run.run_stack("down", "--dir", self.dir)
        shutil.rmtree(self.dir, ignore_errors=True)
        if down.returncode:
            raise RuntimeError(f"deploy/stack down: exit {down.returncode}\n{down.stdout}")
