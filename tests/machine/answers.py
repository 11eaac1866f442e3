"""What the web servers answer in place of a worker, as the table of deploy/README.md says: each
row's cause is brought about, and status, form and log line are compared."""

import contextlib
import json
import re

from guides import section
from machine import wait_for

SERVICES = {"nginx": "nginx", "Apache": "apache2", "lighttpd": "lighttpd"}
WORKER = "sluice-intake@1.service"
SOCKET = "/run/sluice/intake.sock"


def rows():
    """(web server, status, form, cause, log) of each row."""
    return [(server, int(status), form, cause, log.strip("`")) for server, status, form, cause, log
            in re.findall(r"^\| (nginx|Apache|lighttpd) \| (\d+), `?(\w+)`? \| (.*?) \| (.*?) \|$",
                          section("Answers of the web server"), re.M)]


class Front:
    """A web server on the machine, and requests to it."""

    def __init__(self, machine, name, key):
        self.machine, self.service, self.key = machine, SERVICES[name], key
        self.logs = f"/var/log/{self.service}"

    def stop_others(self):
        """They listen on the same port."""
        self.machine.run("systemctl stop " + " ".join(
            service for service in SERVICES.values() if service != self.service))

    def start(self):
        self.stop_others()
        self.machine.run(f"systemctl start {self.service}\n"
                         "curl -s --retry 100 --retry-connrefused --retry-delay 1"
                         " http://localhost/")

    def restart(self):
        """It has no connection to a worker, and has logged nothing."""
        self.machine.run(f"systemctl stop {self.service}")
        self.start()
        self.machine.run(f": >{self.logs}/error.log")

    def command(self, path="/api/signal-staging/webhook/", options=""):
        return ("curl -sS --max-time 60 -w '\\n%{http_code} %{content_type}'"
                " -H 'Content-Type: application/json' -d '{\"email\":\"a@example.com\"}'"
                f" {options} http://web.example.com{path}{self.key}")

    def post(self, **request):
        """Status and form: HTML, a problem's code, or json."""
        return self.read(self.machine.run(self.command(**request)))

    @staticmethod
    def read(printed):
        body, _, last = printed.rpartition("\n")
        status, kind = last.split(" ", 1)
        if kind == "application/problem+json":
            return int(status), json.loads(body)["code"]
        return int(status), {"application/json": "json"}.get(kind, kind[:9].replace("text/html",
                                                                                    "HTML"))

    def main_pid(self):
        return int(self.machine.run(f"systemctl show --value -p MainPID {WORKER}"))

    def is_served(self):
        """Retries, as senders do: lighttpd takes a second to notice that a worker is back."""
        return self.post() == (202, "json")


def elsewhere(front):
    return front.post(path="/api/other/")


def large(front):
    return front.post(options="-H 'Content-Length: 400000000' -H 'Expect:'")


@contextlib.contextmanager
def changed(machine, change, back):
    machine.run(change)
    try:
        yield
    finally:
        machine.run(back)


def no_socket(front):
    with changed(front.machine, f"systemctl stop sluice-intake.socket {WORKER}",
                 f"systemctl start sluice-intake.socket {WORKER}"):
        return front.post()


def not_allowed(front):
    with changed(front.machine, f"chgrp root {SOCKET}", f"chgrp www-data {SOCKET}"):
        front.restart()
        return front.post()


def killed(front):
    """The worker has the request and waits for its backend, which stands still."""
    machine, worker = front.machine, front.main_pid()
    backends = machine.run("pgrep -f 'postgres: .*sluice_intake'").split()
    front.restart()
    opened = f"ls /proc/{worker}/fd | wc -l"
    before = int(machine.run(opened))
    with changed(machine, f"kill -STOP {' '.join(backends)}", f"kill -CONT {' '.join(backends)}"):
        sender = machine.start(front.command())
        wait_for(lambda: int(machine.run(opened)) > before, "the worker has the request")
        machine.run(f"kill -KILL {worker}")
        answer = front.read(sender.communicate(timeout=60)[0])
    wait_for(lambda: front.main_pid() not in (0, worker), "another worker runs")
    return answer


CAUSES = {"a path that is not ours": elsewhere, "over 300 MiB are announced": large,
          "no socket": no_socket, "the socket is not the web server's to open": not_allowed,
          "the worker was killed with the request": killed}


def check(front, status, form, cause, log):
    bring_about = CAUSES[re.split(r"[:,]", cause)[0]]
    wait_for(front.is_served, "requests are served again")
    for name in ("access", "error"):
        front.machine.run(f": >{front.logs}/{name}.log")
    assert bring_about(front) == (status, form), cause

    def logged(name):
        return front.machine.run(f"cat {front.logs}/{name}.log")

    # lighttpd writes its access log some seconds later.
    wait_for(lambda: re.search(rf'" {status} ', logged("access")), f"{status} is in the access log")
    if log == "access.log` only":
        assert logged("error") == ""
    else:
        assert log in logged("error"), (cause, logged("error"))
