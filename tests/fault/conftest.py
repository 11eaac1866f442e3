"""Fixtures of the fault tests: a stack of its own for each test, because each one breaks it."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import harness  # (found by the line above)

FAILED = pytest.StashKey()


def pytest_configure(config):
    config.pluginmanager.register(harness.run)  # its hooks
    config.addinivalue_line("markers", "quick: of the selection that `make check` runs")
    config.addinivalue_line("markers", "alone: measures, so nothing else runs beside it")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        item.stash[FAILED] = True


@pytest.fixture
def make_stack(request):
    """make_stack(front, workers=…, settings={…}): ended with the test, its logs kept on failure."""
    stacks = []

    def make(front, **shape):
        stacks.append(harness.Stack(front, **shape))
        return stacks[-1]

    yield make
    for number, stack in enumerate(stacks):
        try:
            if FAILED in request.node.stash:
                name = f"fault-{request.node.name}-{number}".replace("/", "_")
                print(f"\nlogs kept: {stack.keep_logs(name)}")
        finally:
            stack.close()


@pytest.fixture(scope="module")
def module_stack(request):
    """One for tests that leave the database as it was."""
    stack = harness.Stack("lighttpd")
    failed = request.session.testsfailed
    try:
        yield stack
        if request.session.testsfailed > failed:
            print(f"\nlogs kept: {stack.keep_logs('fault-' + request.module.__name__)}")
    finally:
        stack.close()
