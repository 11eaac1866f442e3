"""Requests to the settings' API as one user or another, for its tests."""

import base64
import datetime
import json
import secrets
import urllib.parse

import pytest

from fastcgi_client import STDIN, begin, params, record
from harness import JSON, KEY, SECRET, TOKEN, Answer, path_of, send

API = "/api/settings/"
ROLES = ("olga", "adam", "edith", "vera")  # owner, admin, editor, viewer
EDITORS = ("olga", "adam", "edith")
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
           "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
           "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}


def days_from_now(days):
    when = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


# method, path with {id} (of a key), {reject}, {token}, the body, who may (others' role is too low)
ROUTES = [
    ("GET", "me", None, ROLES),
    ("GET", "keys", None, EDITORS),
    ("POST", "keys", {"name": "made"}, EDITORS),
    ("GET", "keys/{id}", None, EDITORS),
    ("POST", "keys/{id}/edit", {"expires_at": None}, EDITORS),
    ("POST", "keys/{id}/secret", {"action": "rotate", "overlap_seconds": 0}, EDITORS),
    ("GET", "keys/{id}/history", None, EDITORS),
    ("GET", "members", None, EDITORS),
    ("POST", "members", {"user": "vera", "role": "viewer"}, ("olga", "adam")),
    ("POST", "members/role", {"user": "vera", "role": "viewer"}, ("olga", "adam")),
    ("POST", "members/remove", {"user": "walter"}, ("olga", "adam")),
    ("POST", "limit", {}, ("olga",)),
    ("POST", "currency", {"currency": "usd"}, ("olga",)),
    ("POST", "find-key", {"key_hash": "0" * 64}, EDITORS),
    ("GET", "keys/{id}/refusals", None, EDITORS),
    ("GET", "keys/{id}/payload", None, EDITORS),
    ("POST", "keys/{id}/rotate", {}, EDITORS),
    ("POST", "keys/{id}/deactivate", {}, EDITORS),
    ("POST", "templates/try", {"payload_template": {"product_org_id": "id"},
                               "payload": {"id": 1}}, EDITORS),
    ("GET", "statistics", None, ROLES),
    ("GET", "signals", None, ROLES),
    ("GET", "product-orgs", None, ROLES),
    ("GET", "product-org-states", None, ROLES),
    ("GET", "rejects", None, ROLES),
    ("GET", "rejects/{reject}", None, EDITORS),
    ("POST", "rejects/{reject}/try", {}, EDITORS),
    ("POST", "rejects/{reject}/replay", {"payload": '{"email":"a@b.c"}'}, EDITORS),
    ("POST", "rejects/{reject}/discard", {}, EDITORS),
    ("GET", "reject-kinds", None, ROLES),
    ("POST", "replay-rejects", {"code": "not_a_batch", "key_id": 1, "until": 1}, EDITORS),
    ("GET", "usage", None, EDITORS),
    ("GET", "audit", None, EDITORS),
    ("GET", "key-volumes", None, EDITORS),
    ("GET", "tokens", None, EDITORS),
    ("POST", "tokens", {"name": "made", "scopes": ["read"], "expires_at": days_from_now(1)},
     EDITORS),
    ("POST", "tokens/{token}/revoke", {}, EDITORS),
]


def basic(stack, user, password=None):
    pair = f"{user}:{password or stack.env['DEMO_PASSWORD']}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def get(stack, user, path, headers=None):
    return send(stack, API + path, None, {**basic(stack, user), **(headers or {})}, "GET")


