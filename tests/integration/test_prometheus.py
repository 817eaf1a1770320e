"""The real Prometheus scrapes a real worker: every rule and every query of ours finds its data."""

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.prometheus import RULE_FILES, Prometheus, panels
from service.broker import free_port
from tests.integration.bad_week import HOUR, SPAN_SECONDS, openmetrics
from tests.integration.conftest import StartWorker
from tests.integration.harness import (
    NumberedArticle,
    numbered_articles,
    publish,
    wait_until,
)
from tests.pages import blocks

SCRAPES = 12
METRICS_PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"

needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None,
    reason="prometheus is not installed: apt-get install prometheus",
)


def rules() -> list[dict[str, Any]]:
    groups = [group for path in RULE_FILES for group in yaml.safe_load(path.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def shown() -> list[str]:
    """The queries of docs/metrics.md. Those with a comparison are about something being wrong."""
    shown_together = blocks(METRICS_PAGE.read_text(), "promql")
    return [query for block in shown_together for query in block.strip().split("\n\n")]


@pytest.fixture
def scraped(new_worker: StartWorker, tmp_path: Path) -> Iterator[Prometheus]:
    """The scraper of a worker with something to tell, dead letters included."""
    worker = new_worker().start().wait_ready()
    with Prometheus(tmp_path, worker.settings.http_port) as server:
        wait_until(lambda: server.scrapes() >= 2, 60)
        for round_ in range(5):
            publish(worker.settings, numbered_articles(20, seed=1, prefix=f"r{round_}-"))
            publish(worker.settings, [NumberedArticle(f"bad-{round_}", b"{")])
            time.sleep(1)
        wait_until(lambda: worker.metric("dead_letters_total") == 5, 60)
        wait_until(lambda: server.scrapes() >= SCRAPES, 60)
        yield server


@needs_prometheus
@pytest.mark.timeout(240)
def test_every_rule_is_evaluated_and_every_record_and_query_of_ours_finds_data(
    scraped: Prometheus,
) -> None:
    """In one test: to start a worker and to gather samples takes half a minute."""
    evaluated = [rule for group in scraped.get("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"]: rule["lastError"] for rule in evaluated if rule.get("lastError")} == {}
    assert len(evaluated) == len(rules())

    recorded = [rule["expr"] for rule in rules() if "record" in rule]
    assert [query for query in recorded if not scraped.query(query)] == []

    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    assert [query for query in asked if not scraped.query(query)] == []

    assert [one for one in shown() if not scraped.query(one) and not re.search("[<>] ", one)] == []


@needs_prometheus
@pytest.mark.timeout(120)
def test_when_a_good_week_ends_badly_every_alert_as_it_is_written_finds_something(
    tmp_path: Path,
) -> None:
    end = time.time() - 5 * HOUR  # a past is made of whole blocks, which a server writes late
    past = tmp_path / "past.txt"
    past.write_text("".join(openmetrics(end)))
    make_past(tmp_path, "openmetrics", past, "data")
    with Prometheus(tmp_path, free_port()) as server:
        wait_until(server.answers, 30)
        span = (f"--start={end - SPAN_SECONDS:.0f}", f"--end={end:.0f}", f"--url={server.url}")
        make_past(tmp_path, "rules", *span, RULE_FILES[0])
    with Prometheus(tmp_path, free_port()) as server:
        wait_until(server.answers, 30)
        alerts = {rule["alert"]: rule["expr"] for rule in rules() if "alert" in rule}

        def found(moment: float) -> set[str]:
            return {alert for alert, expr in alerts.items() if server.query(expr, moment)}

        assert found(end - 24 * HOUR) == set()
        assert found(end) == alerts.keys() - {"StancewireNoLag"}
        assert "StancewireNoLag" in found(end + HOUR)  # the worker has gone


def make_past(folder: Path, source: str, *arguments: str | Path) -> None:
    """Write a past for a Prometheus of this folder, in one block instead of one each two hours."""
    options = ("--max-block-duration=240h", source)
    command = ("promtool", "tsdb", "create-blocks-from", *options, *arguments)
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


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
