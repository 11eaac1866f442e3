"""The lists of the settings' API: in parts, each behind the one before, whatever comes between."""

import datetime
import json

import pytest

from harness import assert_problem, openapi, path_of, send
from settings_api import get, new_token, post

pytestmark = [pytest.mark.settings, pytest.mark.first_front]


def parts(stack, path, name, limit, meanwhile=lambda: None, user="olga"):
    """All entries of a list, part by part; meanwhile() is called behind each part."""
    entries, before = [], ""
    while before is not None:
        page = get(stack, user, f"{path}{'&' if '?' in path else '?'}limit={limit}{before}")
        assert page.status == 200, page.body
        assert len(page.json[name]) == limit or page.json["next"] is None
        entries += page.json[name]
        before = None if page.json["next"] is None else f"&before={page.json['next']}"
        meanwhile()
    return entries


def test_keys_in_parts(stack):
    made = [stack.new_key(name=f"in parts {number}") for number in range(7)]
    late = iter(range(100))
    listed = parts(stack, "keys?match=In%20Parts", "keys", 3,
                   lambda: stack.new_key(name=f"in parts, late {next(late)}"))
    assert [key["id"] for key in listed] == [key["id"] for key in reversed(made)]
    [found] = get(stack, "olga", "keys?match=parts%205").json["keys"]
    assert found["id"] == made[5]["id"]
    assert get(stack, "olga", f"keys/{found['id']}").json == found
    [found] = get(stack, "olga", f"keys?match={made[4]['display'][:7]}&endpoint_type="
                                 "signal_staging").json["keys"][-1:]
    assert found["id"] == made[4]["id"]
    stack.ctl("key", "deactivate", made[3]["id"])
    gone = get(stack, "olga", "keys?match=in%20parts&status=deactivated").json
    assert [key["id"] for key in gone["keys"]] == [made[3]["id"]] and gone["next"] is None
    assert get(stack, "olga", "keys?match=in%20parts&endpoint_type=product_orgs").json \
        == {"keys": [], "next": None}
    assert len(get(stack, "olga", "keys").json["keys"]) <= 50
    assert stack.ctl_json("key", "list", "--organization", stack.organization, "--match",
                          "in parts", "--limit", 2)["keys"] \
        == get(stack, "olga", "keys?match=in%20parts&limit=2").json["keys"]


def test_volumes_in_the_parts_of_the_keys(stack):
    made = [stack.new_key(name=f"volume of many {number}") for number in range(5)]
    for _ in range(2):
        assert send(stack, path_of(made[1]), b'{"email": "a@example.com"}').status == 202
    # Other tests may have stored more than is counted at once.
    stack.psql("update sluice.counted_partition set took = '0', counted_at = '-infinity'")
    while stack.psql("select sluice.count_rows(5000)") != [(0,)]:
        pass
    path = "key-volumes?match=Volume%20Of%20Many"
    listed = parts(stack, path, "volumes", 2)
    assert [each["key_id"] for each in listed] == [key["id"] for key in reversed(made)]
    assert [each["accepted_7_days"] for each in listed] == [0, 0, 0, 2, 0]
    [alone] = get(stack, "olga", f"key-volumes?key={made[1]['id']}").json["volumes"]
    assert alone == listed[3]
    assert get(stack, "olga", path + "&status=expired").json["volumes"] == []
    [tool] = stack.ctl_json("key", "volumes", "--organization", stack.organization, "--key",
                            made[1]["id"])["volumes"]
    assert tool == alone


def test_members_in_parts(stack):
    names = [f"crowd {number} \u00e4\u202e" for number in range(5)]
    for number, name in enumerate(names):
        assert post(stack, "olga", "members", {"user": name, "role": (
            "editor", "viewer")[number % 2]}).json["user"] == name
    try:
        listed = parts(stack, "members", "members", 2)
        assert listed[0]["role"] == "owner"
        ranks = [("owner", "admin", "editor", "viewer").index(each["role"]) for each in listed]
        assert ranks == sorted(ranks)
        users = [each["user"] for each in listed]
        assert len(users) == len(set(users)) and set(names) < set(users)
        crowd = parts(stack, "members?match=CROWD", "members", 2, lambda: stack.psql(
            "delete from sluice.member where user_name = %s", names[0]))
        assert [each["user"] for each in crowd] == [names[number] for number in (0, 2, 4, 1, 3)]
        assert [each["user"] for each in stack.ctl_json(
            "member", "list", "--organization", stack.organization, "--match", "crowd", "--role",
            "viewer")["members"]] == [names[1], names[3]]
    finally:
        stack.psql("delete from sluice.member where user_name like 'crowd%'")


