"""deploy/stack, as far as the other tests do not use it anyway."""

import contextlib
import hashlib

import pytest

from harness import FRONTS, Stack, accepted_id, path_of, run, send

pytestmark = [pytest.mark.first_front, pytest.mark.database]


def contents(directory):
    """{file: what it holds and when it was written}."""
    return {path.relative_to(directory): (hashlib.sha256(path.read_bytes()).digest(),
                                          path.stat().st_mtime_ns)
            for path in directory.rglob("*") if path.is_file()}


def identifier(stack):
    return stack.psql("select system_identifier from pg_control_system()")[0][0]


def test_copies_of_a_template_are_apart():
    """Each takes requests and has its own rows; the template stays as it was made."""
    run.options()
    before = contents(run.template() / "pg")
    assert len(before) > 1000
    with contextlib.closing(Stack(FRONTS[0])) as one, contextlib.closing(Stack(FRONTS[0])) as other:
        assert identifier(one) == identifier(other)
        key = one.new_key()
        number = accepted_id(send(one, path_of(key)))
        assert one.ids(key) == [number]
        assert send(other, path_of(key)).status == 401
        assert other.ids(key) == []
    assert contents(run.template() / "pg") == before


@pytest.mark.parametrize("what", ["nothing", "running"])
def test_what_is_no_template(stack, what):
    """It is said before anything is made: a copy of a server that runs would be torn."""
    directory = run.new_directory("sluice-no-")
    template = stack.dir if what == "running" else directory / "nothing"
    done = run.run_stack("up", "--dir", directory / "stack", "--front", FRONTS[0], "--bindir",
                         stack.env["SLUICECTL"].rpartition("/")[0], "--template", template)
    assert done.returncode == 1
    assert done.stdout == (f"stack: no stopped database in {template}: "
                           f"deploy/stack template --dir {template}\n")
    assert list(directory.iterdir()) == []
    directory.rmdir()
