"""Health and metrics: what monitoring is told, by whom it may be asked, through each web server,
also while the database is away and while workers come and go."""

import concurrent.futures
import contextlib
import http.client
import os
import re
import signal
import subprocess

import pytest

from harness import (ANOTHER_HOST, JSON, NDJSON, SEED, Client, accepted_id, assert_problem,
                     bulk_path, path_of, send, wait_for, wait_until_equal)
from postgresql_server import Server

pytestmark = pytest.mark.each_front

SAMPLE = re.compile(r"(sluice_[a-z_]+)(?:\{(.+)\})? ([0-9.]+|NaN)")
LABEL = re.compile(r'([a-z]+)="([^"]*)"')
IN_USE = ("sluice_default_partition_in_use", "signal")
ROUTE = "/api/signal-staging/webhook/{key}"
REQUESTS = "sluice_requests_total"

# Of the workers; those below are told by the database.
PROCESS = {
    "sluice_build_info", "sluice_database_up", "sluice_requests_total", "sluice_problems_total",
    "sluice_request_seconds", "sluice_items_total", "sluice_statement_seconds",
    "sluice_group_requests", "sluice_database_connections_total",
    "sluice_database_connection_failures_total", "sluice_unknown_commits_total",
    "sluice_resolved_commits_total",
    "sluice_early_answers_total", "sluice_gave_way_total", "sluice_kept_answers_total",
    "sluice_worker_kept_connections",
    "sluice_expired_connections_total", "sluice_failed_children_total",
    "sluice_lost_log_lines_total", "sluice_shed_requests_total",
    "sluice_database_hangs_total", "sluice_refused_at_once_total",
    "sluice_cancelled_statements_total",
    "sluice_worker_start_time_seconds", "sluice_worker_slots",
    "sluice_worker_requests_in_flight", "sluice_worker_requests_waiting",
    "sluice_worker_children", "sluice_worker_connected", "sluice_worker_resident_memory_bytes",
    "sluice_worker_cpu_seconds_total"}


def ready(stack):
    return send(stack, "/sluice/health/ready", None, {}, "GET")


def text_of(stack):
    answer = send(stack, "/sluice/metrics", None, {}, "GET")
    assert answer.status == 200, (answer.status, answer.body[:500])
    assert answer.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.header("Cache-Control") == "no-store"
    text = answer.body.decode()
    assert text.endswith("\n")
    return text


def read(text):
    """The samples, {(name, value of the label, values of several, or None): number}, and {name:
    type}. Every sample has a type."""
    types, samples = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert name not in types
            types[name] = kind
        elif not line.startswith("# HELP "):
            name, labels, number = SAMPLE.fullmatch(line).groups()
            values = tuple(value for _, value in LABEL.findall(labels or ""))
            value = values if len(values) > 1 else values[0] if values else None
            family = re.sub("_(bucket|sum|count)$", "", name)
            family = family if types.get(family) == "histogram" else name
            assert family in types and (name, value) not in samples, line
            assert (types[family] == "counter") == name.endswith("_total")
            samples[name, value] = float(number)
    return samples, types


def metrics_of(stack):
    return read(text_of(stack))[0]


def test_what_is_told(stack, keys):
    """Numbers for all tables and reasons, and nothing that names a sender."""
    text = text_of(stack)
    samples, types = read(text)
    queues = {"signal_staging", "product_org_staging"}
    tables = {"signal", "signal_result", "signal_cold_storage", "product_org_update",
              "product_org_result", "rejected_payload"}
    reasons = {"deactivated", "expired", "secret_missing", "secret_wrong", "wrong_endpoint",
               "wrong_network", "limit_reached"}
    told = {
        *(("sluice_default_partition_in_use", table) for table in tables),
        *(("sluice_partitions_ahead", table) for table in tables),
        *(("sluice_refused_requests_total", reason) for reason in reasons),
        ("sluice_maintenance_age_seconds", None), ("sluice_signals_total", None),
        *(("sluice_oldest_pending_age_seconds", table) for table in queues),
        ("sluice_duplicates_total", None), ("sluice_settled_age_seconds", None),
        ("sluice_settled_lag_transactions", None),
        ("sluice_schema_version", None)}
    assert set(types) >= PROCESS
    assert {sample for sample in samples
            if re.sub("_(bucket|sum|count)$", "", sample[0]) not in PROCESS} == told
    assert samples["sluice_partitions_ahead", "signal"] == 7
    assert samples["sluice_database_up", None] == 1
    [(version,)] = stack.psql("select max(version) from sluice.schema_migration")
    assert samples["sluice_schema_version", None] == version
    assert stack.organization not in text and keys["plain"]["key"] not in text


