"""test_fronts.py - Sluice in the web servers' own configurations, and nothing added to them."""

import fronts
import machine
import pytest

WEBHOOK = "/api/signal-staging/webhook/"


def test_signals_are_stored(front, key):
    for path in (f"{WEBHOOK}{key}", f"{WEBHOOK}{key}/?query", f"{WEBHOOK}web/{key}",
                 f"{WEBHOOK}web/%73%6b_{key[3:]}", f"{WEBHOOK}{key}/batch",
                 f"/api/signal-staging/bulk/{key}"):
        answer = front.post(path, body=f"[{machine.SIGNAL}]")
        assert answer.status == 202, (path, answer)
        assert answer.headers["content-type"].startswith("application/json")
    assert front.post(f"{WEBHOOK}{key}").json()["source"] == "generic"
    chunked = ["-H", "Transfer-Encoding: chunked", "--http1.1"]
    assert front.post(f"{WEBHOOK}{key}", *chunked).status == 202


def test_the_other_endpoint_is_routed(front, key):
    answer = front.post(f"/api/product-orgs/webhook/{key}")
    assert answer.status == 403
    assert answer.headers["content-type"] == "application/problem+json"


def test_http_2_is_spoken_over_tls(front, key):
    if not front.setup.tls:
        pytest.skip("not over TLS")
    answer = front.post(f"{WEBHOOK}{key}", "--http2")
    assert (answer.status, answer.version) == (202, "2")


def test_problems_of_the_workers_pass_through(front):
    answer = front.post(f"{WEBHOOK}sk_unknown")
    assert answer.status == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_health_and_metrics_have_a_path_of_their_own(front):
    assert front.request(front.setup.base + "/sluice/health").status == 200
    metrics = front.request(front.setup.base + "/sluice/metrics")
    if front.setup.proxy:
        assert metrics.status == front.metrics_refused
    else:
        assert metrics.status == 200 and "sluice_" in metrics.body
    other = front.request(front.setup.base + "/sluice/metrics", "-H", "Forwarded: for=192.0.2.1")
    assert other.status == front.metrics_refused


def test_the_pages_of_the_site_are_its_own(front):
    for path, text in fronts.PAGES.items():
        answer = front.request(path)
        assert (answer.status, answer.body) == (200, text), path
    assert front.request("/api/other").status == 404
    assert front.request("/sluice").status == 404


def test_other_hosts_are_left_alone(front, key):
    if not front.setup.only_host:
        pytest.skip("on all hosts")
    answer = front.request(f"{WEBHOOK}{key}", "-d", "{}", host="www.example.com")
    assert answer.status in (404, 405)
    assert "x-request-id" not in answer.headers


def test_other_paths_than_the_base_are_left_alone(front, key):
    if not front.setup.base:
        pytest.skip("at the root")
    if front.name == "nginx":
        pytest.skip("any base is taken")
    answer = front.request(f"{WEBHOOK}{key}", "-d", "{}")
    assert answer.status in (404, 405)
    assert "x-request-id" not in answer.headers


def test_a_body_over_all_limits_is_refused_at_once(front, key):
    line = front.raw(f"POST {front.setup.base}{WEBHOOK}{key} HTTP/1.1\r\nHost: {machine.HOST}\r\n"
                     f"Content-Length: {300 * 1024 * 1024 + 1025}\r\n\r\n")
    assert line.split()[1] == "413"


def send_hostile_requests(front, key):
    """All the places and ways in which a key may come, the sender's own mistakes included."""
    base, good = front.setup.base, f"{front.setup.base}{WEBHOOK}{key}"
    front.post(f"{WEBHOOK}{key}")
    for path in (good + "%00", good + "/%zz", f"{base}{WEBHOOK}%2f/{key}", f"{base}{WEBHOOK}{key}x",
                 f"/wrong/{key}", f"/?k={key}", f"/x?k=%53k%5F{key[3:]}", f"{base}/api/{key}",
                 f"{base}{WEBHOOK}%73k_{key[3:]}", f"{base}//api/signal-staging/{key}",
                 f"/api/signal-staging/../{key}", f"/settings/{key}", f"/server-status/{key}"):
        front.try_request(path, "-d", "{}", "--path-as-is")
        front.try_request(path, "--path-as-is")
    for options in (["-e", f"http://x/{key}"], ["-A", key], ["-u", f"{key}:x"],
                    ["-H", f"X-Request-Id: {key}"], ["-H", f"X-Source: {key}"], ["-X", key],
                    ["-H", f"Host: {key}"], ["-H", f"Cookie: {key}"]):
        front.try_request("/", *options)
        front.try_request(good, "-d", machine.SIGNAL, *options)
    head = f"POST {good} HTTP/1.1\r\nHost: {machine.HOST}\r\n"
    for text in (f"POST {good} HTTP/1.1\r\n\r\n", head + "no header\r\n\r\n",
                 f"POST {good[1:]} HTTP/1.1\r\nHost: x\r\n\r\n", f"POST {good}\r\n\r\n",
                 f"POST {good} HTTP/9.9\r\nHost: x\r\n\r\n", f"POST {good} x HTTP/1.1\r\n\r\n",
                 f"POST http://other{good} HTTP/1.1\r\nHost: x\r\n\r\n", f"{key}\r\n\r\n",
                 head + f"X: {'x' * 70000}\r\n\r\n", head + "Content-Length: x\r\n\r\n",
                 head + "Expect: x\r\nContent-Length: 2\r\n\r\n{}",
                 head + f"Content-Length: {1 << 40}\r\n\r\n",
                 head + "Transfer-Encoding: x\r\n\r\n"):
        front.raw(text)
    # The client leaves: in the head, in the body, before the answer.
    for text in (head, head + "Content-Length: 9\r\n\r\n{", head + "Content-Length: 2\r\n\r\n{}"):
        front.raw(text, answer=False)


def test_no_log_holds_a_key(front, key, worker):
    send_hostile_requests(front, key)
    worker.stop()
    worker.listener.close()
    machine.SOCKET.unlink()
    try:
        answer = front.post(f"{WEBHOOK}{key}")
        assert answer.status == 503
        if not front.html_errors:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["retry-after"] == "5"
    finally:
        worker.listener = machine.open_socket(machine.SOCKET, "sluice", "www-data")
        worker.start()
    front.stop()
    lines = front.lines()
    error_log = (front.logs / "error.log").read_text()
    front.start()
    assert machine.leaks(key) == []
    # They were logged, with their status; a failure to reach the workers has its cause.
    assert len(lines) > 40
    assert len([line for line in lines if '" 202 ' in line]) > 4
    assert [line for line in lines if '" 503 ' in line]
    if front.name != "nginx":
        assert "intake.sock" in error_log
