"""The table: what is measured, how, and what is expected of it.

Each function measures one group of lines side by side and returns (lines, notes): a Line is one row
of the table, notes are tables and sentences for the reader.
"""

import dataclasses
import http.client
import json
import pathlib
import statistics
import time

import harness
from parts import load, peers
from parts.place import Place, fill_wal
from parts.rounds import alternate, ratios, spread

BENCH = pathlib.Path(__file__).resolve().parents[1]
CONNECTIONS = 64
BATCH = 100
PAYLOAD = harness.SEED.decode()
IN_FLIGHT = 512
# What has a web server keep its connections to the workers, and what has it close them.
KEEPS = {"nginx": ("fastcgi_keep_conn on;", "fastcgi_keep_conn off;"),
         "apache": ("enablereuse=on ttl=1", "enablereuse=off")}
MIB = 1024  # in KiB


@dataclasses.dataclass
class Line:
    """values are those of each round; the median is what must be at least (or at most) bound."""
    measure: str
    values: list
    bound: float
    at_least: bool = True
    digits: int = 2

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def holds(self):
        return self.median >= self.bound if self.at_least else self.median <= self.bound

    def row(self):
        return (f"| {self.measure} | {'≥' if self.at_least else '≤'} {self.bound:g} | "
                f"{spread(self.values, self.digits)} | {'PASS' if self.holds else 'FAIL'} |")


def stack(options, front="lighttpd", *arguments, workers=None, **settings):
    made = harness.Stack(front, *arguments, workers=workers or options.workers, settings=settings)
    options.stacks.append(made)
    return made


def bare_place(options, front, name, *libraries):
    """A stack whose workers are peers/name.c, which stores nothing."""
    place = Place(name, stack(options, front, "--bindir",
                              str(peers.build_program(name, *libraries))))
    place.stores = False
    return place


def empty_place(options, front="lighttpd"):
    """One that closes each connection, behind a web server that expects it."""
    place = bare_place(options, front, "empty", "-lfcgi")
    if front in KEEPS:
        place.reconfigure(*KEEPS[front])
    return place


def keeping_place(options, front):
    """One that keeps the web server's connections."""
    return bare_place(options, front, "keeping")


def warm_up(*places, **how):
    for place in places:
        place.measure(1, **how)
        fill_wal(place.stack)


def column(results, name):
    return [result[name] for result in results]


def show_rate(result):
    return f"{result['per_second']:,.0f}/s"


def show_mean(result):
    return f"{result['mean_ms'] * 1000:,.0f} µs"


def table_of(results):
    """What each contender did, with the processors' time by kind of process."""
    lines = [("| | requests/s | p50 ms | p99 ms | CPU µs a request: web server | program"
              " | PostgreSQL | idle % | rows |"), "|---|---|---|---|---|---|---|---|---|"]
    for name, rounds in results.items():
        def cpu(kind, rounds=rounds):
            if kind not in rounds[0]["cpu_us"]:
                return "–"
            return spread([result["cpu_us"][kind] for result in rounds])
        lines.append(
            f"| {name} | {spread(column(rounds, 'per_second'))} | "
            f"{spread(column(rounds, 'p50_ms'), 1)} | {spread(column(rounds, 'p99_ms'), 1)} | "
            f"{cpu('web')} | {cpu('program')} | {cpu('postgres')} | "
            f"{spread(column(rounds, 'idle'))} | {sum(column(rounds, 'rows')):,} |")
    return lines


def requests(options):
    """Many senders: against the empty program, groups of one, Node.js and PHP."""
    places = {
        "shipped": Place("shipped", stack(options)),
        "empty": empty_place(options),
        "single": Place("single", stack(options, group_requests=1)),
        "node": peers.Node("node", stack(options)),
        "php": peers.Php("php", stack(options)),
    }
    warm_up(*places.values())
    results = alternate({name: lambda place=place: place.measure(options.seconds, CONNECTIONS)
                         for name, place in places.items()}, options.rounds, show_rate)
    rates = {name: column(rounds, "per_second") for name, rounds in results.items()}
    p99 = {name: column(rounds, "p99_ms") for name, rounds in results.items()}
    return [
        Line("requests/s to the empty program", ratios(rates["shipped"], rates["empty"]), 0.7),
        Line("requests/s to groups of one", ratios(rates["shipped"], rates["single"]), 2.5),
        Line("requests/s to Node.js", ratios(rates["shipped"], rates["node"]), 3.5),
        Line("requests/s to PHP-FPM", ratios(rates["shipped"], rates["php"]), 6),
        Line("p99 to the empty program's", ratios(p99["shipped"], p99["empty"]), 1.5, False),
    ], table_of(results)


def insert_variables(place):
    key = place.keys[0]
    organization = place.stack.psql("select organization_id from sluice.api_key where id = %s",
                                    key["id"])[0][0]
    return {"organization": organization, "key": key["id"]}


def script(name):
    return (BENCH / "peers" / "pgbench" / name).read_text()


