"""Who else could take the requests: the programs of tests/bench/peers, built or started."""

import getpass
import http.client
import os
import pathlib
import re
import shlex
import shutil
import subprocess

import harness
import npm
from parts.place import Place

PEERS = pathlib.Path(__file__).resolve().parents[1] / "peers"
OUTPUT = harness.ROOT / "build" / "bench"
LIGHTTPD = "/usr/sbin/lighttpd"
NODE_MAJOR = 20
NODE_PROCESSES = 2
NODE_CONNECTIONS = 16  # each process has; more and fewer were slower
PHP_PROCESSES = 16
WORKER = "www-data" if os.getuid() == 0 else getpass.getuser()


def build_program(name, *libraries):
    """A directory of programs in which the workers' place is taken by peers/name.c."""
    place = OUTPUT / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "-std=c17",
                    "-D_POSIX_C_SOURCE=200809L", "-O2", "-Wall", "-Wextra", "-Werror", "-o",
                    place / "sluice-intake", PEERS / f"{name}.c", *libraries], check=True)
    for program in ("sluicectl", "sluice-settings"):
        (place / program).symlink_to(harness.BUILD / program)
    return place


def start(place, log, *command, **environment):
    """Starts a server that ends with its place's stack."""
    with open(place.stack.log_dir / log, "wb") as output:
        process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=output,
                                   env={**harness.ENVIRONMENT, **place.stack.env, **environment})

    def end():
        process.terminate()
        process.wait(timeout=30)

    place.stack.closers.append(end)
    return process.pid


def wait_for_port(port):
    def answers():
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/")
            return connection.getresponse().status
        except ConnectionError:
            return False
        finally:
            connection.close()

    harness.wait_for(answers, f"an answer at port {port}", timeout=20)


class Node(Place):
    """Fastify in a cluster, without a web server in front of it."""

    def __init__(self, name, stack, **options):
        super().__init__(name, stack, **options)
        modules = OUTPUT / "node"
        missing = npm.install(PEERS / "node" / "package.json", modules, NODE_MAJOR)
        if missing:
            raise SystemExit(f"bench: {missing}")
        port = harness.free_port()
        pid = start(self, "node.log", "node", PEERS / "node" / "server.js", port, NODE_PROCESSES,
                    NODE_CONNECTIONS, NODE_ENV="production",
                    NODE_PATH=str(modules / "node_modules"))
        wait_for_port(port)
        self.serve(f"http://127.0.0.1:{port}", program=pid)


class Php(Place):
    """PHP-FPM behind the same lighttpd."""

    def __init__(self, name, stack, **options):
        super().__init__(name, stack, **options)
        directory = stack.dir / "php"
        directory.mkdir()
        if os.getuid() == 0:
            shutil.chown(directory, WORKER, WORKER)
        port = harness.free_port()
        root = os.getuid() == 0
        values = {
            "PLACE": directory, "PORT": port, "PROCESSES": PHP_PROCESSES,
            "USER": f"user = {WORKER}\ngroup = {WORKER}" if root else "",
            "DSN": "pgsql:host={PGHOST};port={PGPORT};dbname={PGDATABASE}".format_map(stack.env),
        }
        for name in ("fpm.conf", "lighttpd.conf"):
            text = (PEERS / "php" / name).read_text()
            (directory / name).write_text(
                re.sub(r"@([A-Z]+)@", lambda match: str(values[match[1]]), text))
        if root:
            with open(directory / "lighttpd.conf", "a", encoding="utf-8") as file:
                file.write(f'server.username = "{WORKER}"\nserver.groupname = "{WORKER}"\n')
        shutil.copy(PEERS / "php" / "index.php", directory)
        sql = re.sub(r"\$(\d+)", r":p\1", (PEERS / "insert.sql").read_text())
        (directory / "insert.php").write_text(f"<?php return <<<'SQL'\n{sql}SQL;\n")
        program = start(self, "fpm.log", fpm(), "--nodaemonize", "--fpm-config",
                        directory / "fpm.conf")
        harness.wait_for((directory / "fpm.sock").exists, "PHP-FPM's socket")
        web = start(self, "php-front.log", LIGHTTPD, "-D", "-f", directory / "lighttpd.conf")
        wait_for_port(port)
        self.serve(f"http://127.0.0.1:{port}", web=web, program=program)


def fpm():
    found = sorted(pathlib.Path("/usr/sbin").glob("php-fpm[0-9]*"))
    if not found:
        raise SystemExit("bench: PHP-FPM is missing: `deploy/lab/deps bench` installs it")
    return found[-1]
