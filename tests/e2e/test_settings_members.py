"""The members of an organization and its limit, by the settings' API."""

import pytest

from harness import assert_problem
from settings_api import get, post

pytestmark = [pytest.mark.settings, pytest.mark.first_front]


def members(stack, user="olga"):
    return {entry["user"]: entry["role"]
            for entry in get(stack, user, "members").json["members"]}


def test_a_member_comes_changes_and_goes(stack):
    body = {"user": "walter \u202e", "role": "viewer"}
    assert post(stack, "adam", "members", body).json["added_by"] == "adam"
    assert post(stack, "adam", "members", body).status == 200, "the same again"
    again = post(stack, "adam", "members", {**body, "role": "editor"})
    assert "Change the role" in assert_problem(again, 409, "wrong_state")["detail"]
    assert post(stack, "adam", "members/role", {**body, "role": "editor"}).status == 200
    assert members(stack)[body["user"]] == "editor"
    problem = assert_problem(post(stack, "adam", "members/role", {**body, "role": "admin"}), 403,
                             "role_too_low")
    assert problem["detail"].startswith("The owner manages all members")
    assert post(stack, "adam", "members/remove", {"user": body["user"]}).json["removed"] is True
    assert post(stack, "adam", "members/remove", {"user": body["user"]}).json["removed"] is False
    assert body["user"] not in members(stack)
    entries = [entry for entry in get(stack, "olga", "audit").json["entries"]
               if entry["object_id"] == body["user"]]
    assert [entry["action"] for entry in entries] == ["member_remove", "member_role", "member_add"]


def test_the_owner_stays_and_passes_the_ownership_on(stack):
    problem = assert_problem(post(stack, "olga", "members/remove", {"user": "olga"}), 409,
                             "wrong_state")
    assert problem["detail"] == "The owner cannot be removed."
    assert_problem(post(stack, "olga", "members/role", {"user": "olga", "role": "admin"}), 409,
                   "wrong_state")
    try:
        assert post(stack, "olga", "members/role", {"user": "adam", "role": "owner"}).status == 200
        roles = members(stack)
        assert (roles["adam"], roles["olga"]) == ("owner", "admin")
        assert_problem(post(stack, "olga", "limit", {"overages": False}), 403, "role_too_low")
    finally:
        stack.ctl("member", "role", "--organization", stack.organization, "--user", "olga",
                  "--role", "owner")
    roles = members(stack)
    assert (roles["adam"], roles["olga"]) == ("admin", "owner")


WRONG = [("members", {"role": "viewer"}, "user"),
         ("members", {"user": "", "role": "viewer"}, "user"),
         ("members", {"user": "x" * 201, "role": "viewer"}, "user"),
         ("members", {"user": "a\nb", "role": "viewer"}, "user"),
         ("members", {"user": "w", "role": "king"}, "role"),
         ("members", {"user": "w"}, "role"),
         ("members/role", {"user": "vera", "role": 5}, "role"),
         ("members/remove", {"user": "vera", "role": "viewer"}, "role"),
         ("limit", {"signal_limit": -1}, "signal_limit"),
         ("limit", {"signal_limit": "5"}, "signal_limit"),
         ("limit", {"signal_limit": 1.5}, "signal_limit"),
         ("limit", {"overages": 1}, "overages"),
         ("currency", {"currency": "EURO"}, "currency"), ("currency", {"currency": 5}, "currency"),
         ("currency", {}, "currency")]


def test_what_is_wrong_is_named(stack):
    before = members(stack)
    for path, body, place in WRONG:
        problem = assert_problem(post(stack, "olga", path, body), 400, "invalid_request")
        assert [error["place"] for error in problem["errors"]] == [place], (path, body)
    assert_problem(post(stack, "olga", "members/role", {"user": "w", "role": "viewer"}), 404,
                   "not_found")
    assert members(stack) == before


def test_the_owner_sets_the_currency(stack):
    assert get(stack, "edith", "usage").json["currency"] == "USD"
    try:
        assert post(stack, "olga", "currency", {"currency": "jpy"}).json["currency"] == "JPY"
        assert get(stack, "edith", "usage").json["currency"] == "JPY"
        entry = get(stack, "olga", "audit?limit=1").json["entries"][0]
        assert (entry["action"], entry["actor"]) == ("organization_currency", "olga")
        problem = assert_problem(post(stack, "adam", "currency", {"currency": "EUR"}), 403,
                                 "role_too_low")
        assert problem["detail"] == "Only the owner may change the currency."
    finally:
        stack.ctl("organization", "currency", stack.organization, "--currency", "USD")
