"""Other settings for the workers of a stack that goes on serving."""

import contextlib
import os
import pathlib
import signal

from harness import wait_for

RELOADED = 'event="configuration reloaded"'


@contextlib.contextmanager
def configured(stack, more, program="intake"):
    """The workers, or the settings' processes, with more settings; those that a web server starts
    later have them as well."""
    config = pathlib.Path(stack.worker_arguments(program)[-1])
    log, text = f"{program}.log", config.read_text()

    def processes():
        if program == "settings":
            return stack.settings_processes()
        return [] if stack.front.startswith("cgi") else stack.workers()

    def write(text):
        config.write_text(text)
        before, now = stack.log(log).count(RELOADED), processes()
        for process in now:
            os.kill(process, signal.SIGHUP)
        wait_for(lambda: stack.log(log).count(RELOADED) >= before + len(now),
                 "the configuration is read again")

    write(text + more)
    try:
        yield
    finally:
        write(text)
