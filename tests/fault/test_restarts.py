"""Workers and web servers are restarted while senders go on, as with an update."""

import asyncio
import os
import signal

import pytest

from crowd import Crowd
from harness import path_of, wait_for
from oracle import Oracle
from web_server import WebServer

FRONTS = os.environ.get("SLUICE_FRONTS", "lighttpd apache nginx").split()
WORKERS, ROUNDS, SENDERS = 3, 2, 64
LIMIT_S = 10  # a request's time, as shipped


async def replace(stack, crowd):
    """Each worker is told to end when the one before has a successor."""
    for worker in stack.workers():
        os.kill(worker, signal.SIGTERM)
        await crowd.until(lambda ended=worker: ended not in stack.workers()
                          and len(stack.workers()) == WORKERS, "it has a successor")


@pytest.mark.parametrize("front", FRONTS)
def test_rolling_restart_of_the_workers(make_stack, capsys, front):
    """On kept connections: no request fails, and none has to be sent again."""
    stack = make_stack(front, workers=WORKERS)
    key = stack.new_key()
    crowd = Crowd(stack, path_of(key), SENDERS)

    async def restart(crowd):
        for _ in range(ROUNDS):
            goal = len(crowd.answers) + 5 * SENDERS
            await crowd.until(lambda goal=goal: len(crowd.answers) >= goal, "the load is accepted")
            await replace(stack, crowd)
        goal = len(crowd.answers) + SENDERS
        await crowd.until(lambda: len(crowd.answers) >= goal, "the load is accepted")
    asyncio.run(crowd.during(restart))
    with capsys.disabled():
        print(f" [{crowd.told()}]", end="", flush=True)
    assert set(crowd.counts()) == {202}
    assert crowd.resent() == 0
    assert stack.rows(key) == crowd.counts()[202]


def accept(oracle, more):
    goal = oracle.count(202) + more
    wait_for(lambda: oracle.count(202) >= goal, "the load is accepted")


@pytest.mark.parametrize("front", FRONTS)
def test_web_server_reads_its_configuration_again(make_stack, capsys, front):
    """Kept connections are closed between requests; no request is refused or lost."""
    stack = make_stack(front)
    key, server = stack.new_key(), WebServer(stack)
    with Oracle(stack, key, LIMIT_S) as oracle:
        for _ in range(ROUNDS):
            accept(oracle, 200)
            server.reload()
        accept(oracle, 200)
    oracle.report(capsys)
    assert oracle.count(503) == 0
    oracle.check()


@pytest.mark.parametrize("front", FRONTS)
def test_web_server_is_ended_and_started(make_stack, capsys, front):
    """Senders without an answer repeat: nothing accepted is lost, nothing with an id is stored
    twice. The workers go on."""
    stack = make_stack(front)
    key, server, workers = stack.new_key(), WebServer(stack), stack.workers()
    with Oracle(stack, key, LIMIT_S) as oracle:
        for _ in range(ROUNDS):
            accept(oracle, 200)
            server.restart()
        accept(oracle, 200)
    oracle.report(capsys)
    assert oracle.count(503) == 0
    oracle.check(unanswered=len(oracle.attempts))
    assert stack.workers() == workers
