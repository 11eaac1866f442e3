"""Stacks to test against, and the few helpers every suite shares.

A Stack is one `deploy/stack up` in a directory of its own: PostgreSQL, workers and a web server.
Requests are made with the standard library, so that repeated headers, odd paths and broken bodies
reach the server as they were written.
"""

import collections
import concurrent.futures
import contextlib
import functools
import http.client
import itertools
import json
import os
import pathlib
import random
import re
import secrets
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import zlib

import psycopg2
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
VARIANT = os.environ.get("SLUICE_VARIANT", "release")
BUILD = ROOT / "build" / VARIANT
# A directory of its own for each process of pytest-xdist.
OUTPUT = ROOT / "build" / "test-output" / os.environ.get("PYTEST_XDIST_WORKER", "")
# What the programs inherit: every SLUICE_<KEY> would be a setting of theirs.
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if not name.startswith("SLUICE_")}
# Every case goes through FRONTS; those marked "each_front" go through OTHER_FRONTS, too.
MAIN_FRONTS = ["lighttpd", "apache"] if VARIANT == "release" else ["lighttpd"]
FRONTS = os.environ.get("SLUICE_FRONTS", " ".join(MAIN_FRONTS)).replace(",", " ").split()
ALL_FRONTS = ("lighttpd", "apache", "nginx", "apache-fcgid", "cgi", "cgi-apache")
OTHER_FRONTS = [name for name in ("apache", "nginx", "apache-fcgid", "cgi")
                if name not in FRONTS and "SLUICE_FRONTS" not in os.environ]

# How the fronts differ, in what no setting of theirs changes. The README has the same table.
STREAMING = {"apache", "nginx"}  # pass a body on as it arrives; the others when they have it all
LOOPLESS = {  # why what is about many requests in one worker's loop is skipped there
    "apache-fcgid": "mod_fcgid gives each worker one request at a time",
    "cgi": "each request has a process of its own",
    "cgi-apache": "each request has a process of its own",
}
SETTINGS_FRONTS = {"lighttpd", "apache", "nginx"}  # those that serve the settings
NEEDS_LENGTH = {"cgi-apache"}  # answers 411 to a body of unknown length
PLAIN_ERRORS = {"lighttpd", "cgi"}  # their own answers are HTML, not problems

SEED = (b'{"email": "lead@example.com", "event": "form_submission", "properties": '
        b'{"form_name": "Contact Form", "page_url": "https://yoursite.com/contact"}}')
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}

KEY = re.compile(r"sk_[0-9A-Za-z]{38}")
SECRET = re.compile(r"whs_[0-9A-Za-z]{40}")
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

# A sanitized build is several times slower; limits in seconds grow with it.
PATIENCE = 1 if VARIANT == "release" else 4


class Answer(collections.namedtuple("Answer", "status headers body")):
    """headers is a list of (name, value); body is bytes."""

    def header(self, name):
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return values[0] if values else None

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["code"]


class NoAnswer(Exception):
    """The server closed the connection without an answer."""


def free_port():
    """A port below the ephemeral range that nobody listens on right now."""
    while True:
        port = random.randrange(10000, 32768)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def wait_for(condition, what, timeout=10.0, step=0.02):
    """Polls until condition() is true and returns its value."""
    end = time.monotonic() + timeout * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout * PATIENCE:.0f} s in vain: {what}")
        time.sleep(step)


def base62(number, width):
    digits = ""
    while len(digits) < width:
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return digits


def sound_key():
    """A key with a right checksum that no database knows."""
    body = "sk_" + "".join(secrets.choice(BASE62) for _ in range(32))
    return body + base62(zlib.crc32(body.encode()), 6)


