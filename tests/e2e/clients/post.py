"""post.py LIBRARY URL NAME=VALUE... - sends the signal in each of a library's ways; see
test_clients.py."""

import asyncio
import json
import sys
import urllib.parse
import urllib.request

LIBRARY, URL, *PAIRS = sys.argv[1:]
SIGNAL = dict(pair.split("=", 1) for pair in PAIRS)
HEADERS = {"X-Source": LIBRARY}
AS_JSON = {**HEADERS, "Content-Type": "application/json"}
AS_NDJSON = {**HEADERS, "Content-Type": "application/x-ndjson"}


def named(name):
    return {**SIGNAL, "messageId": name}


def batch():
    return [{**named(f"batch-{number}"), "number": number, "part": number / 7}
            for number in (1, 2, 3)]


def lines():
    for number in (1, 2):
        yield json.dumps(named(f"stream-{number}")).encode() + b"\n"


def with_requests():
    import requests
    with requests.Session() as session:
        session.headers.update(HEADERS)
        for path, options in (("", {"json": named("json")}), ("/batch", {"json": batch()}),
                              ("", {"data": named("form")}),
                              ("", {"files": {name: (None, value) for name, value
                                              in named("multipart").items()}}),
                              ("/batch", {"data": lines(), "headers": AS_NDJSON})):
            session.post(URL + path, **options).raise_for_status()


def with_requests_retry():
    import requests.adapters
    with requests.Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=requests.adapters.Retry(
            300, status_forcelist=[503], allowed_methods=["POST"], backoff_factor=0.1)))
        session.post(URL, json=named("json"), headers=HEADERS).raise_for_status()


def with_httpx():
    import httpx
    with httpx.Client(headers=HEADERS) as client:
        for path, options in (("", {"json": named("json")}), ("/batch", {"json": batch()}),
                              ("", {"data": named("form")}),
                              ("", {"files": {name: (None, value) for name, value
                                              in named("multipart").items()}}),
                              ("/batch", {"content": lines(), "headers": AS_NDJSON})):
            client.post(URL + path, **options).raise_for_status()


def with_aiohttp():
    import aiohttp

    async def stream():
        for line in lines():
            yield line

    async def run():
        multipart = aiohttp.FormData()
        for name, value in named("multipart").items():
            multipart.add_field(name, value, content_type="text/plain; charset=utf-8")
        async with aiohttp.ClientSession(headers=HEADERS, raise_for_status=True) as session:
            for path, options in (("", {"json": named("json")}), ("/batch", {"json": batch()}),
                                  ("", {"data": named("form")}), ("", {"data": multipart}),
                                  ("/batch", {"data": stream(), "headers": AS_NDJSON})):
                async with session.post(URL + path, **options) as answer:
                    await answer.read()

    asyncio.run(run())


def with_urllib():
    for path, body, headers in (
            ("", json.dumps(named("json")).encode(), AS_JSON),
            ("/batch", json.dumps(batch()).encode(), AS_JSON),
            ("", urllib.parse.urlencode(named("form")).encode(), HEADERS),
            ("/batch", lines(), AS_NDJSON)):
        urllib.request.urlopen(urllib.request.Request(URL + path, body, headers)).read()


globals()["with_" + LIBRARY.replace("-", "_")]()