@pytest.mark.first_front
def test_prometheus_takes_them(stack):
    checked = subprocess.run(["promtool", "check", "metrics"], input=text_of(stack), text=True,
                             capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_counters_follow(stack, key):
    before = metrics_of(stack)
    headers = {**JSON, "Idempotency-Key": "once"}
    for _ in range(3):
        accepted_id(send(stack, path_of(key), SEED, headers))
    after = metrics_of(stack)
    assert after["sluice_signals_total", None] == before["sluice_signals_total", None] + 1
    assert after["sluice_duplicates_total", None] == before["sluice_duplicates_total", None] + 2


@pytest.mark.first_front
def test_default_partition_in_use(stack):
    assert metrics_of(stack)[IN_USE] == 0
    stack.psql("insert into sluice.signal (id, organization_id, received_at, occurred_at,"
               " key_id, source, request_id, payload) values (nextval('sluice.signal_id'), 1,"
               " now() + interval '1000 days', now(), 1, 'generic', 'far', '{}')")
    try:
        assert metrics_of(stack)[IN_USE] == 1
    finally:
        stack.psql("delete from sluice.signal_default where request_id = 'far'")
    assert metrics_of(stack)[IN_USE] == 0


@pytest.mark.parametrize("path", ["/sluice/metrics", "/sluice/metrics?a=b", "/sluice/%6detrics",
                                  "/sluice/./metrics", "/sluice/x/../metrics", "//sluice/metrics",
                                  "/sluice//metrics"])
def test_nobody_else_may_ask(stack, path):
    """As from another host: the stack listens on 127.0.0.1, this request comes from 127.0.0.2."""
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=30,
                                            source_address=("127.0.0.2", 0))
    with contextlib.closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == ANOTHER_HOST[stack.front] and b"sluice_" not in answer.read()
    with contextlib.closing(http.client.HTTPConnection(
            "127.0.0.1", stack.port, timeout=30, source_address=("127.0.0.2", 0))) as connection:
        connection.request("GET", "/sluice/health")
        assert connection.getresponse().status == 200  # the address is not the reason


@pytest.mark.parametrize("path", ["/sluice/metrics", "/sluice/health", "/sluice/health/live",
                                  "/sluice/health/ready"])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_only_read(stack, method, path):
    answer = send(stack, path, SEED if method == "POST" else None, {}, method)
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.header("Allow") == "GET, HEAD"


def grown(before, after):
    """What has increased, by how much."""
    return {sample: number - before.get(sample, 0) for sample, number in after.items()
            if number != before.get(sample, 0)}


