"""Dump and restore into another cluster, in the ways that DBAs go: what check finds, what repair
mends, and that nothing is lost or comes twice for senders, consumers and followers."""

import collections
import contextlib
import json
import os
import secrets
import subprocess

import pytest

from harness import BUILD, ENVIRONMENT, accepted_id, org_path, path_of
from harness.documents import block
from other_cluster import Database

pytestmark = [pytest.mark.first_front, pytest.mark.database]

PROGRAMS = ("intake", "settings", "consumer", "reader", "maintenance", "admin")
SOME_DAYS_AGO = "date_trunc('day', now(), 'UTC') - interval '3 days 12 hours'"


def claim(database, rows=1000, lease="1 hour"):
    return database.psql("select array_agg(id), min(claim_id)"
                         " from sluice.claim_signals('c', %s, %s)",
                         rows, lease, user="sluice_consumer")[0]


def finish(database, ids, number):
    return database.value("select sluice.finish_signals(%s, 'completed', claim => %s)", ids, number,
                          user="sluice_consumer")


def consume_all(database):
    """What consumers get, each as often as they get it."""
    database.psql("select setval('sluice.signal_queue_search', 0)")
    found = collections.Counter()
    while True:
        ids, number = claim(database)
        if not ids:
            return found
        found.update(ids)
        assert finish(database, ids, number) == len(ids)


def follow(database, frontier):
    """What a follower gets that has kept a frontier, and the next one."""
    upto = database.value("select sluice.frontier()", user="sluice_reader")
    rows = database.psql("select id from sluice.signals_between(%s, %s)", frontier, upto,
                         user="sluice_reader")
    return collections.Counter(row[0] for row in rows), upto


class Source:
    """A database that is lived in, in the stack's cluster, and its dumps."""

    def __init__(self, stack, directory):
        self.programs = None
        self.name = f"restore_{secrets.token_hex(6)}"
        self.directory = directory
        stack.psql(f"create database {self.name}")
        env = stack.env
        self.database = database = Database(stack, env["PGHOST"], env["PGPORT"], self.name,
                                            env["PGUSER"])
        database.tool("migrate")
        database.tool("organization", "create", "Restored")
        self.key = database.new_key()
        # So many transactions that another cluster's numbers are far behind.
        database.psql("do $$ begin for n in 1..200000 loop perform pg_current_xact_id(); commit;"
                      " end loop; end $$")
        self.finished = [self.signal(n) for n in range(3)]
        assert finish(database, *claim(database)) == 3
        self.claimed = [self.signal(n) for n in range(3, 5)]
        assert sorted(claim(database, lease="1 millisecond")[0]) == self.claimed
        self.frontier = database.value("select sluice.frontier()")
        self.waiting = [self.signal(n) for n in range(5, 8)]
        self.repeated = b'{"email":"a@example.com","messageId":"once"}'
        self.waiting.append(accepted_id(database.send(path_of(self.key), self.repeated)))
        self.cold = accepted_id(database.send(path_of(self.key), b'{"anonymousId":"visitor"}'))
        # A day that feeds do not look into any more, whose rows are known.
        self.older = [row[0] for row in database.psql(
            "insert into sluice.signal (id, organization_id, received_at, occurred_at, key_id,"
            f" source, request_id, payload) select nextval('sluice.signal_id'), 1, {SOME_DAYS_AGO},"
            " now(), 1, 's', 'r', '{}' from generate_series(1, 4) returning id")]
        self.new = {*self.waiting, *self.older}
        database.tool("maintain")  # which feeds what is so old

    def signal(self, number):
        return accepted_id(self.database.send(
            path_of(self.key), b'{"email":"c-%d@example.com","n":%d}' % (number, number)))

    def dump(self, programs, *options, to):
        """By the programs of the server that it is restored into, as the manual advises."""
        path = self.directory / to
        if not path.exists():
            subprocess.run([programs / "pg_dump", "-f", path, *options, self.name], check=True,
                           env={**ENVIRONMENT, **self.database.env})
        return path


@pytest.fixture(scope="module")
def source(stack, tmp_path_factory):
    made = Source(stack, tmp_path_factory.mktemp("dumps"))
    yield made
    stack.psql(f"drop database {made.name} with (force)")


@pytest.fixture
def target(other_cluster):
    other_cluster.clear()
    yield other_cluster
    other_cluster.clear()


def with_roles(source, target):
    """As pg_dumpall -r has them; postgres is there already."""
    script = subprocess.run([target.programs / "pg_dumpall", "-r"], check=True, capture_output=True,
                            env={**ENVIRONMENT, **source.database.env}).stdout
    subprocess.run([target.programs / "psql", "-Xq"], input=script, check=True,
                   stderr=subprocess.DEVNULL, env={**ENVIRONMENT, **target.server.env})


def pg_restore(target, path, *options, exits=0):
    done = subprocess.run([target.programs / "pg_restore", *options, path], check=False,
                          env={**ENVIRONMENT, **target.server.env}, stderr=subprocess.PIPE,
                          text=True)
    assert done.returncode == exits, done.stderr[:2000]
    return done.stderr


