"""What deploy/prometheus ships: alerts, each of which fires for its cause alone, and a dashboard.
Both ask only for what /metrics tells."""

import json
import re
import subprocess

import pytest
import yaml

from harness import ROOT, path_of, send, wait_until_equal
from test_metrics import read, text_of

pytestmark = pytest.mark.first_front

RULES = ROOT / "deploy" / "prometheus" / "sluice.rules.yml"
DASHBOARD = ROOT / "deploy" / "prometheus" / "dashboard.json"
WEBHOOK = 'route="/api/signal-staging/webhook/{key}"'


def promtool(*arguments, **options):
    done = subprocess.run(["promtool", *map(str, arguments)], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **options)
    assert done.returncode == 0, done.stdout


def alerts():
    return {rule["alert"]: rule
            for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]}


# Two hours of a host that does well, a value a minute.
HEALTHY = {
    "up": "1x120",
    "sluice_database_up": "1x120",
    'sluice_worker_start_time_seconds{worker="0"}': "1000x120",
    f'sluice_requests_total{{{WEBHOOK},status="202"}}': "0+6000x120",
    f'sluice_requests_total{{{WEBHOOK},status="503"}}': "0+1x120",
    f'sluice_request_seconds_bucket{{{WEBHOOK},le="0.01"}}': "0+6000x120",
    f'sluice_request_seconds_bucket{{{WEBHOOK},le="10"}}': "0+6001x120",
    f'sluice_request_seconds_bucket{{{WEBHOOK},le="+Inf"}}': "0+6001x120",
    "sluice_unknown_commits_total": "3x120",
    "sluice_database_hangs_total": "2x120",
    'sluice_worker_requests_in_flight{worker="0"}': "400x120",
    'sluice_worker_slots{worker="0"}': "512x120",
    'sluice_worker_cpu_seconds_total{worker="0"}': "0+30x120",
    "sluice_lost_log_lines_total": "7x120",
    'sluice_problems_total{code="unauthenticated"}': "0+5x120",
    'sluice_problems_total{code="limit_reached"}': "4x120",
    'sluice_items_total{outcome="stored"}': "0+6000x120",
    'sluice_items_total{outcome="rejected"}': "0+60x120",
    "sluice_maintenance_age_seconds": "0+60x120",
    'sluice_partitions_ahead{table="signal"}': "6x120",
    'sluice_default_partition_in_use{table="signal"}': "0x120",
    'sluice_oldest_pending_age_seconds{table="signal_staging"}': "600x120",
    "sluice_settled_age_seconds": "30x120"}

# What is different, and the labels of the alert beside job and instance; None: instance alone.
CAUSES = [
    ("SluiceDown", "up", "0x120", {}),
    ("SluiceDown", "up", None, None),
    ("SluiceDatabaseAway", "sluice_database_up", "0x120", {}),
    ("SluiceWorkerRestarts", 'sluice_worker_start_time_seconds{worker="0"}', "1000+60x120",
     {"worker": "0"}),
    ("SluiceFails", f'sluice_requests_total{{{WEBHOOK},status="503"}}', "0+70x120", None),
    ("SluiceSlow", f'sluice_request_seconds_bucket{{{WEBHOOK},le="0.01"}}', "0+5900x120", None),
    ("SluiceUnknownCommits", "sluice_unknown_commits_total", "0x110 1x10", {}),
    ("SluiceDatabaseHangs", "sluice_database_hangs_total", "0x110 1x10", {}),
    ("SluiceFull", 'sluice_worker_requests_in_flight{worker="0"}', "470x120", {"worker": "0"}),
    ("SluiceWorkerBusy", 'sluice_worker_cpu_seconds_total{worker="0"}', "0+58x120",
     {"worker": "0"}),
    ("SluiceLosesLogLines", "sluice_lost_log_lines_total", "0x110 1x10", {}),
    ("SluiceRefusesKeys", 'sluice_problems_total{code="unauthenticated"}', "0+10x120",
     {"code": "unauthenticated"}),
    ("SluiceLimitReached", 'sluice_problems_total{code="limit_reached"}', "0x110 1x10",
     {"code": "limit_reached"}),
    ("SluiceRejectsItems", 'sluice_items_total{outcome="rejected"}', "0+600x120", None),
    ("SluiceMaintenanceLate", "sluice_maintenance_age_seconds", "86401x120", {}),
    ("SluicePartitionsMissing", 'sluice_partitions_ahead{table="signal"}', "2x120",
     {"table": "signal"}),
    ("SluicePartitionsMissing", 'sluice_default_partition_in_use{table="signal"}', "1x120",
     {"table": "signal"}),
    ("SluiceConsumersLate", 'sluice_oldest_pending_age_seconds{table="signal_staging"}',
     "3601x120", {"table": "signal_staging"}),
    ("SluiceFollowersHeldUp", "sluice_settled_age_seconds", "3601x120", {})]


