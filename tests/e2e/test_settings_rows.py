"""The settings' API: what came in, statistics and usage."""

import calendar
import datetime
import json
import secrets

import pytest

from harness import assert_problem, org_path, path_of, send
from settings_api import get, post

pytestmark = pytest.mark.settings


def test_the_latest_signals(stack):
    key = stack.new_key(name="latest")
    ids = [send(stack, path_of(key, source="one"), b'{"email":"a@b.c","n":%d}' % n).json["id"]
           for n in range(3)]
    cold = send(stack, path_of(key, source="two"), b'{"n":1e2}').json
    assert cold["cold_storage"]
    page = get(stack, "vera", "signals?limit=2").json
    assert [row["id"] for row in page["signals"]] == [cold["id"], ids[2]]
    assert page["signals"][0]["status"] == "cold_storage"
    page = get(stack, "vera", f"signals?limit=2&before={page['next']}").json
    assert [row["id"] for row in page["signals"]] == [ids[1], ids[0]]
    one = get(stack, "vera", "signals?source=one&status=pending").json
    assert [row["id"] for row in one["signals"]][:3] == ids[::-1]
    assert {row["source"] for row in one["signals"]} == {"one"}
    two = get(stack, "vera", "signals?status=cold_storage&limit=1").json["signals"]
    assert two[0]["id"] == cold["id"]
    assert get(stack, "vera", "signals?source=nowhere").json["signals"] == []
    oldest = get(stack, "vera", "signals?before=0-1").json
    assert oldest["signals"] == [] and oldest["next"] is None
    large = send(stack, path_of(key), b'{"email":"a@b.c","x":"%s"}' % (b"x" * 70000)).json["id"]
    [row] = get(stack, "vera", "signals?limit=1").json["signals"]
    assert row["id"] == large and row["payload"] is None and row["payload_bytes"] > 70000


def test_the_latest_product_orgs(stack):
    template = {"product_org_id": "groupId", "mrr": "mrr", "custom": {"n": "n"},
                "last_active_at": "at"}
    made = post(stack, "olga", "keys", {
        "name": f"orgs {secrets.token_hex(4)}", "endpoint_type": "product_orgs",
        "payload_template": template}).json
    assert made["payload_template"] == template
    for n, mrr in enumerate((100, "a lot")):
        payload = {"groupId": "acme", "mrr": mrr, "n": {"of": n}, "at": "2024-01-15T10:30:00Z"}
        assert send(stack, made["webhook_path"], json.dumps(payload).encode()).status == 202
    newest, older = get(stack, "vera", "product-orgs?limit=2").json["product_orgs"]
    assert older["product_org_id"] == "acme" and older["mrr"] == 100 and older["warnings"] == []
    assert newest["mrr"] is None and newest["warnings"][0]["field"] == "mrr"
    assert newest["custom"] == {"n": {"of": 1}} and newest["key_name"] == made["name"]
    assert newest["last_active_at"] == "2024-01-15T10:30:00Z"
    assert newest["payload"]["mrr"] == "a lot"
    page = get(stack, "vera", "product-orgs?limit=1").json
    assert page["product_orgs"] == [newest] and page["next"] == newest["id"]
    before = get(stack, "vera", f"product-orgs?before={newest['id']}").json
    assert before["product_orgs"][0] == older
    assert page == stack.ctl_json("product-org", "updates", "--organization", stack.organization,
                                  "--limit", 1)


