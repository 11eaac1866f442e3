"""The configuration as an operator changes it: checked before it is used, read again while requests
are served."""

import os
import pathlib
import shutil
import signal
import subprocess

import pytest

from harness import (BUILD, ENVIRONMENT, JSON, SEED, Load, accepted_id, assert_problem,
                     assert_staged_once, path_of, send, wait_for)
from settings_api import get

pytestmark = pytest.mark.first_front

LARGE = b'{"email":"a@b.c","text":"' + 3000 * b"x" + b'"}'


@pytest.mark.parametrize("text, fault", [
    ("database = dbname=sluice\n", None),
    ("database = nonsense\n", "database: libpq does not understand it: missing"),
    ("database = host=/x dbname\n", "database: libpq does not understand it: missing"),
    ("database = dbname=x passfile=/nowhere/pgpass\n", "cannot be read: No such file"),
    ("public_url = hooks.example.com\n", ":1: public_url takes nothing, or a URL with http://"),
    ("batch_body = 512KiB\n", "single_body (1MiB) exceeds batch_body (512KiB)"),
    ("item_size = 2MiB\n", "item_size (2MiB) exceeds single_body (1MiB)"),
    ("database_timeout = 1h\nrequest_timeout = 100ms\n",
     "database_timeout (1h) exceeds request_timeout (100ms)"),
    ("trusted_proxies = 10.1.0.0/8\n",
     ":1: trusted_proxies takes at most 64 networks, with commas"),
    ("trusted_proxies = 10.0.0.0/8, 0.0.0.0/0\n", "every client may name another's as its own"),
    ("group_requests = 1000\n", "group_requests (1000) exceeds requests_in_flight (512)"),
], ids=lambda value: None)
@pytest.mark.parametrize("program", ["sluice-intake", "sluice-settings"])
def test_check(tmp_path, program, text, fault):
    file = tmp_path / "sluice.conf"
    file.write_text(text)
    done = subprocess.run([BUILD / program, "--check", "--config", file], env=ENVIRONMENT,
                          capture_output=True, text=True, check=False)
    if fault is None:
        assert (done.returncode, done.stdout) == (0, f"{program}: {file} is fine\n")
    else:
        assert done.returncode == 1 and fault in done.stderr, done.stderr


def hang_up(stack, config, more, expected):
    """Writes more settings and tells the workers to read them; each logs what it has done."""
    text = config.read_text()
    before = stack.log().count(expected)
    config.write_text(text + more)
    workers = stack.workers()
    for worker in workers:
        os.kill(worker, signal.SIGHUP)
    wait_for(lambda: stack.log().count(expected) == before + len(workers), expected)
    assert stack.workers() == workers
    return text


@pytest.mark.loop
@pytest.mark.shape(workers=2)
def test_workers_take_another_configuration(stack_of_its_own):
    """Under load, which does not notice. It logs what needs a restart; a fault changes nothing."""
    stack = stack_of_its_own
    key, config = stack.new_key(), pathlib.Path(stack.env["WORKERS_CONFIG"])
    accepted_id(send(stack, path_of(key), LARGE))
    of_load = stack.new_key(name="load")
    with Load(stack, path_of(of_load)) as load:
        load.wait(50, 202)
        hang_up(stack, config, "single_body = 2KiB\nitem_size = 2KiB\nrequests_in_flight = 600\n",
                'event="configuration reloaded" taken="single_body item_size"'
                " needs_restart=requests_in_flight")
        assert_problem(send(stack, path_of(key), LARGE), 413)
        good = hang_up(stack, config, "nonsense = 1\n",
                       'event="could not reload the configuration"')
        assert_problem(send(stack, path_of(key), LARGE), 413)
        config.write_text(good)
        hang_up(stack, config, "log_client_address = on\n", "taken=log_client_address")
        load.wait(50, 202)
    assert {entry.status for entry in load.sent} == {202}
    assert_staged_once(stack, of_load, load)
    answer = send(stack, path_of(key), SEED, {**JSON, "X-Request-Id": "with-its-client"})
    assert answer.status == 202
    stack.wait_logged(" client=127.0.0.1")


def test_the_settings_service_does_too(stack_of_its_own):
    stack = stack_of_its_own
    config = pathlib.Path(stack.env["SETTINGS_CONFIG"])
    supervisor = int(stack.env["SETTINGS_PID"])
    children = pathlib.Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    assert len(children) == 2
    assert get(stack, "olga", "me").status == 200
    text = config.read_text()
    config.write_text(text.replace("settings_trust_remote_user = on",
                                   "settings_trust_remote_user = off"))
    for child in children:
        os.kill(int(child), signal.SIGHUP)
    wait_for(lambda: stack.log("settings.log").count(
        "taken=settings_trust_remote_user") == len(children), "both have read it")
    assert_problem(get(stack, "olga", "me"), 403, "not_signed_in")


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_who_may_not_read_it_can_check_the_rest(stack):
    """PostgreSQL's superuser, as the documents have it."""
    tool, config = stack.dir / "sluicectl", stack.dir / "closed.conf"
    shutil.copy(BUILD / "sluicectl", tool)
    config.touch(0o600)
    config.write_text("database = password=hunter2\n")
    migrations = stack.dir / "sql-migrations"
    shutil.copytree(stack.env["SLUICE_MIGRATIONS"], migrations, dirs_exist_ok=True)
    done = subprocess.run([tool, "check", "--config", config], user="postgres", cwd="/",
                          env={**ENVIRONMENT, **stack.env, "SLUICE_MIGRATIONS": str(migrations)},
                          capture_output=True, text=True, check=False)
    assert f"not looked at: this user may not read {config}" in done.stdout, done.stderr
    assert done.returncode == 0 and "\nfit for use: 0 failed, 0 warnings\n" in done.stdout
