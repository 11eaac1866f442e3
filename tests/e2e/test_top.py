"""sluicectl top: is it up, does it keep up, who fails and why."""

import re

import pytest

from harness import JSON, Load, accepted_id, path_of, send, wait_until_equal
from sluicectl import USAGE, Tool

pytestmark = pytest.mark.first_front


def top_of(stack):
    """The tool with the workers' configuration, which says where their counters are."""
    return Tool(stack, SLUICE_CONFIG=stack.env["WORKERS_CONFIG"])


@pytest.fixture
def top(stack):
    return top_of(stack)


def test_one_screen(stack_of_its_own):
    stack = stack_of_its_own  # others have more problems than the screen has room for
    top = top_of(stack)
    key = stack.new_key(name="shown by top", secret=True)
    headers = {**JSON, "X-Api-Secret": key["secret"]}
    with Load(stack, path_of(key), headers=headers) as load:
        load.wait(20, 202)
        for _ in range(3):
            assert send(stack, path_of(key)).status == 401
        wait_until_equal(lambda: stack.psql("select refused_today from sluice.key_health"
                                            " where key_id = %s", key["id"]), [(3,)],
                         "the refusals are stored")
        text = top("top", "--once", "--interval", "1").stdout_text
    assert len(text.splitlines()) <= 24, text
    for pattern in (
            r"up        1 worker, 1 connected to the database; \d+ of 512 slots in use, ",
            r"requests  [1-9]\d*\.\d/s accepted, 0\.0/s refused, 0\.0/s failed; [1-9]\d*\.\d/s ",
            r"requests  .* items stored; half within [\d.]+ m?s, 99 % within [\d.]+ m?s$",
            r"groups    half within [\d.]+ m?s, .* in the database; [1-9]\d*\.\d requests in a",
            r"trouble   [1-9]\d* connections made, 0 unknown commits, ",
            r"database  oldest pending signal [\d.]+ s, product-org update [\d.]+ s; maintained",
            r"unauthenticated +0\.0/s +[1-9]\d*$",
            rf"{key['id']} +shown by top +{stack.organization} +active +3 +secret_missing +20"):
        assert re.search(rf"^{pattern}", text, re.M), (pattern, text)


def test_json(stack, top, key):
    accepted_id(send(stack, path_of(key)))
    found = top.json("top", "--interval", "1")
    assert set(found) == {"service", "database", "keys"} and found["database"] is True
    service = found["service"]
    assert (service["workers"], service["connected"], service["slots"]) == (1, 1, 512)
    assert service["connections"] >= 1 and service["lost_log_lines"] == 0
    for each in service["problems"]:
        assert set(each) == {"code", "per_second", "total"}


def test_it_goes_on_until_it_is_ended(top):
    process, seen = top.start("top", "--interval", "1"), 0
    try:
        for line in process.stdout:
            seen += line.startswith("up  ")
            if seen == 2:
                break
    finally:
        process.kill()
        process.communicate()
    assert seen == 2


def test_without_the_workers_counters(stack):
    """On another host, say: what the database knows is shown all the same."""
    text = Tool(stack, SLUICE_METRICS_FILE="/nowhere")("top", "--once", "--interval",
                                                       "1").stdout_text
    assert "\nup        ? (the workers' counters cannot be read" in text
    assert re.search(r"^database  oldest pending signal [\d.]+ s", text, re.M)


def test_without_the_database(stack):
    tool = Tool(stack, SLUICE_CONFIG=stack.env["WORKERS_CONFIG"], PGHOST="/nowhere")
    done = tool.start("top", "--once", "--interval", "1")
    text = done.communicate(timeout=60)[0]
    assert done.returncode == 0
    assert "\nup        1 worker, 1 connected" in text
    assert "\ndatabase  it cannot be reached\n" in text


@pytest.mark.parametrize("interval", ["0", "-1", "x", "3601", ""])
def test_wrong_intervals(top, interval):
    assert "--interval takes 1 to 3600" in top.refused("top", "--interval", interval, exits=USAGE)