def lone(options):
    """One sender: what its request waits for beyond the web server, to an insert at its pace."""
    ours, empty = Place("lone", stack(options)), empty_place(options)
    warm_up(ours, empty, connections=1)
    variables = {**insert_variables(ours), "payload": PAYLOAD}

    pace = []

    def send():
        result = ours.measure(options.seconds, 1)
        pace.append(result["per_second"])
        return result

    def insert():
        """At the rate of the sender's last round: a connection that never rests is faster."""
        rate = pace[-1] if pace else send()["per_second"]
        return load.pgbench(ours.stack, script("one.sql"), options.seconds, 1, variables,
                            "prepared", rate=round(rate))

    results = alternate({
        "lone": send,
        "empty": lambda: empty.measure(options.seconds, 1),
        "insert": insert,
    }, options.rounds, show_mean)
    means = {name: column(rounds, "mean_ms") for name, rounds in results.items()}
    added = [one - other for one, other in zip(means["lone"], means["empty"], strict=True)]
    notes = [(f"one sender, mean µs: ours {spread([1000 * v for v in means['lone']])}, the empty "
              f"program {spread([1000 * v for v in means['empty']])}, pgbench's insert "
              f"at the same pace {spread([1000 * v for v in means['insert']])}")]
    return [Line("latency added for a lone sender, to pgbench's insert at the same pace",
                 ratios(added, means["insert"]), 1.3, False)], notes


def batch_path(key):
    return harness.path_of(key, end="/batch")


def array_of(texts):
    """An array literal of PostgreSQL."""
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"


def batch(options):
    """Batches of a hundred, beside pgbench with as many clients as does best."""
    ours = Place("batch", stack(options))
    body = "[" + ",".join([PAYLOAD] * BATCH) + "]"
    how = {"path": batch_path, "rows": BATCH, "body": body}
    warm_up(ours, **how)
    variables = {**insert_variables(ours), "payloads": array_of([PAYLOAD] * BATCH)}

    def inserts(clients):
        return lambda: load.pgbench(ours.stack, script("batch.sql"), options.seconds, clients,
                                    variables, "prepared")

    results = alternate({
        "batch": lambda: ours.measure(options.seconds, CONNECTIONS, **how),
        **{f"pgbench {clients}": inserts(clients) for clients in (2, 4, 8)},
    }, options.rounds, show_rate)
    rates = {name: column(rounds, "per_second") for name, rounds in results.items()}
    best = max((name for name in rates if name != "batch"),
               key=lambda name: statistics.median(rates[name]))
    notes = [f"batches of {BATCH}, rows/s: " + ", ".join(
        f"{name} {spread([BATCH * rate for rate in values])}" for name, values in rates.items())]
    return [Line(f"batches of {BATCH}, rows/s to pgbench's best",
                 ratios(rates["batch"], rates[best]), 0.75)], notes


COLUMNS = ("organization_id, received_at, occurred_at, key_id, source, event_type, event_name,"
           " email,"
           " user_id, anonymous_id, message_id, request_id, payload")


def bulk(options):
    """A bulk import from the first byte to the answer, beside \\copy of the rows it made."""
    ours = Place("bulk", stack(options))
    count = options.bulk_rows
    key = ours.keys[0]
    body = b"".join(harness.SEED.replace(b"lead@", b"lead-%d@" % n) + b"\n" for n in range(count))
    prepared = ours.stack.dir / "rows.copy"

    def send():
        ours.stack.psql("checkpoint")
        before = ours.quiet()
        headers = {"Content-Type": "application/x-ndjson", "X-Api-Secret": key["secret"]}
        start = time.monotonic()
        answer = harness.send(ours.stack, harness.bulk_path(key), body, headers, timeout=320.0)
        seconds = time.monotonic() - start
        stored = ours.quiet() - before
        if answer.status != 202 or answer.json["accepted"] != count or stored != count:
            raise SystemExit(f"bench: bulk: {answer.status}, {stored} rows")
        return {"per_second": count / seconds}

    def copy():
        load.psql(ours.stack, f"\\copy (select nextval('sluice.signal_id'), {COLUMNS}"
                              f" from sluice.signal limit {count}) to '{prepared}'")
        ours.stack.psql("checkpoint")
        start = time.monotonic()
        load.psql(ours.stack, f"\\copy sluice.signal (id, {COLUMNS}) from '{prepared}'")
        return {"per_second": count / (time.monotonic() - start)}

    send()
    ours.stack.psql("vacuum analyze sluice.signal")
    fill_wal(ours.stack)
    results = alternate({"bulk": send, "copy": copy}, options.rounds, show_rate)
    rates = {name: column(rounds, "per_second") for name, rounds in results.items()}
    notes = [(f"bulk of {count:,} rows and {len(body) / 2**20:.0f} MiB, rows/s: "
              f"ours {spread(rates['bulk'])}, \\copy {spread(rates['copy'])}")]
    return [Line("bulk, rows/s to \\copy of the same rows", ratios(rates["bulk"], rates["copy"]),
                 0.95)], notes


