"""A body that stops, or does not end: each web server answers as the table of deploy/README.md
says. All of them at once, because they wait."""

import concurrent.futures
import re

import pytest

import harness

COLUMNS = {"lighttpd": "lighttpd", "apache": "apache", "nginx": "nginx",
           "apache-fcgid": "apache-fcgid", "cgi (lighttpd)": "cgi", "cgi (Apache)": "cgi-apache"}
CONTENT_TYPES = {"HTML": "text/html", "problem": "application/problem+json"}
# Larger than what a server may still read after its answer.
MANY, LINE = 420, b'{"email":"a@b.co","filler":"' + 1_000_000 * b"x" + b'"}\n'


def row(title):
    """{front: (status, None if it closes the connection; the answer's form, None if not said)}"""
    text = (harness.ROOT / "deploy" / "README.md").read_text()
    head = re.search(r"^\| \| (lighttpd \| .*) \|$", text, re.M).group(1).split(" | ")
    cells = re.search(rf"^\| {title} \| (.*) \|$", text, re.M).group(1).split(" | ")
    found = {}
    for column, cell in zip(head, cells, strict=True):
        status = re.search(r"\b[45]\d\d\b", cell)
        form = re.search(r"HTML|problem", cell)
        found[COLUMNS[column]] = (int(status.group()) if status else None,
                                  form.group() if form else None)
    return found


def send(stack, path, length, *pieces):
    """(status, content type) of the answer to a POST; (None, "") without one."""
    head = (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Content-Type: application/x-ndjson\r\n{length}\r\n\r\n").encode()
    received = harness.send_raw(stack, head, *pieces, timeout=50.0)
    content_type = re.search(rb"\r\nContent-Type: ([^\r;]+)", received)
    return harness.status_of(received), content_type.group(1).decode() if content_type else ""


@pytest.fixture(scope="module")
def stacks():
    with concurrent.futures.ThreadPoolExecutor() as pool:
        made = dict(zip(harness.ALL_FRONTS, pool.map(harness.Stack, harness.ALL_FRONTS),
                        strict=True))
    try:
        yield made
    finally:
        for stack in made.values():
            stack.close()


def assert_answers(stacks, title, request):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        pending = {front: pool.submit(request, stack, stack.new_key())
                   for front, stack in stacks.items()}
    answers = {front: answer.result() for front, answer in pending.items()}
    for front, (status, form) in row(title).items():
        assert answers[front][0] == status, answers
        assert form is None or answers[front][1] == CONTENT_TYPES[form], answers


@pytest.mark.parametrize("path_of", [harness.path_of, harness.bulk_path])
def test_body_that_stops(stacks, path_of):
    assert_answers(stacks, "sender stops in mid-body", lambda stack, key: send(
        stack, path_of(key), "Content-Length: 100", b'{"email":'))


def test_chunks_without_an_end(stacks):
    """No web server keeps more of them than of an announced body."""
    chunks = MANY * [b"%x\r\n%s\r\n" % (len(LINE), LINE)]
    assert_answers(stacks, "over 300 MiB in chunks", lambda stack, key: send(
        stack, harness.bulk_path(key), "Transfer-Encoding: chunked", *chunks, b"0\r\n\r\n"))
