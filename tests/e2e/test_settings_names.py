"""Names of keys: unique within an organization, in whatever case, but for rotated and deactivated
keys."""

import pytest

from harness import assert_problem
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
