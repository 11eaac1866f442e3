"""CONTRACT.md, sections 2 and 4: what is read from a body, whatever its label says."""

import pytest

from harness import JSON, SEED, assert_problem, bulk_path, path_of, send

STRICT = {**JSON, "Prefer": "handling=strict"}


def kept(stack, key):
    """[(code, position, kind, bytes)] of what was kept of the key's requests."""
    return [(*row[:3], bytes(row[3])) for row in stack.psql(
        "select code, position, kind, payload from sluice.rejected_payload where key_id = %s"
        " order by id", key["id"])]


# ---- a bad token in an array ----

BAD_TOKENS = {"nan": b'{"v":NaN,"email":"b@b.co"}', "control": b'{"v":"a\nb"}',
              "latin-1": b'{"v":"\xe4"}', "quotes": b"{'v':'x'}", "number": b'{"v":01}',
              "escape": b'{"v":"\\x]}"}'}


@pytest.mark.each_front
@pytest.mark.parametrize("where", ["single", "batch", "envelope", "bulk"])
@pytest.mark.parametrize("item", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_a_bad_token_spoils_one_item(stack, key, where, item):
    path = {"single": path_of(key), "bulk": bulk_path(key)}.get(where, path_of(key, end="/batch"))
    body = b"[" + SEED + b"," + item + b"," + SEED + b"]"
    if where == "envelope":
        body = b'{"batch":' + body + b"}"
    answer = send(stack, path, body)
    assert answer.status == 202
    assert [answer.json[name] for name in ("accepted", "rejected")] == [2, 1]
    errors = [result for result in answer.json["results"] if "error" in result]
    assert [(error["index"], error["error"]["code"]) for error in errors] == [(1, "malformed_json")]
    assert stack.rows(key) == 2
    assert kept(stack, key) == [("malformed_json", 1, "item", item)]


@pytest.mark.parametrize("path", [path_of, bulk_path], ids=["single", "bulk"])
@pytest.mark.parametrize("headers, body", [
    (JSON, b"[" + SEED + b',{"v":[NaN},' + SEED + b"]"),
    (JSON, b"[" + SEED + b",," + SEED + b"]"),
    (STRICT, b"[" + SEED + b',{"v":NaN},' + SEED + b"]"),
], ids=["brackets", "commas", "strict"])
def test_a_broken_structure_refuses_all(stack, key, path, headers, body):
    assert_problem(send(stack, path(key), body, headers), 400, "malformed_json")
    assert stack.rows(key) == 0
    assert [row[:2] for row in kept(stack, key)] == ([] if headers is STRICT
                                                     else [("malformed_json", None)])


def test_bad_tokens_alone_store_nothing(stack, key):
    answer = send(stack, path_of(key), b'[NaN,{"v":01}]')
    assert_problem(answer, 400, "batch_rejected")
    assert [row[3] for row in kept(stack, key)] == [b"NaN", b'{"v":01}']
