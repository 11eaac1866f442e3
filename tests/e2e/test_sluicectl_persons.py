"""sluicectl person and retention."""

import json

import pytest

from harness import accepted_id, path_of, send
from sluicectl import USAGE

pytestmark = pytest.mark.first_front

ITEMS = [{"anonymousId": "shy", "n": 1},
         {"anonymousId": "shy", "email": "Jane@Example.com", "n": 2},
         {"userId": "jane@example.com", "n": 3}, {"userId": "karl &c", "n": 4},
         {"email": "john@example.com", "n": 5}, {"anonymousId": "shy", "event": "later", "n": 6}]


@pytest.fixture
def sent(stack, organization):
    """The ids of the items, in their order, of an organization of its own."""
    key = stack.new_key(organization=organization)
    return [accepted_id(send(stack, path_of(key), json.dumps(item).encode())) for item in ITEMS]


def numbers(tool, organization, identity):
    return [signal["payload"]["n"] for signal in tool.json(
        "person", "show", identity, "--organization", organization)["signals"]]


def test_a_person_is_shown(tool, stack, organization, sent):
    """By each identity, with what came before the person was known, and nothing of others."""
    for identity, expected in (("jane@example.com", [1, 2, 3, 6]), ("JANE@EXAMPLE.COM", [1, 2, 6]),
                               ("shy", [1, 2, 6]), ("karl &c", [4]), ("john@example.com", [5]),
                               ("nobody@example.com", [])):
        assert numbers(tool, organization, identity) == expected, identity
    shown, = tool.json("person", "show", "karl &c", "--organization", organization)["signals"]
    assert (shown["id"], shown["user_id"], shown["payload"]) == (sent[3], "karl &c", ITEMS[3])
    assert numbers(tool, stack.organization, "karl &c") == []
    text = tool("person", "show", "john@example.com", "--organization", organization).stdout_text
    assert str(sent[4]) in text and str(sent[3]) not in text
    assert "does not exist" in tool.refused("person", "show", "x", "--organization", "no such")


def test_a_cold_signal_of_a_person_is_shown(tool, organization, stack):
    key = stack.new_key(organization=organization)
    cold = accepted_id(send(stack, path_of(key), b'{"anonymousId":"cold one","s":"\\u0000"}'))
    shown, = tool.json("person", "show", "cold one", "--organization", organization)["signals"]
    assert (shown["id"], shown["payload"]["s"]) == (cold, "\ufffd")


def test_a_person_is_deleted(tool, stack, organization, sent):
    """Signals, what consumers know of them, and who the visitor was; others stay."""
    with stack.connect() as connection, connection.cursor() as cursor:
        claim = "select id from sluice.claim_signals('c', 1, '1 hour', %s)"
        cursor.execute(claim, [organization])
        cursor.execute(claim, [organization])
        cursor.execute("select sluice.finish_signals(%s, 'completed')", [sent[:2]])
    assert tool.json("person", "delete", "jane@example.com", "--organization", organization) == {
        "signals": 4}
    assert numbers(tool, organization, "jane@example.com") == []
    assert numbers(tool, organization, "shy") == []
    assert numbers(tool, organization, "karl &c") == [4]
    gone = [sent[at] for at in (0, 1, 2, 5)]
    for table in ("signal", "signal_cold_storage", "signal_queue", "signal_result"):
        assert stack.psql(f"select id from sluice.{table} where id = any(%s)", gone) == []
    assert stack.psql("select anonymous_id from sluice.identity as i join sluice.organization as o"
                      " on o.id = i.organization_id where o.name = %s", organization) == []
    assert stack.psql("select details, object_id from sluice.audit_log as a"
                      " join sluice.organization as o on o.id = a.organization_id"
                      " where o.name = %s and a.action = 'person_delete'", organization) == [
                          ({"signals": 4}, "")]
    assert tool("person", "delete", "karl &c", "--organization", organization).stdout_text == (
        "deleted 1 signal\n")


# ---- retention ----

def test_retention(tool, stack):
    def kept(listed):
        return {entry["table"]: (entry["keep"], entry["expired"]) for entry in listed}

    before = kept(tool.json("retention", "list")["tables"])
    assert before["signal"] == before["signal_result"] == ("90 days", "drop")
    assert before["delivery"] == ("7 days", None)
    try:
        changed = tool.json("retention", "set", "signal", "--keep", "400d", "--expired",
                            "detach")["tables"]
        assert kept(changed) == {**before, "signal": ("400 days", "detach"),
                                 "signal_result": ("400 days", "detach")}
        forever = tool.json("retention", "set", "signal", "--keep", "forever")["tables"]
        assert kept(forever)["signal"] == (
            None, "detach")
    finally:
        tool("retention", "set", "signal", "--keep", "90d", "--expired", "drop")
    assert kept(tool.json("retention", "list")["tables"]) == before
    details, = stack.psql("select details from sluice.audit_log where action = 'retention_set'"
                          " and object_id = 'signal' order by id desc limit 1")[0]
    assert (details["old_keep"], details["keep"]) == (None, "90 days")


@pytest.mark.parametrize("arguments, message", [
    (["signal", "--keep", "12 fortnights"], "is not a span of time"),
    (["signal", "--keep", "90d", "--expired", "sell"], "--expired must be drop or detach"),
])
def test_retention_is_refused_by_the_tool(tool, arguments, message):
    assert message in tool.refused("retention", "set", *arguments, exits=USAGE)


@pytest.mark.parametrize("arguments, message", [
    (["nothing", "--keep", "90d"], 'table "nothing" has no retention of its own'),
    (["signal_result", "--keep", "90d"], 'table "signal_result" has no retention of its own'),
    (["signal", "--keep", "1h"], "keep must be from 1 day to 100 years"),
    (["delivery", "--keep", "7d", "--expired", "detach"], "has no partitions to detach"),
])
def test_retention_is_refused(tool, arguments, message):
    assert message in tool.refused("retention", "set", *arguments)