def test_requests_are_counted(stack, keys):
    """By route and status, and what became of their items; all of them end up in histograms."""
    before = metrics_of(stack)
    for body, status in ((SEED, 202), (b"[" + SEED + b",1]", 202), (b"[[", 400)):
        assert send(stack, path_of(keys["plain"]), body).status == status
    assert send(stack, path_of(keys["deactivated"])).status == 401
    assert send(stack, bulk_path(keys["plain"]), SEED, NDJSON).status == 202
    assert send(stack, "/api/signal-staging/nothing").status == 404
    expected = {
        (REQUESTS, (ROUTE, "202")): 2, (REQUESTS, (ROUTE, "400")): 1, (REQUESTS, (ROUTE, "401")): 1,
        (REQUESTS, ("/api/signal-staging/bulk/{key}", "202")): 1, (REQUESTS, ("none", "404")): 1,
        ("sluice_problems_total", "malformed_json"): 1,
        ("sluice_problems_total", "unauthenticated"): 1,
        ("sluice_problems_total", "not_found"): 1,
        ("sluice_items_total", "stored"): 3, ("sluice_items_total", "rejected"): 1,
        ("sluice_request_seconds_count", ROUTE): 4,
        ("sluice_request_seconds_bucket", (ROUTE, "+Inf")): 4,
        ("sluice_request_seconds_count", "/api/signal-staging/bulk/{key}"): 1}

    def counted():
        more = grown(before, metrics_of(stack))
        return {sample: more.get(sample) for sample in expected}
    wait_until_equal(counted, expected, "the import's child counts after it has answered")


@pytest.mark.loop
def test_a_worker_shows_itself(stack):
    samples = metrics_of(stack)
    assert samples["sluice_worker_slots", "0"] == 512
    assert samples["sluice_worker_connected", "0"] == 1
    assert 1 << 20 < samples["sluice_worker_resident_memory_bytes", "0"] < 1 << 28
    assert samples["sluice_group_requests_count", None] > 0
    assert samples["sluice_statement_seconds_bucket", "+Inf"] \
        == samples["sluice_statement_seconds_count", None]


@pytest.mark.first_front
@pytest.mark.loop
@pytest.mark.shape(workers=2)
def test_counters_outlive_workers(stack_of_its_own):
    """Killed or ended, a worker's successor goes on; so does what the other one has counted."""
    stack = stack_of_its_own
    key = stack.new_key()

    def stored(samples):
        return samples["sluice_items_total", "stored"]
    for number, how in enumerate((signal.SIGKILL, signal.SIGTERM), 1):
        accepted_id(send(stack, path_of(key)))
        before = metrics_of(stack)
        assert stored(before) == number
        old = stack.workers()
        for worker in old:
            os.kill(worker, how)
        wait_for(lambda old=old: len(new := stack.workers()) == 2 and not set(new) & set(old),
                 "two new workers")
        wait_for(lambda: ready(stack).status == 200, "they work")
        after = metrics_of(stack)
        assert stored(after) == number
        assert all(after[sample] >= count for sample, count in before.items()
                   if sample[0] == REQUESTS)
        wait_until_equal(lambda: [name for name in metrics_of(stack)
                                  if name[0] == "sluice_worker_slots"],
                         [("sluice_worker_slots", "0"), ("sluice_worker_slots", "1")],
                         "the two workers show themselves")


def cut_off(stack, code):
    """Until then no connection can be made, and there is none."""
    stack.psql("select pg_terminate_backend(pid) from pg_stat_activity"
               " where usename = 'sluice_intake'")
    wait_until_equal(lambda: ready(stack).json.get("code"), code,
                     "why it is not ready")
    assert_problem(ready(stack), 503)


def test_without_a_database(stack_of_its_own):
    """The process tells of itself, and counts what it cannot store."""
    stack = stack_of_its_own
    key = stack.new_key()
    accepted_id(send(stack, path_of(key)))
    stack.psql("alter role sluice_intake connection limit 0")
    cut_off(stack, "database_unavailable")
    before = metrics_of(stack)
    assert before["sluice_database_up", None] == 0
    assert {name for name, _ in before if re.sub("_(bucket|sum|count)$", "", name) not in PROCESS} \
        == set()
    for path in ("health/live", "health/ready", "health", "metrics"):
        right = 503 if path in ("health/ready", "health") else 200
        path = f"/sluice/{path}"
        for method in ("GET", "HEAD"):
            answer = send(stack, path, None, {}, method)
            assert answer.status == right, (path, method)
            assert (answer.body == b"") == (method == "HEAD")
    assert_problem(send(stack, path_of(key)), 503, "database_unavailable")
    more = grown(before, metrics_of(stack))
    assert more[REQUESTS, (ROUTE, "503")] == 1
    assert more["sluice_problems_total", "database_unavailable"] > 1
    stack.psql("alter role sluice_intake connection limit -1")
    wait_for(lambda: ready(stack).status == 200, "it is ready")
    assert metrics_of(stack)["sluice_schema_version", None] > 0
    accepted_id(send(stack, path_of(key)))


