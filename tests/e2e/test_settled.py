"""How far what goes by settled_xact() is behind: told to monitoring and by sluicectl check."""

import datetime

import pytest

from consumers import Consumer
from harness import send, wait_for
from postgresql_server import Server
from sluicectl import FINE, Tool
from test_metrics import metrics_of

pytestmark = [pytest.mark.first_front, pytest.mark.database]

AGE = ("sluice_settled_age_seconds", None)
LAG = ("sluice_settled_lag_transactions", None)


def finding(stack):
    found = {each["check"]: each for each in Tool(stack).json("check", exits=FINE)["findings"]}
    return found["oldest_transaction"]["result"], found["oldest_transaction"]["detail"]


def test_a_writing_transaction_of_another_role(stack):
    """Its age is seen though neither the worker's role nor the schema's owner is its own."""
    stack.psql("create role stranger login")
    stack.psql("grant pg_read_all_stats to sluice_owner")  # since version 16 migrate may not
    try:
        with Consumer(stack, user="stranger") as stranger:
            stranger.connection.autocommit = False
            stranger.query("select pg_current_xact_id()")
            for _ in range(5):
                stack.psql("select pg_current_xact_id()")
            first = metrics_of(stack)
            assert first[AGE] > 0 and first[LAG] >= 6
            assert metrics_of(stack)[AGE] > first[AGE], "it gets older"
            stack.psql("revoke pg_read_all_stats from sluice_owner")
            hidden = metrics_of(stack)
            assert hidden[AGE] != hidden[AGE] and hidden[LAG] >= 6, "NaN, and still a number"
            assert finding(stack)[0] == "warning" and "pg_read_all_stats" in finding(stack)[1]
            stack.psql("grant pg_read_all_stats to sluice_owner")
            assert finding(stack) == ("ok", "less than an hour old")
    finally:
        stack.psql("grant pg_read_all_stats to sluice_owner")
        stack.psql("drop role stranger")


def test_a_transaction_of_hours(stack_of_its_own):
    """A prepared one, which survives that the server's clock is moved."""
    stack = stack_of_its_own
    stack.psql("alter system set max_prepared_transactions = 1")
    server = Server(stack)
    now = datetime.datetime.now(datetime.UTC)
    server.move_clock(f"{now:%Y-%m-%d %H:%M:%S}")
    with Consumer(stack, user="postgres") as writer:
        writer.query("begin")
        writer.query("select pg_current_xact_id()")
        writer.query("create table forgotten ()")
        writer.query("prepare transaction 'forgotten'")
    assert finding(stack) == ("ok", "less than an hour old")
    server.move_clock(f"{now + datetime.timedelta(hours=2, minutes=5):%Y-%m-%d %H:%M:%S}")
    result, detail = finding(stack)
    assert result == "warning"
    assert detail.startswith("a transaction that writes has been open for 02:0"), detail
    assert "transactions behind" in detail
    wait_for(lambda: send(stack, "/sluice/health/ready", None, {}, "GET").status == 200,
             "the worker has connected again")
    assert metrics_of(stack)[AGE] > 7200
    stack.psql("rollback prepared 'forgotten'")
    assert finding(stack) == ("ok", "less than an hour old")
