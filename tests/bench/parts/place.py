"""Where requests are sent to: a stack or a peer, its keys, its processes and its rows."""

import os
import pathlib
import signal
import time

import harness
from parts import load

TICKS = os.sysconf("SC_CLK_TCK")


def processes():
    """{pid: (parent, CPU seconds including children that ended)}"""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = pathlib.Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found[int(entry)] = (int(stat[1]), sum(map(int, stat[11:15])) / TICKS)
    return found


def idle_of_processors():
    """(seconds that they were idle, seconds in all) so far: proc(5)."""
    times = [int(word) / TICKS for word in
             pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return times[3] + times[4], sum(times)


def children_of(pid):
    return {child for child, (parent, _) in processes().items() if parent == pid}


def cpu_of(roots):
    """CPU seconds so far of each root {kind: pid or None}, its descendants included."""
    found = processes()
    kinds = {pid: kind for kind, pid in roots.items()}
    total = dict.fromkeys(roots, 0.0)
    for pid, (_, seconds) in found.items():
        at = pid
        while at in found and at not in kinds:
            at = found[at][0]
        if at in kinds:
            total[kinds[at]] += seconds
    return total


def rows_of(stack):
    """How many signals are staged, warm and cold: counted, whoever stored them."""
    return stack.psql("select (select count(*) from sluice.signal)"
                      " + (select count(*) from sluice.signal_cold_storage)")[0][0]


def usage_of(stack):
    """How many signals the counters say were stored; for tables that take long to count."""
    return stack.psql("select coalesce(sum(signals), 0)::bigint"
                      " from sluice.usage_overview")[0][0]


def fill_wal(stack):
    """Leaves segments of WAL that are used again: making new ones is a cost of young clusters."""
    stack.psql("select count(pg_logical_emit_message(false, 'bench', repeat('x', 1048576)))"
               " from generate_series(1, 512)")
    stack.psql("checkpoint")


def path_of(key):
    return harness.path_of(key)


class Place:
    """Something that takes requests, and a database behind it."""

    def __init__(self, name, stack, keys=1, secret=True, counted=rows_of):
        self.name, self.stack, self.counted = name, stack, counted
        self.keys = [stack.new_key(name=f"bench {n}", secret=secret) for n in range(keys)]
        self.stores = True
        self.serve(stack.base_url, web=int(stack.env["FRONT_PID"]),
                   program=int(stack.env["SUPERVISOR_PID"]))

    def serve(self, url, **roots):
        """Requests go to this address; its processes are the descendants of these."""
        self.url = url
        self.roots = {**roots, "postgres": int(self.stack.env["POSTGRES_PID"])}

    def reconfigure(self, old, new):
        """Has the web server read its files again, with new for old."""
        home = pathlib.Path(self.stack.env["WORKERS_CONFIG"]).parents[1]
        found = [path for path in [*home.glob("etc/**/*"), *home.glob("share/**/*")]
                 if path.is_file() and not path.is_symlink() and old in path.read_text("latin-1")]
        if not found:
            raise SystemExit(f"bench: {self.name}: no file says {old!r}")
        for path in found:
            path.write_text(path.read_text("latin-1").replace(old, new), "latin-1")
        before = children_of(self.roots["web"])
        os.kill(self.roots["web"], signal.SIGHUP)
        harness.wait_for(lambda: not before & children_of(self.roots["web"]),
                         "processes of the web server with the new configuration")

    def quiet(self):
        """How many rows there are once nothing is under way any more."""
        count = self.counted(self.stack)
        while True:
            time.sleep(0.2)
            again = self.counted(self.stack)
            if again == count:
                return count
            count = again

    def fresh(self):
        self.stack.psql("truncate sluice.signal, sluice.signal_cold_storage, sluice.signal_queue,"
                        " sluice.signal_result, sluice.product_org_update, sluice.delivery")

    def measure(self, seconds, connections=64, keys=None, path=path_of, rows=1, **options):
        """wrk's result with CPU microseconds a request by kind of process. Fails when an answer was
        none of 2xx or rows are missing: what is measured is what was done correctly.

        keys: how many take turns, each repeated so that wrk's work does not depend on it."""
        targets = [(path(key), key["secret"]) for key in self.keys]
        turns = range(len(targets))
        targets = targets[:1] if keys is None else [targets[n % keys] for n in turns]
        self.stack.psql("checkpoint")
        before, cpu_before = self.quiet(), cpu_of(self.roots)
        idle_before, all_before = idle_of_processors()
        result = load.wrk(self.url, targets, seconds, connections, **options)
        idle, all_times = idle_of_processors()
        cpu, stored = cpu_of(self.roots), self.quiet() - before
        accepted = result["accepted"]
        # wrk leaves without waiting for the last answers.
        low, high = (accepted * rows, (accepted + connections) * rows) if self.stores else (0, 0)
        if result["refused"] or result["broken"] or not low <= stored <= high or not accepted:
            raise SystemExit(f"bench: {self.name}: {result}, {stored} rows")
        result["rows"] = stored
        result["idle"] = 100 * (idle - idle_before) / (all_times - all_before)
        result["cpu_us"] = {kind: 1e6 * (cpu[kind] - cpu_before[kind]) / accepted for kind in cpu}
        return result
