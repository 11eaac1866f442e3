"""Names of keys: unique within an organization, in whatever case, but for rotated and deactivated
keys."""

import concurrent.futures
import contextlib

import pytest

from harness import assert_problem, wait_for
from settings_api import get, post

pytestmark = [pytest.mark.settings, pytest.mark.first_front]


def taken(answer):
    problem = assert_problem(answer, 409, "name_taken")
    [error] = problem["errors"]
    assert (error["place"], error["code"]) == ("name", "name_taken")
    return error["detail"]


def test_a_name_is_taken_once(stack):
    made = post(stack, "olga", "keys", {"name": "Taken \u00c4"}).json
    assert taken(post(stack, "olga", "keys", {"name": " taken \u00e4  "})) \
        == 'another key is named "taken \u00e4"'
    other = post(stack, "olga", "keys", {"name": "not taken"}).json
    taken(post(stack, "olga", f"keys/{other['id']}/edit", {"name": "TAKEN \u00e4"}))
    assert get(stack, "olga", f"keys/{other['id']}").json["name"] == "not taken"
    assert post(stack, "olga", f"keys/{made['id']}/edit", {"name": "taken \u00e4"}).status == 200
    done = stack.ctl_run("key", "create", "--organization", stack.organization, "--name",
                         "NOT taken")
    assert done.returncode == 1 and 'another key is named "NOT taken"' in done.stderr
    assert "a key that is deactivated frees its own" in done.stderr
    stack.ctl("key", "deactivate", made["id"])
    assert post(stack, "olga", "keys", {"name": "taken \u00c4"}).status == 201
    name = "Names elsewhere"
    stack.ctl("organization", "create", name)
    stack.ctl("key", "create", "--organization", name, "--name", "not taken")


def test_a_successor_has_the_name_of_its_key(stack):
    made = post(stack, "olga", "keys", {"name": "rotated name"}).json
    successor = post(stack, "olga", f"keys/{made['id']}/rotate", {}).json
    assert successor["name"] == "rotated name"
    taken(post(stack, "olga", "keys", {"name": "Rotated Name"}))
    for key in (made, successor):
        assert post(stack, "olga", f"keys/{key['id']}/edit", {"name": "ROTATED name"}
                    ).status == 200
    assert post(stack, "olga", f"keys/{successor['id']}/edit", {"name": "renamed"}).status == 200
    taken(post(stack, "olga", "keys", {"name": "rotated name"}))
    stack.ctl("key", "deactivate", made["id"])
    assert post(stack, "olga", "keys", {"name": "rotated name"}).status == 201


def test_an_expired_key_keeps_its_name(stack):
    stack.new_expired_key(name="expired name")
    taken(post(stack, "olga", "keys", {"name": "expired name"}))


# ---- at the same time ----

def test_of_two_edits_at_once_one_has_the_name(stack):
    ids = [post(stack, "olga", "keys", {"name": f"edited at once {n}"}).json["id"] for n in (1, 2)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for turn in range(10):
            body = {"name": f"wanted by two {turn}"}
            answers = list(pool.map(
                lambda each, body=body: post(stack, "olga", f"keys/{each}/edit", body), ids))
            refused, = (answer for answer in answers if answer.status != 200)
            taken(refused)


def test_a_name_that_a_statement_has_taken_meanwhile(stack):
    """It was not there to be seen when the edit began."""
    ids = [post(stack, "olga", "keys", {"name": f"edited late {n}"}).json["id"] for n in (1, 2)]
    with contextlib.closing(stack.connect()) as other, \
            concurrent.futures.ThreadPoolExecutor(1) as pool:
        other.autocommit = False
        other.cursor().execute("update sluice.api_key set name = 'Taken first' where id = %s",
                               (ids[0],))
        late = pool.submit(post, stack, "olga", f"keys/{ids[1]}/edit", {"name": "taken FIRST"})
        wait_for(lambda: stack.psql("select 1 from pg_stat_activity where wait_event_type = 'Lock'"
                                    " and query ~ 'settings_key_edit'"),
                 "the edit waits for the statement")
        other.commit()
        assert taken(late.result()) == 'another key is named "taken FIRST"'
    assert get(stack, "olga", f"keys/{ids[1]}").json["name"] == "edited late 2"
