"""Runs last: after everything the other tests sent, no log knows a key or a secret."""

import gzip
import json

import pytest

from harness import (JSON, KEY, SECRET, SEED, bulk_path, path_of, send, send_raw, sound_key)


@pytest.mark.each_front
def test_no_credential_in_any_log(stack, keys):
    """After good requests and after every kind of error, ours and the web server's."""
    key, secret = keys["secret"]["key"], keys["secret"]["secret"]
    headers = {**JSON, "X-Api-Secret": secret}
    for body in (SEED, b"{", json.dumps({"writeKey": key, "api_key": secret}).encode(),
                 b'{"email":"%s"}' % key.encode(), b"x" * (2 << 20)):
        send(stack, path_of(keys["secret"]), body, headers)
    for path in (f"/{key}", f"/api/{key}", f"/api/signal-staging/webhook/a/b/{key}",
                 f"/api/signal-staging/webhook/{key}/..%2f..", f"/?key={key}",
                 f"/api/signal-staging/webhook/x?key={key}", f"/health?key={key}",
                 f"/api/signal-staging/webhook/{key}%00"):
        send(stack, path, SEED, headers)
        send(stack, path, None, headers, "GET")
    send(stack, path_of(keys["secret"]), SEED,
         {**headers, "X-Source": secret, "Referer": f"http://x/{key}"})
    send(stack, path_of(keys["secret"], source=secret), SEED, headers)
    send(stack, bulk_path(keys["secret"]), gzip.compress(SEED)[:20], headers)
    unknown = sound_key()
    send(stack, path_of({"key": unknown}))
    send_raw(stack, f"POST {path_of(keys['secret'])} HTTP/1.1\r\nHost: x\r\nBroken\r\n\r\n"
             .encode(), half_close=True)
    send_raw(stack, f"POST {path_of(keys['secret'])} HTTP/1.1\r\nHost: x\r\nContent-Length: 99"
             "\r\n\r\n{".encode(), half_close=True)

    needles = [text.encode() for text in {*stack.credentials, unknown}]
    assert len(needles) > 20
    found = set()
    for file in stack.log_dir.rglob("*"):
        if file.is_file():
            text = file.read_bytes()
            found |= {(file.name, needle) for needle in needles if needle in text}
            found |= {(file.name, match) for pattern in (KEY, SECRET)
                      for match in pattern.findall(text.decode(errors="replace"))}
    assert not found, f"{len(found)} credentials in logs: {sorted(map(str, found))[:5]}"
    lines = (stack.log_dir / "intake.log").read_text(errors="replace").splitlines()
    assert lines, "the log is where it is said to be"