class Search:
    """Searches in a list of an organization. An answer is a part, which ends when it has taken long
    enough."""

    def __init__(self, stack, route, organization, rows=None):
        self.stack, self.route, self.organization = stack, route, organization
        self.rows = rows or route.replace("-", "_")

    def part(self, user="vera", **filters):
        """The answer to one request; of from_ the underscore is left out, and a float is a time, so
        many days from now."""
        query = {name.rstrip("_"): days_from_now(value) if isinstance(value, float) else value
                 for name, value in filters.items()}
        return get(self.stack, user, f"{self.route}?" + urllib.parse.urlencode(
            {"organization": self.organization, **query}))

    def answer(self, **filters):
        return self.part(**filters).json

    def parts(self, **filters):
        following = {}
        while following != {"before": None}:
            answer = self.answer(**filters, **following)
            assert (answer["next"] is None) == (answer["searched_until"] is None)
            yield answer
            following = {"before": answer["next"]}

    def all(self, **filters):
        return [row for answer in self.parts(**filters) for row in answer[self.rows]]

    def file(self, form, name, user="vera", first=100, limit=100):
        """A file of that form, put together of its parts; the first has so many rows at most."""
        kinds = {"csv": "text/csv", "ndjson": "application/x-ndjson"}
        text, more = "", {"limit": first}
        while more:
            part = self.part(user, format=form, **more)
            assert part.header("Content-Type").startswith(kinds[form])
            assert f'filename="{name}.{form}"' in part.header("Content-Disposition")
            text += part.body.decode()
            following, until = part.header("Sluice-Next"), part.header("Sluice-Searched-Until")
            assert (following is None) == (until is None)
            more = following and {"before": following, "limit": limit}
        return text


def token_of(stack, user):
    return get(stack, user, "me").json["csrf_token"]


def post(stack, user, path, body=None, headers=None, token=None):
    """body: bytes or what is to become JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    answer = send(stack, API + path, data, {
        **basic(stack, user), **JSON,
        "X-CSRF-Token": token_of(stack, user) if token is None else token, **(headers or {})})
    stack.credentials.update(KEY.findall(answer.body.decode(errors="replace")),
                             SECRET.findall(answer.body.decode(errors="replace")),
                             TOKEN.findall(answer.body.decode(errors="replace")))
    return answer


def new_token(stack, user="olga", scopes=("read",), organization=None, days=1, name="a program"):
    """What the API answers: with the token."""
    path = "tokens" if organization is None else f"tokens?organization={organization}"
    answer = post(stack, user, path, {"name": name, "scopes": list(scopes),
                                      "expires_at": days_from_now(days)})
    assert answer.status == 201, answer.body
    return answer.json


def by_token(stack, token, method, path, body=None, headers=None):
    """A request as programs send it: no cookie, no CSRF token."""
    data = None if method == "GET" else json.dumps(body or {}).encode()
    answer = send(stack, API + path, data,
                  {**(JSON if data else {}), "Authorization": f"Bearer {token}", **(headers or {})},
                  method)
    stack.credentials.update(KEY.findall(answer.body.decode(errors="replace")))
    return answer


def ask_worker(worker, variables, body=b""):
    with worker.talk() as talk:
        talk.write(begin() + params(variables) + record(STDIN, body) * bool(body) + record(STDIN))
        output, ended = talk.read()
    assert ended
    head, _, rest = output.partition(b"\r\n\r\n")
    lines = [line.split(": ", 1) for line in head.decode().split("\r\n")]
    return Answer(int(lines[0][1].split()[0]), [tuple(line) for line in lines], rest)


@pytest.fixture(scope="module")
def own(stack):
    [(organization,)] = stack.psql("select id from sluice.organization where name = %s",
                                   stack.organization)
    sender = stack.new_key(name="sender of a reject")
    send(stack, path_of(sender), b"7")
    [(reject,)] = stack.psql("select id from sluice.rejected_payload where key_id = %s",
                             sender["id"])
    return {"id": organization, "key": stack.new_key(name="own", secret=True), "reject": reject,
            "token": new_token(stack, "edith")["id"]}


def once_more(stack, path, body):
    """The body with which the same request can be made again, after what stands in its way is
    undone: a key with a successor is not rotated again, nor what is no longer open replayed or
    discarded, and no two keys have one name."""
    if "/rotate" in path:
        stack.psql("update sluice.api_key set deactivated_at = now(), deactivated_by = 'a test'"
                   " where successor_of is not null and deactivated_at is null")
    if "rejects/" in path:
        stack.psql("update sluice.rejected_payload set replayed_at = null, replayed_by = null,"
                   " replayed_ids = null, discarded_at = null, discarded_by = null")
    if path.split("?")[0] == "keys" and body:
        return {**body, "name": f"{body['name']} {secrets.token_hex(4)}"}
    return body


def path_for(own, path):
    """A path of ROUTES with the ids of own."""
    return path.format(id=own["key"]["id"], reject=own["reject"], token=own["token"])