def test_tokens_in_parts(stack):
    made = [new_token(stack, name=f"token in parts {number}") for number in range(4)]
    late = iter(range(100))
    listed = parts(stack, "tokens", "tokens", 3,
                   lambda: new_token(stack, name=f"token in parts, late {next(late)}"))
    ids = [each["id"] for each in listed]
    assert ids == sorted(ids, reverse=True)
    assert ids[:4] == [each["id"] for each in reversed(made)]
    tool = stack.ctl_json("token", "list", "--organization", stack.organization, "--match",
                          "TOKEN in parts ", "--limit", 3)["tokens"]
    assert tool == list(reversed(listed[1:4]))


def test_kinds_of_rejects_in_parts(stack):
    keys = [stack.new_key(name=f"kind in parts {number}") for number in range(5)]
    for number, key in enumerate(keys):
        send(stack, path_of(key, end="/batch"), json.dumps([7] * (number + 2)).encode())
    late = stack.new_key(name="kind in parts, late")

    def meanwhile():
        for key in (keys[0], late):
            send(stack, path_of(key, end="/batch"), json.dumps([7] * 30).encode())
    listed = parts(stack, "reject-kinds", "kinds", 2, meanwhile, "vera")
    kinds = [(each["code"], each["key_id"]) for each in listed]
    assert len(kinds) == len(set(kinds)), "no kind comes twice"
    counts = [each["open"] for each in listed]
    assert counts == sorted(counts, reverse=True)
    mine = {each["key_id"]: each["open"] for each in listed if each["code"] == "not_an_object"}
    assert [mine[key["id"]] for key in keys] == [2, 3, 4, 5, 6] and late["id"] not in mine
    again = get(stack, "vera", "reject-kinds?limit=100").json["kinds"]
    assert {keys[0]["id"], late["id"]} <= {each["key_id"] for each in again if each["open"] > 30}


def test_a_history_in_parts(stack):
    key = stack.new_key(name="history 0")
    for number in range(1, 6):
        assert post(stack, "olga", f"keys/{key['id']}/edit",
                    {"name": f"history {number}"}).status == 200
    listed = parts(stack, f"keys/{key['id']}/history", "entries", 4)
    assert [entry["details"].get("new", {}).get("name") for entry in listed] \
        == [*(f"history {number}" for number in range(5, 0, -1)), None]
    tool = stack.ctl_json("key", "history", key["id"], "--limit", 4)
    assert tool["entries"] == listed[:4] and tool["next"] == listed[3]["id"]
    assert stack.ctl_json("key", "history", key["id"], "--before", tool["next"])["entries"] \
        == listed[4:]


def test_usage_in_parts(stack):
    today = datetime.datetime.now(datetime.UTC).date()
    first = (today.year - 2, today.month)
    try:
        stack.psql("insert into sluice.usage_month (organization_id, month, signals, duplicates)"
                   " select id, make_date(%s, %s, 1), 7, 1 from sluice.organization"
                   " where name = %s", *first, stack.organization)
        months = parts(stack, "usage", "months", 10)
    finally:
        stack.psql("delete from sluice.usage_month where signals = 7 and duplicates = 1")
    names = [each["month"] for each in months]
    assert names == sorted(set(names), reverse=True) and names[0] == f"{today:%Y-%m}"
    assert months[24] == {"month": f"{first[0]}-{first[1]:02}", "signals": 7, "duplicates": 1}


def test_each_list_takes_a_limit_and_tells_what_is_next():
    """Whatever answers an array of the organization's own answers it in parts."""
    whole = {"/api/settings/me",  # a user's own organizations
             "/api/settings/keys/{id}/refusals",  # one for each reason
             "/api/settings/statistics"}  # hours or days of its window
    document = openapi.document()
    for path, item in document["paths"].items():
        if not path.startswith("/api/settings/") or "get" not in item or path in whole:
            continue
        taken = {each.get("$ref", "").rsplit("/", 1)[-1] or each["name"] for each in
                 item.get("parameters", []) + item["get"].get("parameters", [])}
        answer = item["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        answer = openapi.resolve(answer)
        arrays = [name for name, value in answer.get("properties", {}).items()
                  if value.get("type") == "array"]
        assert not arrays or ({"limit", "before"} <= taken and "next" in answer["required"]), path


def test_a_part_of_another_list_is_refused(stack):
    for path in ("members?before=00", "members?before=zz", "reject-kinds?before=7",
                 "reject-kinds?before=1-2-x"):
        problem = assert_problem(get(stack, "olga", path), 400, "invalid_request")
        assert problem["errors"][0]["place"] == "before"
