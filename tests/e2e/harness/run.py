"""What the stacks of one run of pytest share: the directory they are in, and the database they are
copies of, which the first of them makes.

Elsewhere than in a run with this plugin, each stack is by itself.
"""

import fcntl
import os
import pathlib
import shutil
import subprocess
import tempfile

from .place import BUILD, ENVIRONMENT, ROOT

# The run's directory; the processes of pytest-xdist inherit it.
VARIABLE = "SLUICE_RUN"


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        directory = tempfile.mkdtemp(prefix="sluice-run-")
        os.chmod(directory, 0o755)  # PostgreSQL and the web server may run as other users
        # What lies here is unrelated (chattr(1)). Else ext4 puts all clusters side by side, and for
        # each new file passes over the inodes of those that were removed within the last minute.
        subprocess.run(["chattr", "+T", directory], stderr=subprocess.DEVNULL, check=False)
        os.environ[VARIABLE] = directory


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        run_stack("down", "--dir", template())
        shutil.rmtree(os.environ.pop(VARIABLE))


def template():
    return pathlib.Path(os.environ[VARIABLE], "template")


def run_stack(*arguments):
    """Runs deploy/stack and returns the finished process, whatever its exit code."""
    return subprocess.run([str(part) for part in (ROOT / "deploy" / "stack", *arguments)],
                          env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", check=False)


def options():
    """Of `stack up` in this run."""
    if VARIABLE not in os.environ:
        return []
    with open(f"{template()}.made", "a", encoding="ascii") as made:
        fcntl.flock(made, fcntl.LOCK_EX)
        if os.fstat(made.fileno()).st_size == 0:
            done = run_stack("template", "--dir", template(), "--bindir", BUILD)
            if done.returncode:
                raise RuntimeError(f"deploy/stack template: exit {done.returncode}\n{done.stdout}")
            made.write("yes\n")
    return ["--template", template()]


def new_directory(prefix):
    """For a stack or a cluster, whose users may be others."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=os.environ.get(VARIABLE)))
    directory.chmod(0o755)
    return directory
