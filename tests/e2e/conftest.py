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


@pytest.fixture
def own_stack(request):
    """Makes stacks of other shapes for one test: own_stack(front, workers=…, settings={…})."""
    stacks = []

    def make(front, *options, **shape):
        made = harness.Stack(front, *options, **shape)
        stacks.append(running(request, f"{front}-{request.node.name.replace('/', '_')}", made))
        return next(stacks[-1])

    yield make
    for generator in reversed(stacks):
        next(generator, None)


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