# ---- the ways ----

def whole(source, target):
    with_roles(source, target)
    database = target.create()
    pg_restore(target, source.dump(target.programs, "-Fc", to="dump"), "-d", database.name)
    return database


def created(source, target):
    with_roles(source, target)
    pg_restore(target, source.dump(target.programs, "-Fc", to="dump"), "-C", "-d", "postgres")
    return target.database(source.name)


def parallel(source, target):
    with_roles(source, target)
    database = target.create()
    pg_restore(target, source.dump(target.programs, "-Fd", "-j2", to="directory"), "-j2",
               "-d", database.name)
    return database


def schema_then_data(source, target):
    with_roles(source, target)
    database = target.create()
    path = source.dump(target.programs, "-Fc", to="dump")
    for part in ("--schema-only", "--data-only"):
        pg_restore(target, path, part, "-d", database.name)
    return database


def without_roles(source, target):
    database = target.create()
    pg_restore(target, source.dump(target.programs, "-Fc", to="dump"), "--no-owner", "--no-acl",
               "-d", database.name)
    return database


def roles_forgotten(source, target):
    """pg_restore complains of each owner and grant, and goes on."""
    database = target.create()
    said = pg_restore(target, source.dump(target.programs, "-Fc", to="dump"), "-d", database.name,
                      exits=1)
    assert 'role "sluice_owner" does not exist' in said
    return database


def migrated_then_data(source, target):
    """What migrations have put into tables is there already, so COPY fails for those."""
    with_roles(source, target)
    database = target.create()
    database.tool("migrate")
    said = pg_restore(target, source.dump(target.programs, "-Fc", "--data-only",
                                          "--load-via-partition-root", to="data"),
                      "-d", database.name, exits=1)
    assert "duplicate key value violates unique constraint" in said
    return database


