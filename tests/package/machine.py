"""machine.py - the machine that tests/check-package makes: commands, workers, keys and requests."""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import time

SOCKET = pathlib.Path("/run/sluice/intake.sock")
SETTINGS_SOCKET = pathlib.Path("/run/sluice-settings/settings.sock")
# Who may use the page: olga, by the password "secret".
USERS = pathlib.Path("/etc/sluice/users")
PACKAGES = pathlib.Path("/srv/packages")
LOGS = pathlib.Path("/var/log")
PRISTINE = pathlib.Path("/root/pristine")
CERTIFICATE = pathlib.Path("/root/certificate.pem")
HOST = "hooks.example.com"
SIGNAL = '{"email":"ada@example.com","event":"test"}'


def run(*command, check=True, user=None, text=None, **environment):
    """Runs a command, as another user if asked; its standard output. Fails with its messages."""
    if user:
        command = ("runuser", "-u", user, "--", *command)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, cwd="/",
                          env={**os.environ, **environment})
    if check:
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout
    return done


def wait_for(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"after {seconds} s not yet: {what}"
        time.sleep(0.02)


def install(revision, *names):
    """Installs these packages of this revision, all without names."""
    run("dpkg", "-i", *(str(path) for name in names or ("sluice-intake", "sluice-tools")
                        for path in PACKAGES.glob(f"{name}_*-{revision}_*.deb")),
        DEBIAN_FRONTEND="noninteractive")


def open_socket(path, user, group):
    """The listening socket of a FastCGI service, as systemd makes it from a .socket unit."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(1024)
    run("chown", f"{user}:{group}", str(path))
    path.chmod(0o660)
    return listener


class Service:
    """A FastCGI service on a socket, started again at will; its log is below LOGS."""

    def __init__(self, listener, user, *command):
        self.listener, self.user, self.command = listener, user, command
        self.log = LOGS / f"{pathlib.Path(command[0]).name}.log"
        self.process = None

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--reuid", self.user, "--regid", self.user, "--init-groups", "--",
                 *self.command], stdin=self.listener, stdout=log, stderr=log, cwd="/")

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(30)


def make_key(*options):
    made = run("sluicectl", "key", "create", "--organization", "Example", "--name",
               f"test {time.time_ns()}", "--json", *options, PGDATABASE="sluice")
    return json.loads(made)["key"]


def make_certificate():
    if not CERTIFICATE.exists():
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}",
            "-keyout", str(CERTIFICATE), "-out", "/root/certificate.crt")
        with CERTIFICATE.open("a") as file:
            file.write(pathlib.Path("/root/certificate.crt").read_text())


class Answer:
    def __init__(self, status, version, headers, body):
        self.status, self.version, self.headers, self.body = status, version, headers, body

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:300]!r}"

    def json(self):
        return json.loads(self.body)


def curl(url, *options, address="127.0.0.1"):
    """The command for one request; hosts of any name are on this machine."""
    return ("curl", "-sS", "--noproxy", "*", "--max-time", "30", "--connect-to", f"::{address}:",
            "-k", "-i", "-w", "\n%{http_code} %{http_version}", *options, url)


def request(url, *options, address="127.0.0.1"):
    out = run(*curl(url, *options, address=address))
    text, _, last = out.rpartition("\n")
    status, version = last.split()
    head, _, body = text.partition("\n\n")
    while re.match(r"HTTP/\S+ 1\d\d", head):
        head, _, body = body.partition("\n\n")
    headers = dict(line.split(": ", 1) for line in head.split("\n")[1:] if ": " in line)
    return Answer(int(status), version, {k.lower(): v for k, v in headers.items()}, body)


def raw(port, text, tls=False, answer=True):
    """Bytes as they are; the first line of the answer, or nothing without waiting for one."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = context.wrap_socket(connection)
    # A server may close the connection before it has read all.
    with connection, contextlib.suppress(OSError):
        connection.sendall(text.encode("latin-1"))
        if answer:
            return connection.recv(4096).decode("latin-1").partition("\r\n")[0]
    return ""


def leaks(key):
    """Files below /var/log that hold the key's part that is not shown, or a large part of it."""
    found = []
    for path in LOGS.rglob("*"):
        if path.is_file() and not path.is_symlink():
            text = path.read_bytes()
            found += [f"{path}: {line!r}" for line in text.split(b"\n")
                      if any(key[at:at + 12].encode() in line for at in range(3, 30))]
    return found
