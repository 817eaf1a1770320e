"""The alert rules of deploy/: they can be read, and name only what a worker serves."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from service.metrics import Metrics

FOLDER = Path(__file__).parents[2] / "deploy" / "prometheus"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"
RUNBOOK = DOCS.with_name("runbook.md")
RECORDED = {
    rule["record"]
    for group in yaml.safe_load((FOLDER / "recording.yaml").read_text())["groups"]
    for rule in group["rules"]
}


def _name(rule: dict[str, Any]) -> str:
    return str(rule["alert"])


def selectors(expression: promql_parser.Expr) -> list[promql_parser.VectorSelector]:
    """Every metric that an expression asks for."""
    found = []

    def visit(node: promql_parser.Expr) -> bool:
        if isinstance(node, promql_parser.MatrixSelector):
            node = node.vector_selector
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        return True

    promql_parser.walk(expression, visit)
    return found


@pytest.mark.parametrize("rule", RULES, ids=_name)
def test_every_metric_that_an_alert_names_is_served(rule: dict[str, Any]) -> None:
    metrics = Metrics()
    metrics.set_lag({("articles", 0): 1})
    metrics.set_model("m", "v", "l", ("none",))
    served = {sample.name for family in metrics.registry.collect() for sample in family.samples}
    named = {selector.name for selector in selectors(promql_parser.parse(rule["expr"]))}
    assert named
    assert named <= served | RECORDED


@pytest.mark.parametrize("rule", RULES, ids=_name)
def test_every_alert_says_what_is_wrong_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert rule["annotations"].keys() == {"summary", "description"}


def test_every_alert_is_explained_in_the_documentation_and_no_other() -> None:
    explained = re.findall(r"^\| `(Stancewire\w+)` \| ", DOCS.read_text(), re.MULTILINE)
    assert explained == [rule["alert"] for rule in RULES]


def test_the_runbook_has_an_entry_for_every_alert_and_no_other() -> None:
    entries = re.findall(r"^## (Stancewire\w+)$", RUNBOOK.read_text(), re.MULTILINE)
    assert entries == [rule["alert"] for rule in RULES]


def test_an_entry_of_the_runbook_says_what_it_means_where_to_look_and_what_to_do() -> None:
    _, *entries = re.split(r"^## ", RUNBOOK.read_text(), flags=re.MULTILINE)
    for entry in entries:
        assert re.findall(r"^- \*\*(.+?)\*\*: ", entry, re.M) == ["Meaning", "First look", "Action"]


@pytest.mark.parametrize(
    "command",
    [
        ("check", "rules", "recording.yaml", "alerts.yaml"),
        ("test", "rules", "alerts-test.yaml"),
    ],
)
def test_promtool_finds_the_rules_right_and_they_fire_for_what_they_should(
    command: tuple[str, ...],
) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed; it comes with Prometheus")
    done = subprocess.run(
        [promtool, *command], cwd=FOLDER, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