def as_written(word, database, target, directory, **variables):
    """Runs a block of the document, with the programs of the newer server."""
    path = os.pathsep.join(map(str, (target.programs, BUILD, os.environ["PATH"])))
    done = subprocess.run(["sh", "-exc", block("sql-migrations/README.md", "sh", word)], text=True,
                          env={**database.tool.env, **variables, "PATH": path}, cwd=directory,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def documented(source, target):
    """To the end: it is fit for use."""
    directory = source.directory / secrets.token_hex(6)
    directory.mkdir()
    as_written("pg_dumpall", source.database, target, directory)
    database = target.database(f"other_{secrets.token_hex(6)}")
    said = as_written("psql -X -f roles.sql", database, target, directory)
    assert said.endswith("\nfit for use: 0 failed, 0 warnings\n")
    return database


LOST = {"role_settings": "failed", "cluster": "warning"}
# Everything belongs to the role that has restored it. What needs its owner's rights is not asked.
NO_ROLES = {"role_settings": "failed", **dict.fromkeys(
    ("roles", "memberships", "owner", "owners", "intake_rights", "settings_rights",
     "consumer_rights", "maintenance_rights", "function_rights", "public_rights"), "failed")}
WAYS = {whole: LOST, created: {"cluster": "warning"}, parallel: LOST, schema_then_data: LOST,
        without_roles: NO_ROLES, roles_forgotten: NO_ROLES,
        migrated_then_data: {"cluster": "warning"}, documented: {}}
OFTEN = (whole, documented)  # the others differ little from these


@pytest.mark.parametrize("way", [
    pytest.param(way, marks=[] if way in OFTEN else [pytest.mark.slow]) for way in WAYS],
    ids=lambda way: way.__name__)
def test_restored(source, target, way):
    database = way(source, target)
    found, exits = database.findings()
    found = {name: each["result"] for name, each in found.items() if each["result"] != "ok"}
    has_roles = "roles" not in found
    assert found == WAYS[way] and (exits == 1) == ("failed" in found.values()), found

    # Nothing of the dump is rewritten, however many days that are.
    where = "select id, ctid::text, xmin::text, stored_xact from sluice.signal order by id"
    restored = database.psql(where)
    assert len(restored) == 5 + len(source.new)
    sent = set()
    if has_roles:  # the workers do not wait for the DBA
        sent.add(accepted_id(database.send(path_of(source.key))))
    database.tool("migrate", "--repair")
    assert [each for each in database.psql(where) if each[0] not in sent] == restored
    if not has_roles:
        assert database.not_ok() == {"intake_rights": "warning"}  # it cannot log in
        for name in PROGRAMS:
            database.psql(f"alter role sluice_{name} login")
    left = database.not_ok()
    assert database.findings()[1] == 0 and left.keys() <= {"default_partitions"}, left
    assert {step["result"] for step in database.tool.json("maintain")["steps"]} == {"done"}
    assert database.not_ok() == {}

    sent.add(accepted_id(database.send(path_of(source.key), b'{"email":"x@example.com"}')))
    again = database.send(path_of(source.key), source.repeated)
    assert again.status == 202 and again.json["duplicate"] is True
    assert again.json["id"] == source.waiting[-1]
    identified = b'{"anonymousId":"visitor","userId":"u"}'
    sent |= {accepted_id(database.send(path_of(source.key), identified)), source.cold}
    database.tool("maintain")
    assert len(sent) == 3 + has_roles and min(sent - {source.cold}) > max(source.older)

    seen, frontier = follow(database, source.frontier)
    assert seen == collections.Counter(source.new | sent)
    assert follow(database, frontier)[0] == {}
    assert consume_all(database) == collections.Counter({*source.claimed, *source.new, *sent})
    assert database.psql("select distinct status::text from sluice.signal_staging") == [
        ("completed",)]


@pytest.mark.slow
def test_restored_twice(source, target, tmp_path):
    """From the copy into a third database: what was stored between goes on being new."""
    first = whole(source, target)
    first.tool("migrate", "--repair")
    sent = accepted_id(first.send(path_of(source.key)))
    frontier = follow(first, source.frontier)[1]
    assert sent in consume_all(first)
    dump = tmp_path / "dump"
    subprocess.run([target.programs / "pg_dump", "-Fc", "-f", dump], check=True,
                   env={**ENVIRONMENT, **first.env})
    second = target.create()
    pg_restore(target, dump, "-d", second.name)
    later = accepted_id(second.send(path_of(source.key)))
    assert follow(second, frontier)[0] == {later: 1}
    assert consume_all(second) == {later: 1}
    assert second.not_ok() == {"role_settings": "failed"}


@pytest.mark.slow
def test_one_partition(source, target, tmp_path):
    """A day was dropped by mistake: its table is restored alone and attached."""
    database = whole(source, target)
    database.tool("migrate", "--repair")
    database.tool("maintain")
    name, day = database.psql("select partition_name, lower_bound from sluice.partition_bounds()"
                              " where table_name = 'signal' and lower_bound <="
                              f" {SOME_DAYS_AGO} and upper_bound > {SOME_DAYS_AGO}")[0]
    database.psql(f"drop table sluice.{name}")
    assert database.not_ok() == {"partitions": "warning"}
    (tmp_path / "sluice.dump").symlink_to(source.dump(target.programs, "-Fc", to="dump"))
    as_written("-t \"$DAY\"", database, target, tmp_path, DAY=name, FROM=f"{day:%Y-%m-%d}Z")
    assert database.not_ok() == {}
    assert consume_all(database).keys() >= set(source.older)
    assert database.psql("select count(*), count(distinct id) from sluice.signal_staging"
                         " where id = any(%s) and status = 'completed'", source.older) == [(4, 4)]


@pytest.mark.slow
def test_rows_of_one_day(source, target):
    """The same when maintain was quicker and has made the day anew, empty."""
    database = whole(source, target)
    database.tool("migrate", "--repair")
    database.tool("maintain")
    name = database.value("select partition_name from sluice.partition_bounds()"
                          " where table_name = 'signal' and lower_bound <="
                          f" {SOME_DAYS_AGO} and upper_bound > {SOME_DAYS_AGO}")
    expected = consume_all(database)
    database.psql(f"drop table sluice.{name}")
    database.tool("maintain")
    assert database.value(f"select count(*) from sluice.{name}") == 0
    pg_restore(target, source.dump(target.programs, "-Fc", to="dump"), "-d", database.name,
               "--data-only", "-n", "sluice", "-t", name)
    database.tool("maintain")
    assert expected.keys() >= set(source.older)
    assert consume_all(database) == {}, "they were finished already"
    assert database.value("select count(*) from sluice.signal_staging where id = any(%s)"
                          " and status = 'completed'", source.older) == 4


@pytest.mark.slow
def test_a_follower_that_was_ahead_of_the_dump(source, target):
    """It has seen what was not dumped, and what comes is new to it all the same."""
    source.dump(target.programs, "-Fc", to="dump")
    with contextlib.closing(source.database.connect()) as connection:
        cursor = connection.cursor()
        cursor.execute("do $$ begin for n in 1..2000 loop perform pg_current_xact_id(); commit;"
                       " end loop; end $$")
    ahead = source.database.value("select sluice.frontier()")
    database = whole(source, target)
    before = accepted_id(database.send(path_of(source.key)))
    database.tool("migrate", "--repair")
    after = accepted_id(database.send(path_of(source.key)))
    assert follow(database, ahead)[0] == {before: 1, after: 1}


def test_product_orgs(source, target):
    """Their latest state does not miss what is stored before the repair."""
    database = whole(source, target)
    template = source.directory / "template.json"
    template.write_text(json.dumps({"product_org_id": "groupId", "name": "name"}))
    key = database.new_key(endpoint="product_orgs", template=template)
    path = org_path(key)
    assert database.send(path, b'{"groupId":"g","name":"before"}').status == 202
    database.tool("migrate", "--repair")
    current = "select name from sluice.product_org_current where product_org_id = 'g'"
    assert database.value(current) == "before"
    database.tool("maintain")
    assert database.send(path, b'{"groupId":"g","name":"after"}').status == 202
    assert database.value(current) == "after"
    database.tool("maintain")
    assert database.psql(current) == [("after",)]
