"""GET /metrics: what monitoring is told, by whom it may be asked, through each web server."""

import contextlib
import http.client
import re

import pytest

from harness import (ANOTHER_HOST, JSON, SEED, Client, accepted_id, assert_problem, path_of, send)

pytestmark = pytest.mark.each_front

SAMPLE = re.compile(r'(sluice_[a-z_]+)(?:\{([a-z]+)="([a-z_]+)"\})? ([0-9.]+|NaN)')
IN_USE = ("sluice_default_partition_in_use", "signal")


def metrics_of(stack):
    """{(name, value of the label or None): number}; every sample has a type."""
    answer = send(stack, "/metrics", None, {}, "GET")
    assert answer.status == 200, (answer.status, answer.body[:500])
    assert answer.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.header("Cache-Control") == "no-store"
    text = answer.body.decode()
    assert text.endswith("\n")
    types, samples = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert name not in types
            types[name] = kind
        elif not line.startswith("# HELP "):
            name, _, value, number = SAMPLE.fullmatch(line).groups()
            assert name in types and (name, value) not in samples
            assert (types[name] == "counter") == name.endswith("_total")
            samples[name, value] = float(number)
    return samples


def test_what_is_told(stack, keys):
    """Numbers for all tables and reasons, and nothing that names a sender."""
    samples = metrics_of(stack)
    queues = {"signal_staging", "product_org_staging"}
    tables = {"signal", "signal_result", "signal_cold_storage", "product_org_update",
              "product_org_result", "rejected_payload"}
    reasons = {"deactivated", "expired", "secret_missing", "secret_wrong", "wrong_endpoint",
               "limit_reached"}
    assert set(samples) == {
        *(("sluice_default_partition_in_use", table) for table in tables),
        *(("sluice_partitions_ahead", table) for table in tables),
        *(("sluice_refused_requests_total", reason) for reason in reasons),
        ("sluice_maintenance_age_seconds", None), ("sluice_signals_total", None),
        *(("sluice_oldest_pending_age_seconds", table) for table in queues),
        ("sluice_duplicates_total", None), ("sluice_settled_age_seconds", None),
        ("sluice_settled_lag_transactions", None),
        ("sluice_schema_version", None)}
    assert samples["sluice_partitions_ahead", "signal"] == 7
    [(version,)] = stack.psql("select max(version) from sluice.schema_migration")
    assert samples["sluice_schema_version", None] == version
    text = send(stack, "/metrics", None, {}, "GET").body.decode()
    assert stack.organization not in text and keys["plain"]["key"] not in text


def test_counters_follow(stack, key):
    before = metrics_of(stack)
    headers = {**JSON, "Idempotency-Key": "once"}
    for _ in range(3):
        accepted_id(send(stack, path_of(key), SEED, headers))
    after = metrics_of(stack)
    assert after["sluice_signals_total", None] == before["sluice_signals_total", None] + 1
    assert after["sluice_duplicates_total", None] == before["sluice_duplicates_total", None] + 2


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


@pytest.mark.parametrize("path", ["/metrics", "/metrics?a=b", "/%6detrics", "/./metrics",
                                  "/api/../metrics", "//metrics"])
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
        connection.request("GET", "/health")
        assert connection.getresponse().status == 200  # the address is not the reason


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_only_read(stack, method):
    answer = send(stack, "/metrics", SEED if method == "POST" else None, {}, method)
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.header("Allow") == "GET, HEAD"


def test_without_a_connection(stack, key):
    """The question has its own connection; where it gets none, the worker goes on."""
    stack.psql("alter role sluice_intake connection limit 0")
    try:
        assert_problem(send(stack, "/metrics", None, {}, "GET"), 503, "database_unavailable")
    finally:
        stack.psql("alter role sluice_intake connection limit -1")
    assert metrics_of(stack)["sluice_schema_version", None] > 0
    accepted_id(send(stack, path_of(key)))


def test_again_and_again_on_one_connection(stack):
    with Client(stack.port) as client:
        for _ in range(10):
            assert client.send("/metrics", None, {}, "GET").status == 200
