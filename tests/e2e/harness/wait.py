"""Waiting for a condition, never for a time."""

import time

from .place import PATIENCE

# Only a test that fails waits this long, so it is long enough for a machine that is busy otherwise.
LIMIT_S = 60.0


def wait_for(condition, what, timeout=LIMIT_S, step=0.02):
    """Polls until condition() is true and returns its value; says what was awaited in vain."""
    end = time.monotonic() + timeout * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout * PATIENCE:.0f} s in vain: {what}"
                                 + ("" if value in (None, False) else f"; at last: {value!r}"))
        time.sleep(step)


def wait_until_equal(read, expected, what, timeout=LIMIT_S):
    """Polls until read() is what is expected; says what it was at last."""
    last = []

    def equal():
        last[:] = [read()]
        return last[0] == expected
    try:
        wait_for(equal, what, timeout)
    except AssertionError as error:
        raise AssertionError(f"{error}; expected {expected!r}, at last {last!r:.1000}") from None
