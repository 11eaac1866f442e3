"""A stack's web server, which is told to read its configuration again, or ended and started."""

import os
import pathlib
import signal
import subprocess

from harness import ENVIRONMENT, state_of, wait_for

# As `systemctl reload` does it with each of Debian's services.
RELOAD = {"lighttpd": signal.SIGUSR1, "apache": signal.SIGUSR1, "nginx": signal.SIGHUP}


class WebServer:
    def __init__(self, stack):
        self.stack, self.pid = stack, int(stack.env["FRONT_PID"])
        self.home = pathlib.Path(stack.env["WORKERS_CONFIG"]).parents[1]

    def children(self):
        """{pid: when it was started}; without those of modules, which Apache keeps."""
        found = {}
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == self.pid and fields[0] not in "ZX":
                found[int(stat.parent.name)] = int(fields[19])
        return found

    def starts(self):
        """How often lighttpd, which has no children, has said that it starts."""
        log = self.stack.log_dir / "error.log"
        return log.read_text(errors="replace").count("server started")

    def reload(self):
        """Returns when nothing is left of before."""
        before, starts = self.children(), self.starts()
        os.kill(self.pid, RELOAD[self.stack.front])
        if before:
            wait_for(lambda: self.children() and not before.items() & self.children().items(),
                     "all of its processes are new")
        else:
            wait_for(lambda: self.starts() > starts, "it has started anew")

    def started_by(self):
        """(command, environment), which nginx overwrites in memory."""
        if self.stack.front == "nginx":
            return ["/usr/sbin/nginx", "-e", self.stack.log_dir / "error.log", "-c",
                    self.home / "etc" / "nginx" / "nginx.conf", "-g", "daemon off;"], ENVIRONMENT
        process = pathlib.Path("/proc", str(self.pid))
        entries = process.joinpath("environ").read_text().split("\0")
        return (process.joinpath("cmdline").read_text().split("\0")[:-1],
                dict(entry.split("=", 1) for entry in entries if entry))

    def restart(self):
        """Not politely: connections are closed whatever their requests have come to."""
        command, environment = self.started_by()
        os.kill(self.pid, signal.SIGTERM)
        wait_for(lambda: state_of(self.pid) in "ZX", "it ends")
        with open(self.stack.log_dir / "front.log", "ab") as log:
            started = subprocess.Popen(command, cwd=self.home, stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, start_new_session=True,
                                       env=environment)
        self.pid = started.pid
        self.stack.closers.append(lambda: self.end(started))

    @staticmethod
    def end(started):
        started.terminate()
        started.wait()
