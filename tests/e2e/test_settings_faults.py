"""What is wrong with a request to the settings' API, for programs: the code of each fault."""

import pytest

from harness import assert_problem, openapi
from settings_api import get, post

pytestmark = [pytest.mark.settings, pytest.mark.first_front]

GETS = [("keys?lim=5", "lim", "unknown"), ("keys?limit=5&limit=5", "limit", "repeated"),
        ("keys?limit=0", "limit", "out_of_range"), ("keys?before=x", "before", "wrong_type"),
        ("keys?status=gone", "status", "not_a_choice"),
        ("usage?before=May", "before", "wrong_type"),
        ("signals?from=soon", "from", "wrong_type"), ("signals?text=x", "text", "invalid_value"),
        ("keys?organization=x", "organization", "wrong_type")]
POSTS = [("keys", {"nam": "x", "name": "x"}, "nam", "unknown"),
         ("keys", b'{"name":"x","name":"y"}', "name", "repeated"),
         ("keys", {"name": 5}, "name", "wrong_type"), ("keys", {}, "name", "invalid_value"),
         ("keys", {"name": "x", "expires_at": 5}, "expires_at", "wrong_type"),
         ("keys", {"name": "x", "expires_at": "soon"}, "expires_at", "invalid_value"),
         ("keys", {"name": "x", "networks": "::"}, "networks", "wrong_type"),
         ("keys", {"name": "x", "networks": ["x"]}, "networks", "invalid_value"),
         ("members", {"user": "x"}, "role", "missing"),
         ("members", {"user": "x", "role": "king"}, "role", "invalid_value"),
         ("keys/{id}/rotate", {"overlap_seconds": -1}, "overlap_seconds", "out_of_range"),
         ("templates/try", {"payload": {}}, "payload_template", "missing")]


def test_each_fault_has_its_code(stack):
    key = stack.new_key(name="faults")
    answers = [(get(stack, "olga", path), place, code) for path, place, code in GETS]
    answers += [(post(stack, "olga", path.format(**key), body), place, code)
                for path, body, place, code in POSTS]
    for answer, place, code in answers:
        [fault] = assert_problem(answer, 400, "invalid_request")["errors"]
        assert (fault["place"], fault["code"]) == (place, code), fault
    # The one that is left is that of another status: see test_settings_names.py.
    told = {code for _, _, code in answers}
    assert told | {"name_taken"} == set(
        openapi.document()["components"]["schemas"]["FaultCode"]["enum"])