def keys(options):
    """One hot key against a thousand keys."""
    ours = Place("keys", stack(options), keys=options.keys)
    warm_up(ours, keys=options.keys)
    results = alternate({
        "hot": lambda: ours.measure(options.seconds, CONNECTIONS, keys=1),
        "many": lambda: ours.measure(options.seconds, CONNECTIONS, keys=options.keys),
    }, options.rounds, show_rate)
    rates = {name: column(rounds, "per_second") for name, rounds in results.items()}
    notes = [(f"requests/s: one hot key {spread(rates['hot'])}, {options.keys:,} keys "
              f"{spread(rates['many'])}")]
    return [Line(f"one hot key to {options.keys:,} keys", ratios(rates["hot"], rates["many"]),
                 0.97)], notes


def ids(options):
    """A new messageId in each body, against a member of that length that is not read."""
    ours = Place("ids", stack(options))
    members = {"with ids": "messageId", "without": "messageNo"}
    for member in members.values():
        warm_up(ours, member=member)
    results = alternate({
        name: lambda member=member: ours.measure(options.seconds, CONNECTIONS, member=member)
        for name, member in members.items()}, options.rounds, show_rate)
    rates = [column(rounds, "per_second") for rounds in results.values()]
    times = [[each["cpu_us"]["program"] + each["cpu_us"]["postgres"] for each in rounds]
             for rounds in results.values()]
    return [
        Line("with a new messageId in each body, requests/s to without", ratios(*rates), 0.92),
        Line("CPU of worker and PostgreSQL a request, to without", ratios(*times), 1.15, False),
    ], table_of(results)


def kept(options, front, bounds):
    """The lines of a web server that keeps its connections: to each program, at least its bound."""
    programs = {"empty": empty_place, "keeping": keeping_place}
    places = {front: Place(front, stack(options, front)),
              **{f"{front}, {name}": programs[name](options, front) for name in bounds}}
    warm_up(*places.values())
    results = alternate({name: lambda place=place: place.measure(options.seconds, CONNECTIONS)
                         for name, place in places.items()}, options.rounds, show_rate)
    rates = {name: column(rounds, "per_second") for name, rounds in results.items()}
    return [Line(f"{front}, kept: requests/s to its {name} program",
                 ratios(rates[front], rates[f"{front}, {name}"]), bound)
            for name, bound in bounds.items()], table_of(results)


def nginx(options):
    """nginx, against its own empty program that closes and one that keeps connections."""
    return kept(options, "nginx", {"empty": 0.85, "keeping": 0.65})


def apache(options):
    """Apache with the event MPM and mod_proxy_fcgi, against its own empty program."""
    return kept(options, "apache", {"empty": 0.85})


def memory(options):
    """Resident memory of a worker: over many requests, and with as many in flight as it takes."""
    ours = Place("memory", stack(options, workers=1))
    worker = ours.stack.workers()[0]
    resident, served = [], 0
    while served < options.memory_requests:
        served += ours.measure(options.seconds, CONNECTIONS)["accepted"]
        resident.append(harness.memory_kib(worker, "VmRSS") / MIB)
    with ours.stack.connect() as holder:
        holder.autocommit = False
        holder.cursor().execute("lock table sluice.signal in access exclusive mode")
        waiting = [http.client.HTTPConnection("127.0.0.1", ours.stack.port, timeout=60)
                   for _ in range(IN_FLIGHT)]
        for connection in waiting:
            connection.request("POST", harness.path_of(ours.keys[0]), harness.SEED,
                               {**harness.JSON, "X-Api-Secret": ours.keys[0]["secret"]})
        # A worker has a descriptor for each request it has accepted.
        harness.wait_for(lambda: descriptors(worker) >= IN_FLIGHT, "all requests are in flight")
        full = harness.memory_kib(worker, "VmRSS") / MIB
        holder.rollback()
        statuses = {connection.getresponse().status for connection in waiting}
    for connection in waiting:
        connection.close()
    if statuses != {202}:
        raise SystemExit(f"bench: memory: answers {statuses}")
    if ours.stack.workers()[0] != worker:
        raise SystemExit("bench: memory: the worker was restarted")
    notes = [f"resident MiB of a worker after each of {len(resident)} rounds, {served:,} requests: "
             + " ".join(f"{value:.1f}" for value in resident)
             + f"; with {IN_FLIGHT} requests in flight {full:.1f}"]
    return [
        Line("resident memory at the end to that after the first round",
             [resident[-1] / resident[0]], 1.05, False),
        Line(f"resident MiB with {IN_FLIGHT} requests in flight", [full], 24, False, 1),
    ], notes


def descriptors(pid):
    return sum(1 for _ in pathlib.Path("/proc", str(pid), "fd").iterdir())


GROUPS = {each.__name__: each
          for each in (requests, ids, lone, batch, bulk, keys, nginx, apache, memory)}


def write_result(directory, name, lines, notes):
    """Keeps what was measured, for the table of a later run of other groups."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.json").write_text(json.dumps(
        {"lines": [dataclasses.asdict(line) for line in lines], "notes": notes}, indent=1) + "\n")
