"""Fixtures of the end-to-end tests: the same cases through each web server.

SLUICE_FRONTS names the fronts, SLUICE_VARIANT the directory below build/ whose programs run.
"""

import pytest

import harness


def pytest_generate_tests(metafunc):
    if "stack" in metafunc.fixturenames:
        metafunc.parametrize("stack", harness.FRONTS, indirect=True, scope="session")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        item.session.stash.setdefault(FAILED, set()).add(item.nodeid)


FAILED = pytest.StashKey()


def running(request, name, stack):
    """Yields the stack; keeps its logs when any test failed meanwhile."""
    before = len(request.session.stash.get(FAILED, ()))
    try:
        yield stack
    finally:
        try:
            if len(request.session.stash.get(FAILED, ())) > before:
                print(f"\nlogs kept: {stack.keep_logs(name)}")
        finally:
            stack.close()


@pytest.fixture(scope="session")
def stack(request):
    """The stack that most tests share; request.param is the front."""
    yield from running(request, request.param, harness.Stack(request.param))


@pytest.fixture(scope="module", params=harness.FRONTS)
def pair_stack(request):
    """Two workers on one socket."""
    yield from running(request, f"{request.param}-pair", harness.Stack(request.param, workers=2))


@pytest.fixture(scope="module", params=harness.FRONTS)
def narrow_stack(request):
    """Limits so low that a test reaches them."""
    yield from running(request, f"{request.param}-narrow", harness.Stack(request.param, settings={
        "request_timeout": "3s", "large_requests": 2, "bulk_items": 1000,
        "bulk_body": "100KiB"}))


@pytest.fixture(scope="session")
def keys(stack):
    """One key of every kind, made once per front."""
    made = {
        "plain": stack.new_key(name="plain"),
        "secret": stack.new_key(name="with secret", secret=True),
        "product": stack.new_product_key(name="product orgs"),
        "expired": stack.new_expired_key(name="expired"),
        "deactivated": stack.new_key(name="deactivated"),
    }
    stack.ctl("key", "deactivate", made["deactivated"]["id"])
    return made


@pytest.fixture
def key(stack):
    """A fresh key, so that the rows of one test can be counted."""
    return stack.new_key(name="fresh")