@pytest.mark.first_front
def test_ready_means_that_it_can_write(stack_of_its_own):
    stack = stack_of_its_own
    stack.psql("alter role sluice_intake set default_transaction_read_only = on")
    cut_off(stack, "database_read_only")
    assert send(stack, "/sluice/health/live", None, {}, "GET").status == 200
    stack.psql("alter role sluice_intake reset default_transaction_read_only")
    stack.psql("select pg_terminate_backend(pid) from pg_stat_activity"
               " where usename = 'sluice_intake'")
    wait_for(lambda: ready(stack).status == 200, "it is ready")


@pytest.mark.first_front
@pytest.mark.loop
@pytest.mark.shape(settings={"large_requests": 1})
def test_imports_do_not_make_blind(stack_of_its_own):
    """They have all the children that there may be."""
    stack = stack_of_its_own
    key = stack.new_key()
    with Client(stack.port) as client:
        connection = client.connection
        connection.putrequest("POST", bulk_path(key))
        connection.putheader("Transfer-Encoding", "chunked")
        connection.putheader("Content-Type", NDJSON["Content-Type"])
        connection.endheaders()
        connection.send(b"%x\r\n%s\r\n" % (len(SEED), SEED))
        if stack.streams:
            wait_until_equal(lambda: len(stack.children()), 1, "a child has the import")
            samples = metrics_of(stack)
            assert samples["sluice_database_up", None] == 1
            assert samples["sluice_worker_children", "0"] == 1  # none for the metrics
        connection.send(b"0\r\n\r\n")
        assert connection.getresponse().status == 202
    assert metrics_of(stack)["sluice_database_up", None] == 1


def backends(stack):
    return stack.psql("select count(*) from pg_stat_activity where usename = 'sluice_intake'"
                      " and backend_type = 'client backend'")[0][0]


def told_without_the_database(stack):
    """Several at a time, of the process alone."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        told = [read(text)[0] for text in pool.map(text_of, [stack] * 8)]
    assert [samples["sluice_database_up", None] for samples in told] == [0] * 8
    assert not any("sluice_schema_version" in dict(samples) for samples in told)


@pytest.mark.first_front
@pytest.mark.loop
def test_while_the_metrics_are_locked(stack_of_its_own):
    """What is given up is cancelled, and there is one connection for all who ask."""
    stack = stack_of_its_own
    assert metrics_of(stack)["sluice_database_up", None] == 1
    with stack.locked("usage_month"):
        for _ in range(3):
            told_without_the_database(stack)
            assert backends(stack) <= len(stack.workers()) + 1
        wait_until_equal(stack.waiting_for_locks, 0, "the last one was cancelled")
    assert metrics_of(stack)["sluice_database_up", None] == 1
    wait_until_equal(lambda: backends(stack), len(stack.workers()), "it does not stay connected")


@pytest.mark.first_front
@pytest.mark.loop
def test_while_the_server_stands_still(stack_of_its_own):
    stack = stack_of_its_own
    assert metrics_of(stack)["sluice_database_up", None] == 1
    with Server(stack).frozen():
        for _ in range(3):
            told_without_the_database(stack)
    wait_for(lambda: metrics_of(stack)["sluice_database_up", None] == 1, "it answers again")
    wait_until_equal(lambda: backends(stack), len(stack.workers()), "nothing was left behind")


def test_again_and_again_on_one_connection(stack):
    with Client(stack.port) as client:
        for _ in range(10):
            assert client.send("/sluice/metrics", None, {}, "GET").status == 200
