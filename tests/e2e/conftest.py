"""Fixtures of the end-to-end tests: the same cases through each web server.

SLUICE_FRONTS names the fronts. Without it, all cases go through lighttpd and Apache, and those
marked "each_front" through the other fronts, too; with sanitizers through fewer.
Cases marked "first_front" do not meet the web server, those marked "loop" are about many requests
in one worker's loop. Those marked "settings" go through the first front, and through the others
that serve the settings if marked "each_front". With sanitizers those marked "database", which are
about the database, and those of the page are left out. SLUICE_VARIANT is the directory below
build/ whose programs run.
"""

import contextlib

import pytest

import harness
import other_cluster
import settings_api
import settings_page
import sluicectl


def pytest_configure(config):
    for module in (harness.run, other_cluster, settings_api, settings_page, sluicectl):
        config.pluginmanager.register(module)  # its hooks and fixtures
    config.addinivalue_line("markers", "each_front: also through the less usual web servers")
    config.addinivalue_line("markers", "first_front: does not meet the web server")
    config.addinivalue_line("markers", "database: about the database; not with sanitizers")
    config.addinivalue_line("markers",
                            "slow: too long for `make check`; `make check-faults` runs it")
    config.addinivalue_line("markers", "settings: about the settings, which these fronts serve")
    config.addinivalue_line("markers", "loop: about many requests in one worker's loop")
    config.addinivalue_line("markers", "shape: what stack_of_its_own is made with")


def fronts_of(item):
    """The fronts one case goes through, as parameters; one that does not apply says why."""
    each, first, loop, settings = (item.get_closest_marker(name) is not None for name in (
        "each_front", "first_front", "loop", "settings"))
    names = harness.FRONTS + harness.OTHER_FRONTS * (each or settings)
    if settings:
        names = [name for name in names if name in harness.SETTINGS_FRONTS]
        # One service behind all of them: its sanitizers see the same.
        first |= harness.VARIANT != "release" or (not each and harness.OTHER_FRONTS != [])
    if first:
        return names[:1]
    return [pytest.param(name, marks=pytest.mark.skip(reason=harness.LOOPLESS[name]))
            if loop and name in harness.LOOPLESS else name for name in names]


def pytest_generate_tests(metafunc):
    for name, scope in (("stack", "session"), ("pair_stack", "module"),
                        ("narrow_stack", "module"), ("page_stack", "module"),
                        ("tls_stack", "module"),
                        ("stack_of_its_own", "function")):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, fronts_of(metafunc.definition), indirect=True, scope=scope)


# What takes longest goes first, so that the other processes have something to do meanwhile.
LONG = ("test_settings_page", "test_settings_page_keys",
        "test_sluicectl_check", "test_sluicectl_keys")


def skip_what_is_not_about_programs(item):
    if item.get_closest_marker("database"):
        item.add_marker(pytest.mark.skip(reason="about the database, not the programs"))
    if item.path.stem.startswith("test_settings_page"):
        item.add_marker(pytest.mark.skip(reason="about the page, not the programs"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))
    for item in items:
        # What pytest-xdist runs in one process: the tests of one file through one front.
        values = item.callspec.params.values() if hasattr(item, "callspec") else []
        fronts = [value for value in values if value in harness.ALL_FRONTS]
        item.add_marker(pytest.mark.xdist_group("-".join([item.path.stem, *fronts[:1]])))
        if harness.VARIANT != "release":
            skip_what_is_not_about_programs(item)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        item.session.stash.setdefault(FAILED, set()).add(item.nodeid)


FAILED = pytest.StashKey()


def running(request, name, stack):
    """Yields the stack; keeps its logs when any test failed meanwhile. At its end no log may hold
    a credential that any test has used."""
    before = len(request.session.stash.get(FAILED, ()))
    try:
        yield stack
    finally:
        try:
            found = stack.credentials_in_logs()
            if found or len(request.session.stash.get(FAILED, ())) > before:
                print(f"\nlogs kept: {stack.keep_logs(name)}")
            assert not found, f"credentials in logs of {name}: {sorted(found)[:5]}"
        finally:
            stack.close()


@pytest.fixture(scope="session")
def shared(request):
    """shared(front): the stack that most tests share, made when it is first asked for."""
    with contextlib.ExitStack() as all_of_them:
        made = {}

        def stack_of(front):
            if front not in made:
                made[front] = all_of_them.enter_context(contextlib.contextmanager(running)(
                    request, front, harness.Stack(front)))
            return made[front]

        yield stack_of


@pytest.fixture(scope="session")
def stack(shared, request):
    """The stack that most tests share; request.param is the front."""
    return shared(request.param)


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


@pytest.fixture(scope="module")
def page_stack(request):
    """Keys and rows that nobody else adds to: the settings page shows them all."""
    yield from running(request, f"{request.param}-page", harness.Stack(request.param))


@pytest.fixture(scope="module")
def tls_stack(request):
    """Also HTTPS, with HTTP/2 where the front has it."""
    yield from running(request, f"{request.param}-tls", harness.Stack(request.param, tls=True))


@pytest.fixture
def stack_of_its_own(request):
    """For a test that breaks it; @pytest.mark.shape says what it is made with."""
    shape = request.node.get_closest_marker("shape")
    yield from running(request, f"{request.param}-own",
                       harness.Stack(request.param, **(shape.kwargs if shape else {})))


@pytest.fixture(scope="session")
def keys(stack):
    """One key of every kind, made once per stack."""
    return stack.one_of_each_key


@pytest.fixture
def key(stack):
    """A fresh key, so that the rows of one test can be counted."""
    return stack.new_key(name="fresh")
