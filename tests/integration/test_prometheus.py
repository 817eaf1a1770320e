"""The real Prometheus scrapes a real worker: every rule and every query of ours finds its data."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from benchmarks.prometheus import RULE_FILES, Prometheus, panels
from tests.integration.conftest import StartWorker
from tests.integration.harness import (
    NumberedArticle,
    WorkerProcess,
    numbered_articles,
    publish,
    wait_until,
)
from tests.unit.test_alerts import selectors

SCRAPES = 12

needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None,
    reason="prometheus is not installed: apt-get install prometheus",
)


def rules() -> list[dict[str, Any]]:
    groups = [group for path in RULE_FILES for group in yaml.safe_load(path.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


@pytest.fixture
def scraped(new_worker: StartWorker, tmp_path: Path) -> Iterator[tuple[WorkerProcess, Prometheus]]:
    """A worker with something to tell, dead letters included, and its scraper."""
    worker = new_worker().start().wait_ready()
    with Prometheus(tmp_path, worker.settings.http_port) as server:
        wait_until(lambda: server.scrapes() >= 2, 60)
        for round_ in range(5):
            publish(worker.settings, numbered_articles(20, seed=1, prefix=f"r{round_}-"))
            publish(worker.settings, [NumberedArticle(f"bad-{round_}", b"{")])
            time.sleep(1)
        wait_until(lambda: worker.metric("dead_letters_total") == 5, 60)
        wait_until(lambda: server.scrapes() >= SCRAPES, 60)
        yield worker, server


def without_offset(selector: promql_parser.VectorSelector) -> str:
    """What a selector asks for, at present: a test has no yesterday."""
    matchers = [f"{one.name}{one.op}{json.dumps(one.value)}" for one in selector.matchers.matchers]
    return f"{selector.name}{{{','.join(matchers)}}}"


@needs_prometheus
@pytest.mark.timeout(240)
def test_every_rule_and_every_query_of_the_dashboard_finds_its_data(
    scraped: tuple[WorkerProcess, Prometheus],
) -> None:
    """In one test: to start a worker and to gather samples takes half a minute."""
    _, server = scraped
    evaluated = [rule for group in server.get("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"]: rule["lastError"] for rule in evaluated if rule.get("lastError")} == {}
    assert len(evaluated) == len(rules())

    empty = [
        query
        for rule in rules()
        for selector in selectors(promql_parser.parse(rule["expr"]))
        if not server.query(query := without_offset(selector))
        # Shares need 100 quotes in an hour, and are tested by promtool.
        and selector.name != "job:stancewire_stance:share1h"
    ]
    assert empty == []

    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    assert [query for query in asked if not server.query(query)] == []


@needs_prometheus
@pytest.mark.timeout(120)
def test_promtool_finds_nothing_wrong_with_the_metrics(new_worker: StartWorker) -> None:
    worker = new_worker().start().wait_ready()
    metrics = worker.get("/metrics")[1]
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=metrics, capture_output=True, text=True, check=False
    )
    ours = [line for line in done.stderr.splitlines() if line.startswith("stancewire")]
    assert ours == []
    assert "error" not in done.stderr.lower()