def unsound_key():
    """A key whose checksum is wrong."""
    key = sound_key()
    return key[:-1] + ("b" if key[-1] == "a" else "a")


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Client:
    """One kept-alive connection."""

    def __init__(self, port, timeout=30.0):
        self.connection = http.client.HTTPConnection("127.0.0.1", port,
                                                     timeout=timeout * PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.connection.close()

    def send(self, path, body=SEED, headers=JSON, method="POST"):
        """body: bytes, None for none at all, or an iterable of bytes to be sent in chunks."""
        pairs = list(headers.items() if isinstance(headers, dict) else headers or ())
        given = {name.lower() for name, _ in pairs}
        chunked = body is not None and not isinstance(body, (bytes, bytearray))
        connection = self.connection
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in pairs:
                connection.putheader(name, value)
            if chunked:
                connection.putheader("Transfer-Encoding", "chunked")
            elif body is not None and "content-length" not in given:
                connection.putheader("Content-Length", str(len(body)))
            try:
                connection.endheaders()
                if chunked:
                    for piece in body:
                        connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
                    connection.send(b"0\r\n\r\n")
                elif body:
                    connection.send(body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # answered before all was sent: the answer may still be readable
            response = connection.getresponse()
            answer = Answer(response.status, response.getheaders(), response.read())
        except (http.client.RemoteDisconnected, ConnectionError) as error:
            connection.close()
            raise NoAnswer(str(error)) from error
        except BaseException:
            connection.close()
            raise
        return answer


class Stack:
    """A running stack; `env` holds the variables of DIR/env."""

    def __init__(self, front, *options, workers=None, settings=None):
        self.front = front
        self.streams = front in STREAMING
        self.variant = VARIANT
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=f"sluice-{front[:2]}-"))
        os.chmod(self.dir, 0o755)  # PostgreSQL and the web server may run as other users
        self.port = free_port()
        self.credentials = set()
        self._database = None
        self.closers = []  # what tests started beside the stack
        self.log_dir = self.dir
        command = [ROOT / "deploy" / "stack", "up", "--dir", self.dir, "--front", front,
                   "--port", str(self.port), "--bindir", BUILD, "--maintain", "0", *options]
        # One, unless a test is about several: then it is known who serves what.
        command += ["--workers", str(workers or 1)]
        for name, value in (settings or {}).items():
            command += ["--set", f"{name}={value}"]
        up = subprocess.run([str(part) for part in command], env=ENVIRONMENT,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            errors="replace", check=False)
        if up.returncode:
            kept = self.keep_logs(f"{front}-up")
            self.close()
            raise RuntimeError(f"{' '.join(map(str, command))}: exit {up.returncode}\n{up.stdout}"
                               f"\nlogs kept: {kept}")
        shell = subprocess.run(["env", "-i", "sh", "-c", 'set -a; . "$1"; env -0', "sh",
                                str(self.dir / "env")], stdout=subprocess.PIPE, check=True)
        pairs = (entry.split("=", 1) for entry in shell.stdout.decode().split("\0") if entry)
        self.env = {name: value for name, value in pairs
                    if name not in ("PWD", "SHLVL", "_", "OLDPWD")}
        self.base_url = self.env["BASE_URL"]
        self.log_dir = pathlib.Path(self.env["LOG_DIR"])
        self.organization = self.env["ORGANIZATION"]

    def disconnect(self):
        """Before the server goes away; the next psql() connects anew."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def close(self):
        self.disconnect()
        for closer in self.closers:
            closer()
        down = subprocess.run([str(ROOT / "deploy" / "stack"), "down", "--dir", str(self.dir)],
                              env=ENVIRONMENT, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
        shutil.rmtree(self.dir, ignore_errors=True)
        if down.returncode:
            raise RuntimeError(f"deploy/stack down: exit {down.returncode}\n{down.stdout}")

    def keep_logs(self, name):
        """Copies what was logged to build/test-output/<name>/ and returns that directory."""
        target = OUTPUT / name
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        known = self.log_dir != self.dir
        for file in self.log_dir.rglob("*" if known else "*.log"):
            if file.is_file():
                shutil.copy(file, target / str(file.relative_to(self.log_dir)).replace("/", "_"))
        return target

    def credentials_in_logs(self):
        """Each (file, credential): those that were made, and whatever else looks like one."""
        found = set()
        for file in self.log_dir.rglob("*"):
            if file.is_file():
                text = file.read_text(errors="replace")
                found |= {(file.name, each) for each in self.credentials if each in text}
                found |= {(file.name, each) for pattern in (KEY, SECRET)
                          for each in pattern.findall(text)}
        return found

    # ---- the tool ----

    def ctl_run(self, *arguments, stdin=None):
        """Runs the tool and returns the finished process, whatever its exit code."""
        done = subprocess.run([self.env["SLUICECTL"], *map(str, arguments)],
                              env={**ENVIRONMENT, **self.env}, input=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False)
        self.credentials.update(KEY.findall(done.stdout), SECRET.findall(done.stdout))
        return done

    def ctl(self, *arguments, check=True):
        done = self.ctl_run(*arguments)
        if check and done.returncode:
            raise AssertionError(f"sluicectl {' '.join(map(str, arguments))}: "
                                 f"exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def ctl_json(self, *arguments):
        return json.loads(self.ctl(*arguments, "--json"))

    def new_key(self, organization=None, name="test", endpoint=None, expires=None, secret=False,
                template=None):
        """Options as those of `sluicectl key create`; template is a dict."""
        arguments = ["key", "create", "--organization", organization or self.organization,
                     "--name", name]
        if endpoint:
            arguments += ["--endpoint", endpoint]
        if expires:
            arguments += ["--expires", expires]
        if secret:
            arguments += ["--secret"]
        if template is None:
            return self.ctl_json(*arguments)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(template, file)
            file.flush()
            return self.ctl_json(*arguments, "--template", file.name)

    def new_product_key(self, **options):
        return self.new_key(endpoint="product_orgs", template={"product_org_id": "groupId"},
                            **options)

    def new_expired_key(self, **options):
        """A key that was good for a moment and is not any more."""
        soon = time.time() + 1.5
        instant = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(soon))
        key = self.new_key(expires=f"{instant}.{int(soon % 1 * 1000):03d}Z", **options)
        wait_for(lambda: self.key_status(key["id"]) == "expired", "the key expires")
        return key

    @functools.cached_property
    def one_of_each_key(self):
        """A key of every kind."""
        made = {
            "plain": self.new_key(name="plain"),
            "secret": self.new_key(name="with secret", secret=True),
            "product": self.new_product_key(name="product orgs"),
            "expired": self.new_expired_key(name="expired"),
            "deactivated": self.new_key(name="deactivated"),
        }
        self.ctl("key", "deactivate", made["deactivated"]["id"])
        return made

    def key_status(self, key_id):
        return {key["id"]: key for key in self.ctl_json("key", "list")}[key_id]["status"]

    # ---- PostgreSQL ----

    def connect(self):
        connection = psycopg2.connect(host=self.env["PGHOST"], port=self.env.get("PGPORT"),
                                      dbname=self.env["PGDATABASE"], user=self.env["PGUSER"])
        connection.autocommit = True
        return connection

    def psql(self, sql, *params):
        """Runs one statement; the rows as a list of tuples."""
        if self._database is None or self._database.closed:
            self._database = self.connect()
        try:
            with self._database.cursor() as cursor:
                cursor.execute(sql, params or None)
                return cursor.fetchall() if cursor.description else []
        except psycopg2.Error:
            self._database.close()
            self._database = None
            raise

    def rows(self, key):
        """How many signals of this key are staged, warm and cold."""
        return self.psql("select (select count(*) from sluice.signal_staging where key_id = %s)"
                         " + (select count(*) from sluice.signal_cold_storage where key_id = %s)",
                         key["id"], key["id"])[0][0]

    def staged(self, signal_id, column="payload"):
        """One column of one staged signal, warm or cold."""
        found = self.psql(
            f"select {column} from sluice.signal_staging where id = %s union all "
            f"select {column} from sluice.signal_cold_storage where id = %s",
            signal_id, signal_id)
        assert len(found) == 1, f"{len(found)} rows with id {signal_id}"
        return found[0][0]

    def ids(self, key):
        """All ids of this key's staged signals, as a list: a repeat would show."""
        return [row[0] for row in self.psql(
            "select id from sluice.signal_staging where key_id = %s union all "
            "select id from sluice.signal_cold_storage where key_id = %s", key["id"], key["id"])]

    # ---- processes ----

    def intake_processes(self):
        """{pid: parent's pid} of this stack's workers and their children."""
        found = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                arguments = pathlib.Path("/proc", entry, "cmdline").read_bytes().split(b"\0")
                stat = pathlib.Path("/proc", entry, "stat").read_text()
            except OSError:
                continue
            if not arguments[0].endswith(b"sluice-intake"):
                continue
            if not any(argument.startswith(bytes(self.dir)) for argument in arguments):
                continue
            state, parent = stat.rpartition(")")[2].split()[:2]
            if state not in "ZX":
                found[int(entry)] = int(parent)
        return found

    def workers(self):
        processes = self.intake_processes()
        return sorted(pid for pid, parent in processes.items() if parent not in processes)

    def children(self):
        processes = self.intake_processes()
        return sorted(pid for pid, parent in processes.items() if parent in processes)

    def worker_arguments(self, program="intake"):
        """The command line that the workers, or the settings' processes, are started with."""
        config = pathlib.Path(self.env[{"intake": "WORKERS_CONFIG",
                                        "settings": "SETTINGS_CONFIG"}[program]])
        return [str(config.parents[1] / "bin" / f"sluice-{program}"), "--config", str(config)]


