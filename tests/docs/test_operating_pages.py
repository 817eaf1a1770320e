"""What the pages on speakers and on logs and traces show is what there is."""

import json
import re
from pathlib import Path

from jsonschema import Draft202012Validator
from opentelemetry.sdk import environment_variables

from service.contracts import tally_schema
from tests.pages import blocks

DOCS = Path(__file__).parents[2] / "docs"
SPEAKERS = (DOCS / "speakers.md").read_text(encoding="utf-8")
TRACING = (DOCS / "tracing.md").read_text(encoding="utf-8")


def _example(page: str) -> dict[str, object]:
    [block] = blocks(page, "json")
    return dict(json.loads(block))


def test_the_tally_shown_is_one() -> None:
    Draft202012Validator(tally_schema()).validate(_example(SPEAKERS))


def test_the_fields_of_the_log_line_shown_are_explained() -> None:
    rows = re.findall(r"^\| (`.+?`) \| in |^\| (`.+?`) \| the same", TRACING, re.MULTILINE)
    explained = {name for row in rows for name in re.findall(r"`(\w+)`", "".join(row))}
    assert _example(TRACING).keys() <= explained


def test_the_variables_of_opentelemetry_shown_are_some() -> None:
    shown = set(re.findall(r"^(OTEL_\w+)=", TRACING, re.MULTILINE))
    assert len(shown) == 4
    assert shown <= set(vars(environment_variables))