def test_the_states_of_product_orgs(stack):
    key = stack.new_key(name="states", endpoint="product_orgs", template={
        "product_org_id": "id", "name": "name", "mrr": "mrr", "plan_name": "plan"})
    for number, name, mrr in ((1, "One", 100), (2, "Two", 129950), (1, "One Ltd", 129900)):
        body = {"id": f"state-{number}", "name": name, "mrr": mrr, "plan": "=Pro"}
        assert send(stack, org_path(key), json.dumps(body).encode()).status == 202

    def states(query):
        return get(stack, "vera", f"product-org-states?match=state-&{query}")

    whole = states("").json
    assert [(each["product_org_id"], each["name"], each["mrr_amount"], each["currency"])
            for each in whole["product_orgs"]] == [
        ("state-1", "One Ltd", "1299.00", "USD"), ("state-2", "Two", "1299.50", "USD")]
    page = states("limit=1").json
    assert page["product_orgs"] == whole["product_orgs"][:1]
    assert states(f"limit=1&before={page['next']}").json == {
        "product_orgs": whole["product_orgs"][1:], "next": None}
    assert states("plan=none").json == {"product_orgs": [], "next": None}
    assert states("product_org_id=state-2").json["product_orgs"] == whole["product_orgs"][1:]
    history = get(stack, "vera", "product-orgs?product_org_id=state-1").json["product_orgs"]
    assert [(each["name"], each["mrr_amount"]) for each in history] == [
        ("One Ltd", "1299.00"), ("One", "1.00")]
    refused = states("before=nonsense")
    assert refused.status == 400 and refused.json["errors"][0]["place"] == "before"


def test_states_as_a_file(stack):
    key = stack.new_product_key(name="file")
    for number in range(3):
        assert send(stack, org_path(key), json.dumps({"groupId": f"file-{number}"}).encode()
                    ).status == 202
    query = "product-org-states?match=file-&format="
    answer = get(stack, "vera", f"{query}csv&limit=2")
    assert answer.header("Content-Type") == "text/csv; charset=utf-8"
    assert answer.header("Content-Disposition") == 'attachment; filename="product-orgs.csv"'
    lines = answer.body.decode().splitlines()
    assert lines[0].startswith("product_org_id,name,plan_id,") and len(lines) == 3
    rest = get(stack, "vera", f"{query}csv&before={answer.header('Sluice-Next')}")
    told = lines + rest.body.decode().splitlines()
    assert [line.split(",")[0] for line in told[1:]] == ["file-0", "file-1", "file-2"]
    assert rest.header("Sluice-Next") is None
    rows = [json.loads(line) for line in get(stack, "vera", f"{query}ndjson").body.splitlines()]
    listed = stack.ctl_json("product-org", "list", "--organization", stack.organization,
                            "--match", "file-")["product_orgs"]
    assert rows == listed and len(rows) == 3
    assert stack.ctl("product-org", "list", "--organization", stack.organization, "--match",
                     "file-", "--format", "csv").splitlines() == told


def test_the_latest_rejects(stack):
    key = stack.new_key(name="rejects")
    send(stack, path_of(key, end="/batch"), b'[{"email":"a@b.c"}, 5, "<script>\xc3\xa4"]')
    send(stack, path_of(key), b"{\xff\x00" + b"y" * 5000)
    bad, text, number = get(stack, "vera", "rejects?limit=3").json["rejects"]
    assert number["preview"] == "5" and number["position"] == 1
    assert text["preview"] == '"<script>\xe4"' and not text["truncated"]
    assert bad["preview"].startswith("{\\377\\000yyy") and bad["truncated"]
    assert bad["key_name"] == "rejects" and bad["kind"] == "single"
    assert bad["why"] == "The body is not valid JSON"
    assert bad["bad_byte"] == 1 and bad["place"]["bad"] == "\\377"
    assert number["place"] == {"line": 1, "column": 1, "before": "", "bad": "5", "after": ""}
    page = get(stack, "vera", "rejects?limit=1").json
    assert page["next"] == bad["id"]
    assert get(stack, "vera", f"rejects?limit=1&before={bad['id']}").json["rejects"][0] == text


def timestamp(text):
    return datetime.datetime.fromisoformat(text)


@pytest.fixture
def counted(stack):
    """An organization with no other rows: statistics name the most frequent sources only."""
    name = f"Counted {secrets.token_hex(6)}"
    stack.ctl("organization", "create", name)
    stack.ctl("member", "add", "--organization", name, "--user", "vera", "--role", "viewer")
    [(organization,)] = stack.psql("select id from sluice.organization where name = %s", name)
    yield {"name": name, "query": f"organization={organization}"}
    stack.ctl("member", "remove", "--organization", name, "--user", "vera")


