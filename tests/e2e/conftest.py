"""Fixtures of the end-to-end tests: the same cases through each web server.

SLUICE_FRONTS names the fronts. Without it, all cases go through lighttpd and Apache, and those marked
"each_front" through the other fronts, too; with sanitizers Apache is one of the others. Cases marked
"first_front" do not meet the web server, those marked "database" are about the database and not repeated
with sanitizers, and those marked "loop" are about many requests in one worker's loop. SLUICE_VARIANT is the directory below build/ whose programs run.
"""

import pytest

import harness


def pytest_configure(config):
    config.addinivalue_line("markers", "each_front: also through the less usual web servers")
    config.addinivalue_line("markers", "first_front: does not meet the web server")
    config.addinivalue_line("markers", "database: about the database; not with sanitizers")
    config.addinivalue_line("markers", "slow: too long for `make check`; `make fault` runs it")
    config.addinivalue_line("markers", "loop: about many requests in one worker's loop")


def fronts_of(item):
    """The fronts one case goes through, as parameters; one that does not apply says why."""
    if item.get_closest_marker("first_front"):
        return harness.FRONTS[:1]
    names = list(harness.FRONTS)
    if item.get_closest_marker("each_front"):
        names += harness.OTHER_FRONTS
    loop = item.get_closest_marker("loop") is not None
    return [pytest.param(name, marks=pytest.mark.skip(reason=harness.LOOPLESS[name]))
            if loop and name in harness.LOOPLESS else name for name in names]


def pytest_generate_tests(metafunc):
    for name, scope in (("stack", "session"), ("pair_stack", "module"),
                        ("narrow_stack", "module"), ("stack_of_its_own", "function")):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, fronts_of(metafunc.definition), indirect=True, scope=scope)


def pytest_collection_modifyitems(items):
    if harness.VARIANT == "release":
        return
    for item in items:
        if item.get_closest_marker("database"):
            item.add_marker(pytest.mark.skip(reason="about the database, not the programs"))


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


@pytest.fixture(scope="module")
def pair_stack(request):
    """Two workers on one socket."""
    yield from running(request, f"{request.param}-pair", harness.Stack(request.param, workers=2))


@pytest.fixture(scope="module")
def narrow_stack(request):
    """Limits so low that a test reaches them."""
    yield from running(request, f"{request.param}-narrow", harness.Stack(request.param, settings={
        "request_timeout": "3s", "large_requests": 2, "bulk_items": 1000,
        "bulk_body": "100KiB"}))


@pytest.fixture
def stack_of_its_own(request):
    """For a test that breaks it."""
    yield from running(request, f"{request.param}-own", harness.Stack(request.param))


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
