"""What makes load: wrk, pgbench and psql, each as one function that returns what it measured."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import tempfile

import harness

BENCH = pathlib.Path(__file__).resolve().parents[1]
PG_BIN = max(pathlib.Path("/usr/lib/postgresql").glob("[0-9]*/bin"),
             key=lambda path: int(path.parent.name))


@contextlib.contextmanager
def text_file(text):
    """A file that other users can read, with this text or these bytes."""
    with tempfile.NamedTemporaryFile("wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
        file.flush()
        os.chmod(file.name, 0o644)
        yield file.name


def wrk(url, targets, seconds, connections=64, body=harness.SEED, media="application/json",
        member=None):
    """Posts body to targets, (path, secret or None) by turns, with member as post.lua has it."""
    lines = "".join(f"{path} {secret or '-'}\n" for path, secret in targets)
    with text_file(lines) as target_file, text_file(body) as body_file:
        run = subprocess.run(
            ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "20s",
             "-s", str(BENCH / "post.lua"), url],
            env={**os.environ, "BENCH_TARGETS": target_file, "BENCH_BODY": body_file,
                 "BENCH_TYPE": media, **({"BENCH_MEMBER": member} if member else {})},
            stdout=subprocess.PIPE, text=True, check=True)
    result = json.loads(re.search(r"^RESULT (.*)$", run.stdout, re.M)[1])
    result["accepted"] = result["requests"] - result["refused"]
    result["per_second"] = result["accepted"] / result["seconds"]
    return result


class Pgbench:
    """A pgbench of one script, running beside something else until end() is called.

    rate: transactions a second, at most; the latency then counts from when each was due.
    """

    def __init__(self, stack, script, seconds, clients, variables=None, protocol="simple",
                 rate=None):
        self.file = contextlib.ExitStack()
        path = self.file.enter_context(text_file(script))
        defined = [f"-D{name}={value}" for name, value in (variables or {}).items()]
        paced = [f"--rate={rate}"] if rate else []
        self.process = subprocess.Popen(
            [PG_BIN / "pgbench", "-n", *paced, "-c", str(clients), "-j", "1", "-T", str(seconds),
             "-M", protocol, *defined, "-f", path],
            env={**harness.ENVIRONMENT, **stack.env}, stdout=subprocess.PIPE, text=True)

    def end(self):
        """{"transactions", "per_second", "mean_ms"}"""
        with self.file:
            shown = self.process.communicate(timeout=300)[0]
        if self.process.returncode:
            raise SystemExit(f"bench: pgbench: exit {self.process.returncode}\n{shown}")
        if int(re.search(r"number of failed transactions: (\d+)", shown)[1]):
            raise SystemExit(f"bench: pgbench: transactions failed\n{shown}")
        return {
            "transactions": int(re.search(r"actually processed: (\d+)", shown)[1]),
            "per_second": float(re.search(r"^tps = ([\d.]+)", shown, re.M)[1]),
            "mean_ms": float(re.search(r"^latency average = ([\d.]+)", shown, re.M)[1]),
        }


def pgbench(*arguments, **options):
    return Pgbench(*arguments, **options).end()


def psql(stack, *commands):
    """Runs commands, backslash ones too, in one session."""
    subprocess.run([PG_BIN / "psql", "-qX", "-v", "ON_ERROR_STOP=1",
                    *(part for command in commands for part in ("-c", command))],
                   env={**harness.ENVIRONMENT, **stack.env}, check=True)
