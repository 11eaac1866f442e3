"""CONTRACT.md, section 2: the same answer in whatever form of HTTP a request comes.

REQUESTS is one table of raw requests with the one right answer; DIFFERENT has what a front answers
instead, as deploy/README.md says.
"""

import re
import subprocess

import pytest

from harness import (NEEDS_LENGTH, SEED, VARIANT, bulk_path, path_of, send_raw, sound_key,
                     status_of, status_over_http2)

KIB = 1 << 10
LENGTH = f"Content-Length: {len(SEED)}"
JSON = "Content-Type: application/json"
CLOSE = "Connection: close"
PATH = "/api/signal-staging/webhook/{key}"
CHUNKED = "Transfer-Encoding: chunked"


def request(*lines, target=PATH, method="POST", version="1.1", body=SEED, host="Host: localhost"):
    """A request that ends its connection."""
    first = f"{method} {target} HTTP/{version}"
    return "\r\n".join([first, *([host] if host else []), *lines, CLOSE, "", ""]).encode() + body


def chunks(*pieces, trailer=b""):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + \
        b"0\r\n" + trailer + b"\r\n"


def headers_of(count, size):
    return [f"X-Filler-{at}: {'x' * (size - 14)}" for at in range(count)]


REQUESTS = {
    # The target.
    "origin form": (request(JSON, LENGTH), 202),
    "absolute form": (request(JSON, LENGTH, target="http://localhost" + PATH), 202),
    "absolute form, another host": (request(JSON, LENGTH, target="http://x.example" + PATH), 202),
    "absolute form, port": (request(JSON, LENGTH, target="http://localhost:8080" + PATH,
                                    host="Host: localhost:8080"), 202),
    "absolute form, HTTP": (request(JSON, LENGTH, target="HTTP://localhost" + PATH), 202),
    "absolute form, https": (request(JSON, LENGTH, target="https://localhost" + PATH), 202),
    "absolute form, query": (request(JSON, LENGTH, target="http://localhost" + PATH + "?a=b"), 202),
    "absolute form, no path": (request(JSON, LENGTH, target="http://localhost"), 404),
    "absolute form, unknown path": (request(
        JSON, LENGTH, target="http://localhost/api/product-orgs/x"), 404),
    "absolute form, GET": (request(target="http://localhost" + PATH, method="GET", body=b""), 405),
    "slash": (request(JSON, LENGTH, target=PATH + "/"), 202),
    "query": (request(JSON, LENGTH, target=PATH + "?a=%zz&b=/../"), 202),
    "query of 3 KiB": (request(JSON, LENGTH, target=PATH + "?" + 3 * KIB * "q"), 202),
    "query of 7 KiB": (request(JSON, LENGTH, target=PATH + "?" + 7 * KIB * "q"), 202),
    "query of 100 KiB": (request(JSON, LENGTH, target=PATH + "?" + 100 * KIB * "q"), 414),
    "path of 3 KiB": (request(JSON, LENGTH, target="/api/product-orgs/" + 3 * KIB * "p"), 404),
    "two slashes": (request(JSON, LENGTH, target="/" + PATH), 404),
    "encoded key": (request(JSON, LENGTH, target=PATH.replace("{key}", "%73k_{rest}")), 202),
    "fragment": (request(JSON, LENGTH, target=PATH + "#x"), 401),
    "asterisk": (request(target="*", method="OPTIONS", body=b""), 200),
    "no target": (b"POST  HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400),
    # The version.
    "HTTP/1.0": (request(JSON, LENGTH, version="1.0"), 202),
    "HTTP/1.0 without a host": (request(JSON, LENGTH, version="1.0", host=None), 202),
    "HTTP/1.0, no length": (request(JSON, version="1.0", body=b""), 400),
    "HTTP/1.0, keep-alive": (request(JSON, LENGTH, version="1.0").replace(
        b"Connection: close", b"Connection: keep-alive"), 202),
    "HTTP/1.1 without a host": (request(JSON, LENGTH, host=None), 400),
    "HTTP/1.1, two hosts": (request(JSON, LENGTH, "Host: other"), 400),
    "HTTP/1.1, empty host": (request(JSON, LENGTH, host="Host:"), 400),
    "HTTP/1.1, host with port": (request(JSON, LENGTH, host="Host: hooks.example.com:8443"), 202),
    "HTTP/1.1, IPv6 host": (request(JSON, LENGTH, host="Host: [::1]:80"), 202),
    "HTTP/1.9": (request(JSON, LENGTH, version="1.9"), 202),
    "HTTP/3.0": (request(JSON, LENGTH, version="3.0"), 505),
    "version in lower case": (request(JSON, LENGTH).replace(b" HTTP/1.1", b" http/1.1"), 400),
    # The method.
    "GET": (request(method="GET", body=b""), 405),
    "HEAD": (request(method="HEAD", body=b""), 405),
    "OPTIONS": (request(method="OPTIONS", body=b""), 405),
    "PUT": (request(JSON, LENGTH, method="PUT"), 405),
    "PATCH": (request(JSON, LENGTH, method="PATCH"), 405),
    "DELETE": (request(method="DELETE", body=b""), 405),
    "TRACE": (request(method="TRACE", body=b""), 405),
    "POST in lower case": (request(JSON, LENGTH, method="post"), 405),
    "HEAD of health": (request(method="HEAD", target="/sluice/health", body=b""), 200),
    "HEAD of metrics": (request(method="HEAD", target="/sluice/metrics", body=b""), 200),
    "POST to health": (request(JSON, LENGTH, target="/sluice/health"), 405),
    "OPTIONS of health": (request(method="OPTIONS", target="/sluice/health", body=b""), 405),
    "OPTIONS of a browser": (request("Origin: https://example.com",
                                     "Access-Control-Request-Method: POST",
                                     method="OPTIONS", body=b""), 405),
    # The length.
    "length 0": (request(JSON, "Content-Length: 0", body=b""), 400),
    "no length": (request(JSON, body=b""), 400),
    "length with zeros": (request(JSON, f"Content-Length: 000{len(SEED)}"), 202),
    "length with blanks": (request(JSON, f"Content-Length:   {len(SEED)}  "), 202),
    "length with a plus": (request(JSON, f"Content-Length: +{len(SEED)}"), 400),
    "negative length": (request(JSON, "Content-Length: -1"), 400),
    "hexadecimal length": (request(JSON, "Content-Length: 0x10"), 400),
    "length with a fraction": (request(JSON, f"Content-Length: {len(SEED)}.0"), 400),
    "empty length": (request(JSON, "Content-Length:", body=b""), 400),
    "length of 30 digits": (request(JSON, "Content-Length: " + 30 * "9"), 400),
    "same length twice": (request(JSON, LENGTH, LENGTH), 400),
    "two lengths": (request(JSON, LENGTH, "Content-Length: 5"), 400),
    "list of one length": (request(JSON, f"{LENGTH}, {len(SEED)}"), 400),
    "length too short": (request(JSON, f"Content-Length: {len(SEED) - 2}"), 400),
    "length over every limit": (request(JSON, "Content-Length: 400000000"), 413),
    "length and chunks": (request(JSON, LENGTH, CHUNKED, body=chunks(SEED)), 400),
    # Chunks and trailers.
    "one chunk": (request(JSON, CHUNKED, body=chunks(SEED)), 202),
    "chunks": (request(JSON, CHUNKED, body=chunks(SEED[:10], SEED[10:11], SEED[11:])), 202),
    "no chunk": (request(JSON, CHUNKED, body=chunks()), 400),
    "chunk extension": (request(JSON, CHUNKED, body=chunks(SEED).replace(
        b"\r\n", b";a=b\r\n", 1)), 202),
    "trailer": (request(JSON, CHUNKED, "Trailer: X-Sum", body=chunks(
        SEED, trailer=b"X-Sum: 1\r\n")), 202),
    "trailer with a secret": (request(JSON, CHUNKED, body=chunks(
        SEED, trailer=b"X-Api-Secret: whs_x\r\nContent-Length: 3\r\n")), 202),
    "chunk size in upper case": (request(JSON, CHUNKED, body=b"%X\r\n%s\r\n0\r\n\r\n" % (
        len(SEED), SEED)), 202),
    "chunk size with zeros": (request(JSON, CHUNKED, body=b"000%x\r\n%s\r\n0\r\n\r\n" % (
        len(SEED), SEED)), 202),
    "bad chunk size": (request(JSON, CHUNKED, body=b"zz\r\n{}\r\n0\r\n\r\n"), 400),
    "Chunked in upper case": (request(JSON, "Transfer-Encoding: CHUNKED", body=chunks(SEED)), 202),
    "chunks in HTTP/1.0": (request(JSON, CHUNKED, version="1.0", body=chunks(SEED)), 400),
    "chunked twice": (request(JSON, CHUNKED, CHUNKED, body=chunks(SEED)), 400),
    "identity": (request(JSON, LENGTH, "Transfer-Encoding: identity"), 400),
    # Expectations.
    "Expect": (request(JSON, LENGTH, "Expect: 100-continue"), 202),
    "Expect, upper case": (request(JSON, LENGTH, "Expect: 100-Continue"), 202),
    "Expect, no body": (request(JSON, "Content-Length: 0", "Expect: 100-continue", body=b""), 400),
    "Expect something else": (request(JSON, LENGTH, "Expect: x"), 417),
    # Headers.
    "two types": (request(JSON, "Content-Type: text/plain", LENGTH), 202),
    "a type twice": (request(JSON, JSON, LENGTH), 202),
    "header without a value": (request(JSON, LENGTH, "X-Empty:"), 202),
    "header with a blank before the colon": (request(JSON, LENGTH, "X-Blank : 1"), 400),
    "folded header": (request(JSON, LENGTH, "X-Folded: a\r\n b"), 202),
    "header with a control character": (request(JSON, LENGTH, "X-Control: a\x01b"), 400),
    "header in UTF-8": (request(JSON, LENGTH, "X-Text: \u00e4"), 202),
    "header without a colon": (request(JSON, LENGTH, "nothing"), 400),
    "upgrade to h2c": (request(JSON, LENGTH, "Upgrade: h2c",
                               "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"), 202),
    "headers of 5 KiB": (request(JSON, LENGTH, *headers_of(5, KIB)), 202),
    "12 headers of 1 KiB": (request(JSON, LENGTH, *headers_of(12, KIB)), 202),
    "a header of 6 KiB": (request(JSON, LENGTH, *headers_of(1, 6 * KIB)), 202),
    "a header of 64 KiB": (request(JSON, LENGTH, *headers_of(1, 64 * KIB)), 431),
    "17 headers of 8,000 bytes": (request(JSON, LENGTH, *headers_of(17, 8000)), 431),
    "2,000 headers": (request(JSON, LENGTH, *headers_of(2000, 80)), 431),
    # Line ends.
    "LF alone": (request(JSON, LENGTH).replace(b"\r\n", b"\n"), 400),
    "an empty line before": (b"\r\n" + request(JSON, LENGTH), 202),
}


# What the web servers answer themselves, in their own way; deploy/README.md lists these.
LIGHTTPD, APACHE = ("lighttpd", "cgi"), ("apache", "apache-fcgid", "cgi-apache")


def on(fronts, status):
    return dict.fromkeys(fronts, status)


NGINX = ("nginx",)
DIFFERENT = {
    "absolute form, another host": on(LIGHTTPD, 400),
    "absolute form, no path": {**on(LIGHTTPD, 400), **on(NGINX, 403)},
    "query of 100 KiB": on(LIGHTTPD, 431),
    "fragment": on(APACHE, 400),
    "asterisk": on(NGINX, 400),
    "HTTP/1.0, no length": on(LIGHTTPD, 411),
    "HTTP/1.9": on(LIGHTTPD, 505),
    "HTTP/3.0": on(APACHE, 202),
    "POST in lower case": {**on(LIGHTTPD, 501), **on(NGINX, 400)},
    "no length": on(LIGHTTPD, 411),
    "empty length": on(LIGHTTPD, 411),
    "length and chunks": on(APACHE, 202),
    "chunks in HTTP/1.0": on(APACHE, 202),
    "chunked twice": on(LIGHTTPD + APACHE, 202),
    "identity": on(LIGHTTPD + NGINX, 501),
    "Expect something else": on(LIGHTTPD + NGINX, 202),
    "two types": on(LIGHTTPD, 400),
    "folded header": on(NGINX, 400),
    "header with a control character": on(NGINX, 202),
    "header without a colon": on(NGINX, 202),
    "12 headers of 1 KiB": on(LIGHTTPD, 431),
    "a header of 64 KiB": on(APACHE, 400),
    "17 headers of 8,000 bytes": {"apache-fcgid": 500},
    "2,000 headers": on(APACHE, 400),
    "LF alone": on(NGINX, 202),
    "an empty line before": on(LIGHTTPD, 400),
}


def expected_of(front, name):
    data, status = REQUESTS[name]
    if front in NEEDS_LENGTH and b"\r\ntransfer-encoding: chunked\r\n" in data.lower():
        return 411
    return DIFFERENT.get(name, {}).get(front, status)


def answer_of(stack, key, name):
    data = REQUESTS[name][0].replace(b"{key}", key["key"].encode())
    received = send_raw(stack, data.replace(b"{rest}", key["key"][3:].encode()))
    while received.startswith(b"HTTP/1.1 100 "):
        received = received.split(b"\r\n\r\n", 1)[1]
    return received


@pytest.mark.each_front
@pytest.mark.parametrize("name", REQUESTS)
def test_request(stack, keys, name):
    received = answer_of(stack, keys["plain"], name)
    assert status_of(received) == expected_of(stack.front, name), received[:300]
    head, _, body = received.partition(b"\r\n\r\n")
    if REQUESTS[name][0].startswith(b"HEAD "):
        assert body == b""
    if status_of(received) == 405 and b"X-Request-Id" in head:
        assert re.search(rb"\r\nAllow: (POST|GET, HEAD)\r\n", head)


def test_every_difference_is_one():
    for name, fronts in DIFFERENT.items():
        assert all(status != REQUESTS[name][1] for status in fronts.values()), name


# ---- TLS, HTTP/2 ----

def curl(stack, *arguments, data=SEED):
    """(HTTP version, status, body) of a request over TLS; data is what curl reads."""
    run = subprocess.run(["curl", "-sS", "--max-time", "60", "--cacert", stack.certificate,
                          "-w", "\n%{http_version} %{http_code}", *arguments],
                         input=data, capture_output=True, check=False)
    assert run.returncode == 0, (run.returncode, run.stderr, run.stdout)
    body, _, end = run.stdout.rpartition(b"\n")
    version, status = end.decode().split()
    return version, int(status), body


of_the_fronts = pytest.mark.skipif(VARIANT != "release", reason="not about the programs' variant")
VERSIONS = ("--http1.0", "--http1.1", "--http2")
NEEDS_LENGTH_IN_HTTP_2 = ("apache-fcgid", *LIGHTTPD)  # mod_fcgid loses the body; lighttpd 1.4.69


def tls_version(stack, version):
    """As curl says it. To a request in HTTP/1.0 lighttpd answers in that, the others in 1.1."""
    if version == "--http2":
        return "2"
    return "1" if version == "--http1.0" and stack.front in LIGHTTPD else "1.1"


@of_the_fronts
@pytest.mark.each_front
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name, arguments, status", [
    ("single", ["--json", "@-", "{path}"], 202),
    ("query", ["--json", "@-", "{path}?{query}"], 202),
    ("gzip", ["--data-binary", "@-", "-H", "Content-Encoding: gzip", "{path}"], 202),
    ("bulk", ["--data-binary", "@-", "-H", "Content-Type: application/x-ndjson", "{bulk}"], 202),
    ("unknown key", ["--json", "@-", "{unknown}"], 401),
    ("GET", ["{path}"], 405),
    ("OPTIONS", ["-X", "OPTIONS", "{path}"], 405),
    ("HEAD of health", ["-I", "{base}/sluice/health"], 200),
    ("source", ["--json", "@-", "-H", "X-Source: web", "{path}"], 202),
    ("XML", ["--data-binary", "<a/>", "-H", "Content-Type: text/xml", "{path}"], 415),
], ids=lambda value: value if isinstance(value, str) else "")
def test_the_same_over_tls(tls_stack, version, name, arguments, status):
    stack = tls_stack
    key = stack.one_of_each_key["plain"]
    base = f"https://127.0.0.1:{stack.tls_port}"
    filled = [argument.format(path=base + path_of(key), bulk=base + bulk_path(key), base=base,
                              unknown=base + path_of({"key": sound_key()}), query=3000 * "q")
              for argument in arguments]
    if version == "--http1.0":
        filled.insert(0, "--no-alpn")  # the servers know no name for it
    assert curl(stack, version, *filled)[:2] == (tls_version(stack, version), status)


@of_the_fronts
@pytest.mark.each_front
@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_an_upload_without_a_length_over_tls(tls_stack, version):
    """Of 3 MiB, so that it comes in many frames; what was sent is what is stored."""
    stack, key = tls_stack, tls_stack.new_key()
    line = b'{"email":"a@b.co","filler":"' + 1000 * b"x" + b'"}\n'
    url = f"https://127.0.0.1:{stack.tls_port}{bulk_path(key)}"
    if version == "--http2" and stack.front in (*NEEDS_LENGTH, *NEEDS_LENGTH_IN_HTTP_2):
        # A short one, and not by curl, which may lose the answer to what it is still sending.
        assert status_over_http2(stack, bulk_path(key), line) == 411
        assert stack.rows(key) == 0
        return
    refused = stack.front in NEEDS_LENGTH
    count = 1 if refused else 3000
    _, status, _ = curl(stack, version, "-T", "-", "-X", "POST", url, data=count * line)
    assert (status, stack.rows(key)) == ((411, 0) if refused else (202, count))
