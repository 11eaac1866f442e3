"""The settings' API: who may do what."""

import json

import pytest

from harness import JSON, assert_problem, send
from settings_api import (API, HEADERS, ROLES, ROUTES, basic, get, once_more, path_for, post,
                          token_of)

pytestmark = pytest.mark.settings


@pytest.fixture(scope="module")
def other(stack):
    """Another organization, which none of the users is a member of, with a key."""
    name = "other"
    stack.ctl("organization", "create", name)
    key = stack.new_key(organization=name, name="of the others")
    [(organization,)] = stack.psql("select id from sluice.organization where name = %s", name)
    return {"id": organization, "key": key}


def ask(stack, user, method, path, body, token=None):
    body = once_more(stack, path, body)
    if method == "GET":
        return get(stack, user, path)
    return post(stack, user, path, body, token=token)


@pytest.mark.parametrize("method, path, body, may", ROUTES)
def test_every_route_for_every_role(stack, own, other, method, path, body, may):
    tokens = {user: token_of(stack, user) for user in ROLES}
    before = stack.psql("select count(*) from sluice.api_key where organization_id = %s",
                        other["id"])
    for user in ROLES:
        mine = path_for(own, path)
        answer = ask(stack, user, method, mine, body, tokens[user])
        if user in may:
            created = (method, path) in (("POST", "keys"), ("POST", "keys/{id}/rotate"),
                                         ("POST", "tokens"))
            assert answer.status == (201 if created else 200), (user, answer.body)
        else:
            assert_problem(answer, 403, "role_too_low")
        for name, value in HEADERS.items():
            assert answer.header(name) == value
        if path == "me":
            continue
        # Named, it is the same; another organization, also one that is not there, is not his.
        named = ask(stack, user, method, f"{mine}?organization={own['id']}", body, tokens[user])
        assert named.status == answer.status
        for stranger in (other["id"], 0, 999999999):
            refused = ask(stack, user, method, f"{mine}?organization={stranger}", body,
                          tokens[user])
            assert_problem(refused, 403, "not_a_member")
        if "{id}" in path and user in may:
            theirs = path.format(id=other["key"]["id"])
            assert_problem(ask(stack, user, method, theirs, body, tokens[user]), 404, "not_found")
    assert stack.key_status(other["key"]["id"]) == "active"
    assert before == stack.psql("select count(*) from sluice.api_key where organization_id = %s",
                                other["id"])


@pytest.mark.each_front
@pytest.mark.parametrize("method, path, body, may", ROUTES)
def test_a_stranger_and_nobody(stack, own, method, path, body, may):
    path = path_for(own, path)
    # A member of nothing has no token: with another's he is told that, without one the same.
    if method == "GET":
        problem = assert_problem(get(stack, "sven", path), 403, "not_a_member")
        assert "sven" in problem["detail"] and "sluicectl member add" in problem["detail"]
    else:
        assert_problem(post(stack, "sven", path, body, token="x"), 403, "csrf_refused")
        assert_problem(post(stack, "sven", path, body, token=token_of(stack, "olga")), 403,
                       "csrf_refused")
    data = None if method == "GET" else json.dumps(body).encode()
    for headers in ({}, basic(stack, "olga", "wrong"), basic(stack, "nobody")):
        assert send(stack, API + path, data, {**JSON, **headers}, method).status == 401


def test_a_member_of_several_names_one(stack, own):
    stack.ctl("organization", "create", "second")
    stack.ctl("member", "add", "--organization", "second", "--user", "adam", "--role", "viewer")
    try:
        assert_problem(get(stack, "adam", "statistics"), 400, "organization_missing")
        me = get(stack, "adam", "me").json
        roles = {entry["name"]: (entry["role"], entry["may_manage_keys"])
                 for entry in me["organizations"]}
        assert roles == {stack.organization: ("admin", True), "second": ("viewer", False)}
        second = next(entry["id"] for entry in me["organizations"] if entry["name"] == "second")
        assert_problem(get(stack, "adam", f"keys?organization={second}"), 403, "role_too_low")
        assert get(stack, "adam", f"statistics?organization={second}").status == 200
        assert get(stack, "adam", f"keys?organization={own['id']}").status == 200
    finally:
        stack.ctl("member", "remove", "--organization", "second", "--user", "adam")
    assert get(stack, "adam", "keys").status == 200


def test_a_role_counts_from_the_next_request_on(stack):
    token = token_of(stack, "edith")
    stack.ctl("member", "remove", "--organization", stack.organization, "--user", "edith")
    try:
        assert_problem(get(stack, "edith", "keys"), 403, "not_a_member")
        assert_problem(post(stack, "edith", "keys", {"name": "late"}, token=token), 403,
                       "not_a_member")
        stack.ctl("member", "add", "--organization", stack.organization, "--user", "edith",
                  "--role", "viewer")
        assert_problem(post(stack, "edith", "keys", {"name": "late"}, token=token), 403,
                       "role_too_low")
    finally:
        stack.ctl("member", "remove", "--organization", stack.organization, "--user", "edith",
                  )
        stack.ctl("member", "add", "--organization", stack.organization, "--user", "edith",
                  "--role", "editor")
