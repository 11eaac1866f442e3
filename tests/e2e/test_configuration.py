"""The configuration as an operator changes it: checked before it is used, read again while requests
are served."""

import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from harness import (BUILD, ENVIRONMENT, JSON, NDJSON, SEED, Load, accepted_id, assert_problem,
                     assert_staged_once, bulk_path, path_of, send, wait_for)
from settings_api import get, post

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
    children = stack.settings_processes()
    assert len(children) == 2
    assert get(stack, "olga", "me").status == 200
    text = config.read_text()
    config.write_text(text.replace("settings_trust_remote_user = on",
                                   "settings_trust_remote_user = off"))
    for child in children:
        os.kill(child, signal.SIGHUP)
    wait_for(lambda: stack.log("settings.log").count(
        "taken=settings_trust_remote_user") == len(children), "both have read it")
    assert_problem(get(stack, "olga", "me"), 403, "not_signed_in")


OTHER_USER = "sluice_other"
UNUSABLE = 'event="the new database cannot be used: the old one stays"'
USED = 'event="the new database is used from now on"'


def other_user(stack, role):
    """A role that may do what this one may."""
    stack.psql(f"drop role if exists {OTHER_USER}")
    stack.psql(f"create role {OTHER_USER} login in role {role}")


def with_database(text, change):
    """The configuration with another connection string, made of the one that it has."""
    return re.sub("(?m)^database = (.*)$", lambda found: f"database = {change(found[1])}", text)


@pytest.mark.loop
@pytest.mark.shape(workers=2)
def test_workers_go_to_another_database(stack_of_its_own):
    """Under load, which does not notice: neither that it is tried, nor that it is taken or not."""
    stack = stack_of_its_own
    config, workers = pathlib.Path(stack.env["WORKERS_CONFIG"]), stack.workers()
    key, text = stack.new_key(name="load"), config.read_text()
    other_user(stack, "sluice_intake")

    def reload(change, expected):
        config.write_text(with_database(text, change))
        before = stack.log().count(expected)
        for worker in workers:
            os.kill(worker, signal.SIGHUP)
        wait_for(lambda: stack.log().count(expected) == before + len(workers), expected)

    with Load(stack, path_of(key), senders=16) as load:
        load.wait(100, 202)
        for change, cause in (
                (lambda was: was + " nonsense", "code=invalid_value"),
                (lambda was: was.replace("dbname=sluice", "dbname=nowhere"), "code=misconfigured"),
                (lambda was: was.replace("dbname=sluice", "dbname=template1"),
                 "code=misconfigured"),
                (lambda was: was.replace("host=", "host=/nowhere"), "code=unavailable"),
                (lambda was: was + " options='-c default_transaction_read_only=on'",
                 "code=read_only")):
            reload(change, f"{UNUSABLE} {cause}")
            load.wait(50, 202)
        reload(lambda was: was.replace("user=sluice_intake", f"user={OTHER_USER}"), USED)
        wait_for(lambda: stack.psql("select usename, count(*) from pg_stat_activity where"
                                    " application_name = 'sluice-intake' group by 1")
                 == [(OTHER_USER, len(workers))], "all have gone to the other one")
        load.wait(100, 202)
    assert {entry.status for entry in load.sent} == {202}
    assert_staged_once(stack, key, load)
    assert stack.workers() == workers
    stack.psql("alter role sluice_intake nologin")
    answer = send(stack, bulk_path(stack.new_key()), SEED, NDJSON)  # by a child
    assert (answer.status, answer.json["accepted"]) == (202, 1)


def test_the_settings_service_goes_to_another_database(stack_of_its_own):
    stack = stack_of_its_own
    config = pathlib.Path(stack.env["SETTINGS_CONFIG"])
    children = stack.settings_processes()
    other_user(stack, "sluice_settings")
    text = config.read_text()

    def reload(change, expected):
        config.write_text(with_database(text, change))
        for child in children:
            os.kill(child, signal.SIGHUP)
        wait_for(lambda: stack.log("settings.log").count(expected) == len(children), expected)
        assert get(stack, "olga", "me").status == 200

    reload(lambda was: was.replace("dbname=sluice", "dbname=template1"),
           f"{UNUSABLE} code=misconfigured")
    reload(lambda was: was.replace("user=sluice_settings", f"user={OTHER_USER}"), USED)
    stack.psql("alter role sluice_settings nologin")
    for _ in range(2 * len(children)):
        assert get(stack, "olga", "me").status == 200
    assert post(stack, "olga", "keys", {"name": f"by a child {os.getpid()}"}).status == 201


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
