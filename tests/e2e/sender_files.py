"""The corpus of senders: what a file of senders/ says. tests/README.md describes the form."""

import email
import json
import pathlib
import re
import urllib.parse
from dataclasses import dataclass, field

PLACE = pathlib.Path(__file__).resolve().parent / "senders"
WARM = ("source", "event_type", "event_name", "email", "user_id", "anonymous_id",
        "product_user_id", "crm_id", "marketing_automation_id", "phone", "product_org_id",
        "message_id")
ORG = ("product_org_id", "name", "plan_id", "plan_name", "user_count", "mrr", "trial_status",
       "last_active_at", "feature_flags", "custom", "message_id")
STORAGE = {"warm": WARM, "cold": WARM, "org": ORG}


@dataclass
class Row:
    """What one item becomes: where it is stored, how often when it is sent twice, and its columns
    as text; those that are not named are null."""

    storage: str
    times: int
    columns: dict = field(default_factory=dict)


@dataclass
class Request:
    title: str
    path: str
    headers: list
    body: bytes
    rows: list
    options: dict  # items: a batch's member; unwrap: the field of a form that is what was sent

    def content_type(self):
        return dict(self.headers).get("Content-Type", "")

    def payloads(self):
        """The items that the sender sent, and what stood beside them."""
        content_type = self.content_type()
        if content_type.startswith("application/x-www-form-urlencoded"):
            sent = as_object(urllib.parse.parse_qsl(self.body.decode(), keep_blank_values=True))
        elif content_type.startswith("multipart/form-data"):
            sent = as_object(parts(content_type, self.body))
        elif content_type == "application/x-ndjson":
            sent = [json.loads(line) for line in self.body.splitlines()]
        else:
            sent = json.loads(self.body)
        if "unwrap" in self.options:
            sent = json.loads(sent[self.options["unwrap"]])
        if "items" in self.options:
            return sent.pop(self.options["items"]), sent or None
        return (sent, None) if isinstance(sent, list) else ([sent], None)


@dataclass
class Sender:
    name: str  # of the file
    title: str  # in the table of README.md
    options: dict  # delivery-id, template
    requests: list


def as_object(pairs):
    """A form's fields; a name that is repeated has a list."""
    found = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def parts(content_type, body):
    message = email.message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n"
                                       + body)
    return [(part.get_param("name", header="Content-Disposition"),
             part.get_payload(decode=True).decode()) for part in message.get_payload()]


def options_of(text):
    return dict(re.findall(r"^# @([\w-]+) (.+)$", text, re.M))


def body_of(text, headers):
    """As it is sent: a form's lines are one, a multipart's end as RFC 2046 has it."""
    content_type = dict(headers).get("Content-Type", "")
    if content_type.startswith("application/x-www-form-urlencoded"):
        text = text.replace("\n", "")
    elif content_type.startswith("multipart/"):
        text = text.replace("\n", "\r\n") + "\r\n"
    return text.encode()


def row_of(text):
    head, *lines = text.strip().split("\n")
    storage, times = re.fullmatch(r"(warm|cold|org), (once|twice)", head).groups()
    columns = dict(re.fullmatch(r"(\w+): (.+)", line).groups() for line in lines)
    unknown = set(columns) - {*STORAGE[storage], "occurred_at", "warnings"}
    assert not unknown, f"no column of {storage} rows: {unknown}"
    return Row(storage, {"once": 1, "twice": 2}[times], columns)


def request_of(text, title):
    text, *rows = re.split(r"^>>> ", text, flags=re.M)
    head, _, body = text[re.search(r"^POST ", text, re.M).start():].partition("\n\n")
    first, *headers = head.split("\n")
    headers = [tuple(line.split(": ", 1)) for line in headers]
    assert rows, f"{title}: no row is expected"
    return Request(title, first.removeprefix("POST "), headers,
                   body_of(body.removesuffix("\n\n"), headers), [row_of(row) for row in rows],
                   options_of(text))


def sender_of(file):
    head, *sections = re.split(r"^### (.+)\n", file.read_text(), flags=re.M)
    requests = [request_of(text, title)
                for title, text in zip(sections[::2], sections[1::2], strict=True)]
    title = re.match(r"# (.+)\n", head).group(1)
    return Sender(file.stem, title, options_of(head), requests)


def senders():
    return [sender_of(file) for file in sorted(PLACE.glob("*.http"))]
