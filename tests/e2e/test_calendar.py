"""Midnight and the end of a month, with the database server's clock moved (libfaketime)."""

import json

import pytest

from harness import NoAnswer, accepted_id, assert_problem, path_of, send, wait_for
from postgresql_server import Server

pytestmark = [pytest.mark.first_front, pytest.mark.database, pytest.mark.slow]


def post(stack, key, **members):
    return send(stack, path_of(key), json.dumps({"email": "a@example.com", **members}).encode())


def ready(stack):
    """The worker has found the server again."""
    def healthy():
        try:
            return send(stack, "/sluice/health", None, {}, "GET").status == 200
        except (NoAnswer, OSError):
            return False
    wait_for(healthy, "the worker is connected")


def usage(stack, month):
    found = stack.ctl_json("usage", "--organization", stack.organization, "--month", month)[
        "usage"][0]
    return found["signals"], found["duplicates"]


def test_midnight_at_the_end_of_the_year(stack_of_its_own):
    stack = stack_of_its_own
    key = stack.new_key(name="calendar")
    server = Server(stack)
    server.move_clock("2031-12-31 23:30:00")  # half an hour for what is to happen before midnight
    ready(stack)
    assert stack.psql("select (now() at time zone 'UTC')::date::text") == [("2031-12-31",)]
    first = accepted_id(post(stack, key, messageId="over midnight"))
    accepted_id(post(stack, key))
    # No partition is that far ahead: nothing is lost, and maintenance makes it.
    assert stack.psql("select count(*) from sluice.signal_default") == [(2,)]
    stack.ctl("maintain")
    assert stack.psql("select count(*) from sluice.signal_p2031_12_31") == [(2,)]
    assert usage(stack, "2031-12") == (2, 0)
    stack.ctl("organization", "limit", stack.organization, "--signals", 2)
    assert_problem(post(stack, key, messageId="too many"), 429, "limit_reached")
    again = post(stack, key, messageId="over midnight")
    assert again.json["id"] == first and again.json["duplicate"] is True

    server.move_clock("2032-01-01 00:00:01")
    ready(stack)
    again = post(stack, key, messageId="over midnight")
    assert again.json["id"] == first and again.json["duplicate"] is True
    assert usage(stack, "2032-01") == (0, 1) and usage(stack, "2031-12") == (2, 1)
    accepted_id(post(stack, key, messageId="too many"))
    accepted_id(post(stack, key))
    assert_problem(post(stack, key), 429, "limit_reached")
    assert usage(stack, "2032-01") == (2, 1)
    assert stack.psql("select count(*) from sluice.signal_p2032_01_01") == [(2,)]

    # A week later the ledger forgets, and what minutes had counted is in the months.
    server.move_clock("2032-01-08 12:00:00")
    ready(stack)
    stack.ctl("organization", "limit", stack.organization, "--signals", 0)
    stack.ctl("maintain")
    assert stack.psql("select count(*) from sluice.usage_delta") == [(0,)]
    assert usage(stack, "2032-01") == (2, 1) and usage(stack, "2031-12") == (2, 1)
    assert accepted_id(post(stack, key, messageId="over midnight")) != first
    assert stack.rows(key) == 5