def state_of(pid):
    """Of a process, as proc(5) has it: R, S, T, Z and so on; X when it is gone."""
    try:
        return pathlib.Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def memory_kib(pid, field):
    """VmRSS or VmHWM of a process, 0 when it is gone."""
    try:
        for line in pathlib.Path("/proc", str(pid), "status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def send(stack, path, body=SEED, headers=JSON, method="POST", timeout=30.0):
    with Client(stack.port, timeout) as client:
        answer = client.send(path, body, headers, method)
    if answer.status == 411 and stack.front in NEEDS_LENGTH and not isinstance(body, bytes):
        pytest.skip("mod_cgid takes no chunked bodies")
    return answer


def send_raw(stack, data, timeout=30.0, half_close=False):
    """Writes bytes as they are and returns whatever comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", stack.port), timeout * PATIENCE) as sock:
        sock.sendall(data)
        if half_close:
            sock.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := sock.recv(65536):
                received += piece
        return received


def path_of(key, source=None, end=""):
    middle = f"{source}/" if source else ""
    return f"/api/signal-staging/webhook/{middle}{key['key']}{end}"


def bulk_path(key):
    return f"/api/signal-staging/bulk/{key['key']}"


def accepted_id(answer):
    assert answer.status == 202, (answer.status, answer.body[:500])
    return answer.json["id"]


def assert_problem(answer, status, code=None):
    """A problem answer as section 3 of the contract wants it."""
    assert answer.status == status, (answer.status, answer.body[:500])
    assert answer.header("Content-Type").split(";")[0] == "application/problem+json"
    problem = answer.json
    assert {"type", "title", "status", "detail", "code", "request_id"} <= set(problem)
    assert problem["status"] == status
    assert problem["request_id"] == answer.header("X-Request-Id")
    if code is not None:
        assert problem["code"] == code, problem
    if status in (429, 503):
        assert re.fullmatch(r"[1-9][0-9]*", answer.header("Retry-After") or "")
    text = json.dumps(problem).lower()
    for leak in ("sluice.", "select ", "insert ", "/tmp/", "/usr/", "pg_", "postgres", "json-c",
                 "libpq", "sqlstate", "line 1:"):
        assert leak not in text, f"the problem tells of {leak!r}: {problem}"
    return problem


Sent = collections.namedtuple("Sent", "number start seconds status answer")


class Load:
    """Senders that repeat a request on kept-alive connections until they are stopped.

    `sent` has one entry per request; status is None where no answer came.

    Apache's event MPM closes idle kept-alive connections when a child's threads are busy, maybe
    just when the next request is on its way. As every HTTP client does, that request is sent again
    on a new connection; without an answer there, it counts as unanswered.
    """

    def __init__(self, stack, path, senders=8, body=None, headers=JSON, timeout=30.0):
        self.stack, self.path, self.headers, self.timeout = stack, path, headers, timeout
        self.body = body or (lambda number: json.dumps(
            {"email": f"load-{number}@example.com", "number": number}).encode())
        self.numbers = itertools.count()
        self.sent = []
        self.stopping = threading.Event()
        self.pool = concurrent.futures.ThreadPoolExecutor(senders)
        self.senders = [self.pool.submit(self._run) for _ in range(senders)]

    def _run(self):
        with Client(self.stack.port, self.timeout) as client:
            reused = False
            while not self.stopping.is_set():
                number = next(self.numbers)
                start = time.monotonic()
                answer = self._send(client, number)
                if answer is None and self.stack.front.startswith("apache") and reused:
                    answer = self._send(client, number)
                reused = answer is not None
                seconds = time.monotonic() - start
                self.sent.append(Sent(number, start, seconds,
                                      answer.status if answer else None, answer))
                if answer is None:
                    time.sleep(0.01)

    def _send(self, client, number):
        try:
            return client.send(self.path, self.body(number), self.headers)
        except (NoAnswer, OSError, http.client.HTTPException):
            return None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()

    def stop(self):
        self.stopping.set()
        for sender in self.senders:
            sender.result()
        self.pool.shutdown()

    def count(self, *statuses):
        return sum(1 for entry in list(self.sent) if entry.status in statuses)

    def wait(self, more, *statuses, timeout=30.0):
        """Waits for so many more answers with one of these statuses."""
        goal = self.count(*statuses) + more
        wait_for(lambda: self.count(*statuses) >= goal,
                 f"{more} more answers {statuses}", timeout)

    def accepted(self):
        """{id: number} of what was answered 202; each id once."""
        entries = [entry for entry in self.sent if entry.status == 202]
        ids = {entry.answer.json["id"]: entry.number for entry in entries}
        assert len(ids) == len(entries), "an id was given twice"
        return ids


def assert_staged_once(stack, key, load, exactly=True):
    """Every accepted id is staged once with the payload of its own request.

    With exactly, nothing else is staged; else the number of other rows is returned (requests that
    were answered with our own trouble may have been stored: delivery is at least once).
    """
    staged = stack.psql("select id, (payload->>'number')::bigint from sluice.signal_staging"
                        " where key_id = %s", key["id"])
    numbers = dict(staged)
    assert len(numbers) == len(staged), "an id is staged twice"
    accepted = load.accepted()
    lost = {signal: number for signal, number in accepted.items() if signal not in numbers}
    assert not lost, f"{len(lost)} of {len(accepted)} accepted signals are not staged: " \
                     f"{sorted(lost)[:5]}"
    mixed = [signal for signal, number in accepted.items() if numbers[signal] != number]
    assert not mixed, f"ids given to the wrong sender: {mixed[:5]}"
    if exactly:
        assert len(numbers) == len(accepted)
    return len(numbers) - len(accepted)


def alternate(rounds, *measures):
    """Runs the measures by turns, rounds times; one list of values per measure."""
    values = [[] for _ in measures]
    for _ in range(rounds):
        for kept, measure in zip(values, measures):
            kept.extend(measure())
    return values


median = statistics.median