def test_statistics_see_what_was_sent_at_once(stack, counted):
    key = stack.new_key(organization=counted["name"], name="statistics")
    path = f"statistics?{counted['query']}"
    before = get(stack, "vera", path).json
    for _ in range(2):
        send(stack, path_of(key, source="counted"),
             b'{"email":"a@b.c","messageId":"m1"}')
    send(stack, path_of(key, source="counted"), b'{"x":1}')
    send(stack, path_of(key, end="/batch"), b'[{"email":"a@b.c"}, 5]')
    for maintained in (False, True):
        after = get(stack, "vera", path).json
        assert after["totals"]["pending"] == before["totals"]["pending"] + 2
        assert after["cold_storage"] == before["cold_storage"] + 1
        assert after["rejected"] == before["rejected"] + 1
        assert after["duplicates"] == before["duplicates"] + 1
        assert after["as_of"] == after["to"] and after["bucket_seconds"] == 3600
        assert sum(entry["signals"] for entry in after["series"] if entry["source"] == "counted") \
            == 2
        if not maintained:
            stack.ctl("maintain")
    for span, seconds, days in (("24h", 3600, 1), ("7d", 3600, 7), ("30d", 86400, 30)):
        told = get(stack, "vera", f"{path}&window={span}").json
        assert told["window"] == span and told["bucket_seconds"] == seconds
        whole = timestamp(told["to"]) - timestamp(told["from"])
        assert whole <= datetime.timedelta(days=days)
        assert whole > datetime.timedelta(days=days) - datetime.timedelta(seconds=seconds)
        for entry in told["series"]:
            moment = timestamp(entry["at"])
            assert moment >= timestamp(told["from"])
            assert calendar.timegm(moment.utctimetuple()) % seconds == 0


def test_usage(stack):
    used = get(stack, "edith", "usage").json
    [told] = stack.ctl_json("usage", "--organization", stack.organization)["usage"]
    assert {name: used[name] for name in
            ("month", "signals", "duplicates", "signal_limit", "overages")} \
        == {name: told[name] for name in
            ("month", "signals", "duplicates", "signal_limit", "overages")}
    months = [entry["month"] for entry in used["months"]]
    assert len(months) == 12 and months == sorted(months, reverse=True)
    assert months[0] == used["month"]


BAD_PARAMETERS = [
    ("statistics?window=1y", "window"), ("statistics?window=", "window"),
    ("signals?limit=0", "limit"), ("signals?limit=101", "limit"), ("signals?limit=x", "limit"),
    ("signals?limit=5&limit=5", "limit"), ("signals?limit=-1", "limit"),
    ("signals?limit=9999999999999999999", "limit"), ("signals?before=-1", "before"),
    ("signals?source=%", "source"), ("rejects?before=x", "before"), ("audit?limit=1e1", "limit"),
    ("keys?organization=x", "organization"), ("keys?organization=1%20or%201", "organization"),
    ("keys?organization=", "organization"),
    ("signals?mail=x", "mail"), ("signals?lim%69t=5", "lim%69t"), ("keys?limit=101", "limit"),
    ("keys?before=x", "before"), ("keys?status=gone", "status"),
    ("keys?endpoint_type=signals", "endpoint_type"), ("members?before=x", "before"),
    ("members?before=6b696e672078", "before"), ("usage?before=2031-13", "before"),
    ("signals?status=lost", "status"), ("me?x", "x"),
]


def test_bad_parameters(stack):
    for path, place in BAD_PARAMETERS:
        problem = assert_problem(get(stack, "olga", path), 400, "invalid_request")
        assert problem["errors"][0]["place"] == place, path
    problem = get(stack, "olga", "signals?mail=x&limit=0&before=y&&status=lost&source=a").json
    assert [(error["place"], error["detail"]) for error in problem["errors"]] == [
        ("mail", "is not known here"), ("limit", "is not a whole number from 1 to 100"),
        ("before", 'is not the "next" of an answer'),
        ("status", ("is none of: pending processing completed failed skipped permanently_failed "
                    "cold_storage"))]
    assert get(stack, "olga", "signals?source=a'b%22;--&status=").status == 200
    for path in ("keys/x", "keys/0", "keys/999999999", "keys/1%2f2", "keys/%2e%2e", "nothing", "",
                 "keys/1/nothing"):
        assert get(stack, "olga", path).status == 404, path
