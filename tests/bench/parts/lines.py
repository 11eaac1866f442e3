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
EXTENT_CONNECTIONS = (16, 64, 256)
EXTENT_WORKERS = (1, 2, 4)
IN_FLIGHT = 512
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


def empty_stack(options, front="lighttpd"):
    return stack(options, front, "--bindir", str(peers.build_empty()))


def empty_place(options, front="lighttpd"):
    place = Place("empty", empty_stack(options, front))
    place.stores = False
    return place


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
              " | PostgreSQL | rows |"), "|---|---|---|---|---|---|---|---|"]
    for name, rounds in results.items():
        def cpu(kind, rounds=rounds):
            if kind not in rounds[0]["cpu_us"]:
                return "–"
            return spread([result["cpu_us"][kind] for result in rounds])
        lines.append(
            f"| {name} | {spread(column(rounds, 'per_second'))} | "
            f"{spread(column(rounds, 'p50_ms'), 1)} | {spread(column(rounds, 'p99_ms'), 1)} | "
            f"{cpu('web')} | {cpu('program')} | {cpu('postgres')} | "
            f"{sum(column(rounds, 'rows')):,} |")
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
        Line("requests/s to Node.js", ratios(rates["shipped"], rates["node"]), 3),
        Line("requests/s to PHP-FPM", ratios(rates["shipped"], rates["php"]), 5),
        Line("p99 to the empty program's", ratios(p99["shipped"], p99["empty"]), 3, False),
    ], table_of(results)


def insert_variables(place):
    key = place.keys[0]
    organization = place.stack.psql("select organization_id from sluice.api_key where id = %s",
                                    key["id"])[0][0]
    return {"organization": organization, "key": key["id"]}


def script(name):
    return (BENCH / "peers" / "pgbench" / name).read_text()


def lone(options):
    """One sender: what its request waits for beyond the web server."""
    ours, empty = Place("lone", stack(options)), empty_place(options)
    warm_up(ours, empty, connections=1)
    variables = {**insert_variables(ours), "payload": PAYLOAD}

    def insert():
        return load.pgbench(ours.stack, script("one.sql"), options.seconds, 1, variables,
                            "prepared")

    results = alternate({
        "lone": lambda: ours.measure(options.seconds, 1),
        "empty": lambda: empty.measure(options.seconds, 1),
        "insert": insert,
    }, options.rounds, show_mean)
    means = {name: column(rounds, "mean_ms") for name, rounds in results.items()}
    added = [one - other for one, other in zip(means["lone"], means["empty"], strict=True)]
    notes = [(f"one sender, mean µs: ours {spread([1000 * v for v in means['lone']])}, the empty "
              f"program {spread([1000 * v for v in means['empty']])}, pgbench's insert "
              f"{spread([1000 * v for v in means['insert']])}")]
    return [Line("latency added for a lone sender, to pgbench's one insert",
                 ratios(added, means["insert"]), 1.2, False)], notes


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
                 ratios(rates["batch"], rates[best]), 0.65)], notes


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
                 0.8)], notes


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


def apache(options):
    """Apache with the event MPM and mod_proxy_fcgi, against its own empty program."""
    places = {"apache": Place("apache", stack(options, "apache")),
              "apache, empty": empty_place(options, "apache")}
    warm_up(*places.values())
    results = alternate({name: lambda place=place: place.measure(options.seconds, CONNECTIONS)
                         for name, place in places.items()}, options.rounds, show_rate)
    rates = [column(rounds, "per_second") for rounds in results.values()]
    return [Line("Apache: requests/s to its empty program", ratios(*rates), 0.75)], \
        table_of(results)


def extent(options):
    """Few and many workers and connections: nowhere much slower than at the best."""
    places = {workers: Place(f"{workers} workers", stack(options, workers=workers))
              for workers in EXTENT_WORKERS}
    warm_up(*places.values())
    results = alternate({
        f"{workers} workers, {connections} connections":
            lambda place=place, connections=connections:
                place.measure(options.extent_seconds, connections)
        for workers, place in places.items() for connections in EXTENT_CONNECTIONS
    }, options.rounds, show_rate)
    rates = {name: column(rounds, "per_second") for name, rounds in results.items()}
    best = max(rates, key=lambda name: statistics.median(rates[name]))
    worst = min(rates, key=lambda name: statistics.median(rates[name]))
    notes = ["| | requests/s |", "|---|---|",
             *(f"| {name} | {spread(values)} |" for name, values in rates.items())]
    return [Line(f"slowest ({worst}) to fastest ({best})", ratios(rates[worst], rates[best]),
                 0.8)], notes


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
          for each in (requests, lone, batch, bulk, keys, apache, extent, memory)}


def write_result(directory, name, lines, notes):
    """Keeps what was measured, for the table of a later run of other groups."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.json").write_text(json.dumps(
        {"lines": [dataclasses.asdict(line) for line in lines], "notes": notes}, indent=1) + "\n")
