"""Other settings for the workers of a stack that goes on serving."""

import contextlib
import os
import pathlib
import signal

from harness import wait_for

RELOADED = 'event="configuration reloaded"'


@contextlib.contextmanager
def configured(stack, more):
    """The workers with more settings; those that a web server starts later have them as well."""
    config = pathlib.Path(stack.env["WORKERS_CONFIG"])
    text = config.read_text()

    def write(text):
        config.write_text(text)
        before = stack.log().count(RELOADED)
        workers = [] if stack.front.startswith("cgi") else stack.workers()
        for worker in workers:
            os.kill(worker, signal.SIGHUP)
        wait_for(lambda: stack.log().count(RELOADED) >= before + len(workers),
                 "the configuration is read again")

    write(text + more)
    try:
        yield
    finally:
        write(text)
