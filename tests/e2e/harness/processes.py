"""A stack's processes, as /proc shows them."""

import os
import pathlib

CONNECTED = "03"  # SS_CONNECTED of /proc/net/unix


class WithProcesses:
    """The part of a Stack that knows its workers and their children."""

    def intake_processes(self):
        """{pid: parent's pid} of this stack's workers and their children."""
        found = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                arguments = pathlib.Path("/proc", entry, "cmdline").read_bytes().split(b"\0")
                stat = pathlib.Path("/proc", entry, "stat").read_text()
            except OSError:
                continue
            if not arguments[0].endswith(b"sluice-intake"):
                continue
            if not any(argument.startswith(bytes(self.dir)) for argument in arguments):
                continue
            state, parent = stat.rpartition(")")[2].split()[:2]
            if state not in "ZX":
                found[int(entry)] = int(parent)
        return found

    def workers(self):
        processes = self.intake_processes()
        return sorted(pid for pid, parent in processes.items() if parent not in processes)

    def children(self):
        processes = self.intake_processes()
        return sorted(pid for pid, parent in processes.items() if parent in processes)

    def settings_processes(self):
        supervisor = self.env["SETTINGS_PID"]
        children = pathlib.Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text()
        return [int(child) for child in children.split()]

    def connections(self, name):
        """How many connections to the socket of `intake` or `settings` the web server holds."""
        path = str(pathlib.Path(self.env["WORKERS_CONFIG"]).parents[1] / "fcgi" / f"{name}.sock")
        rows = [line.split() for line in pathlib.Path("/proc/net/unix").read_text().splitlines()]
        return sum(row[-1] == path and row[5] == CONNECTED for row in rows)

    def worker_arguments(self, program="intake"):
        """The command line that the workers, or the settings' processes, are started with."""
        config = pathlib.Path(self.env[{"intake": "WORKERS_CONFIG",
                                        "settings": "SETTINGS_CONFIG"}[program]])
        return [str(config.parents[1] / "bin" / f"sluice-{program}"), "--config", str(config)]


def state_of(pid):
    """Of a process, as proc(5) has it: R, S, T, Z and so on; X when it is gone."""
    try:
        return pathlib.Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def memory_kib(pid, field):
    """VmRSS or VmHWM of a process, 0 when it is gone."""
    try:
        for line in pathlib.Path("/proc", str(pid), "status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0
