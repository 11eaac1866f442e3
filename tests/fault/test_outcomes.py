"""What the server says beside and instead of a commit, and whom it blames."""

import contextlib
import json

import psycopg2
import pytest

from harness import SEED, accepted_id, assert_problem, path_of, send, wait_for

TRIGGER = """
create function public.trouble() returns trigger language plpgsql as $$
begin
    if new.email like 'trouble%%' then
        %s
    end if;
    return new;
end $$;
create trigger trouble before insert on sluice.signal for each row execute function public.trouble()
"""
TROUBLE = json.dumps({"email": "trouble@example.com"}).encode()
RECURSES = ("create function public.recurse(n bigint) returns bigint language sql volatile as"
            " $$ select public.recurse(n + 1) $$")


@pytest.fixture
def trouble(module_stack):
    """trouble(statements): a DBA's trigger on the staging table that does this for some rows."""
    stack = module_stack
    stack.psql("set check_function_bodies = off")

    def make(statements):
        stack.psql(RECURSES)
        stack.psql(TRIGGER % statements)
        return stack

    yield make
    stack.psql("drop function public.trouble() cascade")
    stack.psql("drop function public.recurse(bigint)")


@pytest.mark.quick
def test_warning_beside_a_commit(trouble):
    """It is logged; the row is stored, and its sender is told so."""
    stack = trouble("raise warning 'the disk is nearly full';")
    key = stack.new_key()
    accepted_id(send(stack, path_of(key), TROUBLE))
    assert stack.rows(key) == 1
    stack.wait_logged('event="warning from the database"')


@pytest.mark.quick
@pytest.mark.parametrize("statements", [
    "new.user_id := (1 / 0)::text;", "perform public.recurse(1);",
    "raise 'no' using errcode = '22P02';", "raise 'no' using errcode = '22003';",
    "raise 'no';", "new.request_id := null;", "perform 1 from nowhere;",
], ids=["22012", "54001", "raised-22P02", "raised-22003", "P0001", "23502", "42P01"])
def test_trigger_that_fails(trouble, statements):
    """Its sender is not at fault, and repeats; others are not concerned."""
    stack = trouble(statements)
    key = stack.new_key()
    assert_problem(send(stack, path_of(key), TROUBLE), 503)
    accepted_id(send(stack, path_of(key)))
    assert stack.rows(key) == 1
    assert stack.psql("select count(*) from sluice.rejected_payload where key_id = %s",
                      key["id"]) == [(0,)]


@pytest.mark.quick
def test_sequence_that_is_exhausted(module_stack):
    stack = module_stack
    key = stack.new_key()
    accepted_id(send(stack, path_of(key)))
    last, = stack.psql("select last_value, increment_by, max_value from pg_sequences"
                       " where schemaname = 'sluice' and sequencename = 'signal_id'")
    stack.psql(f"alter sequence sluice.signal_id maxvalue {last[0]}")
    try:
        for _ in range(3):
            assert_problem(send(stack, path_of(key)), 503, "database_full")
    finally:
        stack.psql(f"alter sequence sluice.signal_id maxvalue {last[2]}")
    accepted_id(send(stack, path_of(key)))


def take_all(stack, connections):
    with contextlib.suppress(psycopg2.Error):
        while True:
            connections.append(stack.connect())


def test_no_connection_slots(module_stack):
    """All of max_connections are taken by others: the workers come back when one is free."""
    stack = module_stack
    key = stack.new_key()
    others = []
    try:
        take_all(stack, others)
        cursor = others[0].cursor()
        cursor.execute("select pg_terminate_backend(pid) from pg_stat_activity"
                       " where usename = 'sluice_intake'")
        take_all(stack, others)  # that of the worker's backend, too
        wait_for(lambda: send(stack, path_of(key)).status == 503, "the loss is noticed")
        assert_problem(send(stack, path_of(key), SEED), 503, "database_unavailable")
    finally:
        for each in others:
            each.close()
    wait_for(lambda: send(stack, path_of(key)).status == 202, "the worker comes back")
