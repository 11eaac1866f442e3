"""The walk-through of a newcomer, in one go: keys of every kind, every path, every refusal."""

import json
import time

import pytest

from harness import (JSON, NDJSON, SEED, Load, accepted_id, assert_problem, assert_staged_once,
                     bulk_path, path_of, send, sound_key)
from messages import QUEUED

BULK_ITEMS = 100_000


def bulk_body(count):
    return b"".join(b'{"email":"bulk-%d@example.com","number":%d}\n' % (n, n)
                    for n in range(count))


@pytest.mark.each_front
def test_walkthrough(stack):
    organization = "Walk-through Ltd"
    stack.ctl("organization", "create", organization)
    protected = stack.new_key(organization, "with secret", secret=True,
                              expires="2099-12-31T23:59:59Z")
    plain = stack.new_key(organization, "without secret")
    product = stack.new_product_key(organization=organization, name="product orgs")
    expired = stack.new_expired_key(organization=organization, name="expired")
    assert protected["secret"].startswith("whs_") and plain["secret"] is None
    assert protected["expires_at"] and plain["expires_at"] is None
    assert product["endpoint_type"] == "product_orgs"

    # Good ones: the universal path, a source in the path, a batch, a bulk import.
    with_secret = {**JSON, "X-Api-Secret": protected["secret"]}
    answer = send(stack, path_of(protected), SEED, with_secret)
    ids = [accepted_id(answer)]
    assert answer.json == {"id": ids[0], "source": "generic", "cold_storage": False,
                           "message": QUEUED}
    answer = send(stack, path_of(protected, "website"), SEED, with_secret)
    ids.append(accepted_id(answer))
    assert answer.json["source"] == "website"
    batch = json.dumps([{"email": f"batch-{n}@example.com"} for n in range(3)]).encode()
    answer = send(stack, path_of(protected, end="/batch"), batch, with_secret)
    assert answer.status == 202 and answer.json["accepted"] == 3
    ids += [result["id"] for result in answer.json["results"]]
    assert sorted(stack.ids(protected)) == sorted(ids)
    answer = send(stack, bulk_path(plain), bulk_body(BULK_ITEMS), NDJSON, timeout=120)
    assert answer.status == 202, answer.body
    assert (answer.json["accepted"], answer.json["rejected"]) == (BULK_ITEMS, 0)
    assert stack.rows(plain) == BULK_ITEMS

    # Refusals.
    stack.ctl("key", "deactivate", plain["id"])
    unknown = {"key": sound_key()}
    for key, headers in ((protected, JSON), (protected, {**JSON, "X-Api-Secret": "whs_no"}),
                         (unknown, JSON), (expired, JSON), (plain, JSON)):
        assert_problem(send(stack, path_of(key), SEED, headers), 401, "unauthenticated")
    assert_problem(send(stack, path_of(product)), 403, "wrong_endpoint")
    answer = send(stack, path_of(protected), None, {}, "GET")
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.header("Allow") == "POST"
    problem = assert_problem(send(stack, path_of(protected), b'{"email": oops}', with_secret),
                             400, "malformed_json")
    assert "10" in problem["detail"], "the place of the error is told"
    large = b'{"email":"a@example.com","filler":"%s"}' % (b"x" * (2 << 20))
    assert_problem(send(stack, path_of(protected), large, with_secret), 413, "body_too_large")
    assert stack.rows(protected) == len(ids)
    assert stack.rows(plain) == BULK_ITEMS
    assert stack.rows(product) == stack.rows(expired) == 0


def test_deactivation_during_a_running_load(stack, key):
    """Not one request that started after the deactivation returned is accepted."""
    with Load(stack, path_of(key), senders=16) as load:
        load.wait(300, 202, timeout=120)  # where each request starts a process it takes longer
        stack.ctl("key", "deactivate", key["id"])
        returned = time.monotonic()
        load.wait(200, 401, timeout=120)
    assert load.count(202, 401) == len(load.sent)
    late = [entry.status for entry in load.sent if entry.start > returned]
    assert len(late) >= 100 and set(late) == {401}
    assert_staged_once(stack, key, load)