def on_host(series):
    name, _, labels = series.partition("{")
    return f'{name}{{job="sluice",instance="a"{"," if labels else ""}{labels or "}"}'


def expected(rule, labels):
    """The alert as it is sent."""
    text = json.dumps(rule["annotations"])
    for name, value in labels.items():
        text = text.replace(f"{{{{ $labels.{name} }}}}", value)
    text = re.sub(r"\{\{ \$labels\.[a-z]+ \}\}", "", text)
    return {"exp_labels": {**rule["labels"], **labels}, "exp_annotations": json.loads(text)}


def case(rules, fires, cause, values, labels):
    series = {**HEALTHY, **({cause: values} if cause else {})}
    if labels is None:
        labels = {"instance": "a"} if values else {"job": "sluice"}
    else:
        labels = {"job": "sluice", "instance": "a", **labels}
    return {
        "interval": "1m",
        "input_series": [{"series": on_host(name), "values": value}
                         for name, value in series.items() if value],
        "alert_rule_test": [
            {"alertname": name, "eval_time": "2h",
             **({"exp_alerts": [expected(rule, labels)]} if name == fires else {})}
            for name, rule in rules.items()]}


def test_each_alert_fires_for_its_cause_alone(tmp_path):
    rules = alerts()
    assert {name for name, *_ in CAUSES} == set(rules)
    tests = tmp_path / "tests.yml"
    tests.write_text(json.dumps({
        "rule_files": [str(RULES)], "evaluation_interval": "1m",
        "tests": [case(rules, None, None, None, {}), *(case(rules, *cause) for cause in CAUSES)]}))
    promtool("test", "rules", tests)


def queries():
    """Every query of the dashboard, with a time in place of what Grafana fills in."""
    board = json.loads(DASHBOARD.read_text())
    found = [(panel["title"], target["expr"])
             for panel in board["panels"] for target in panel.get("targets", [])]
    assert len(found) > 30
    return [(title, text.replace("$__rate_interval", "5m").replace("$instance", ".*"))
            for title, text in found]


def test_prometheus_reads_rules_and_queries(tmp_path):
    promtool("check", "rules", RULES)
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": [
        {"record": f"panel:{number}", "expr": text}
        for number, (_, text) in enumerate(queries())]}]}))
    promtool("check", "rules", file)


NAME = re.compile(r"\bsluice_[a-z_]+")
MATCHER = re.compile(r'([a-z]+)(?:=|!=|=~|!~)"')


def test_they_ask_for_what_is_told(stack, key):
    """Names and labels; and the dashboard leaves nothing out."""
    send(stack, path_of(key))
    wait_until_equal(lambda: 'status="202"' in text_of(stack), True, "the request is counted")
    text = text_of(stack)
    samples, types = read(text)
    labels = set(re.findall(r'[{,]([a-z]+)="', text)) | {"instance", "job"}
    asked = set()
    for title, query in [*queries(), *((name, rule["expr"]) for name, rule in alerts().items())]:
        names = set(NAME.findall(query))
        assert names <= {name for name, _ in samples}, (title, query)
        assert set(MATCHER.findall(query)) <= labels, (title, query)
        grouped = re.findall(r"by \(([a-z, ]+)\)", query)
        assert {label.strip() for each in grouped for label in each.split(",")} <= labels
        asked |= {re.sub("_(bucket|sum|count)$", "", name) for name in names}
    assert asked == set(types)
