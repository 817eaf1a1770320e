"""Events of earlier versions stay readable, and consumers made for them can read today's.

`contracts/<version>/` holds an event of each kind as that version wrote it, and its schemas. They
are never edited: a new version adds a folder.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from service.article import parse_article
from service.contracts import article_schema, quote_schema, tally_schema
from service.events import ModelRef, QuoteEvent, build_event, find_quotes
from service.speakers.reading import read_quote
from service.speakers.tally import Tally, Turn

VERSIONS = sorted((Path(__file__).parent / "contracts").iterdir())
SCHEMAS = {"article": article_schema, "quote": quote_schema, "tally": tally_schema}

each_version = pytest.mark.parametrize("version", VERSIONS, ids=lambda folder: folder.name)


def opened(schema: Any) -> Any:
    """The schema as a tolerant reader takes it: fields that it does not know are fine."""
    if isinstance(schema, dict):
        kept = {key: opened(value) for key, value in schema.items()}
        if kept.get("additionalProperties") is False:
            del kept["additionalProperties"]
        return kept
    return [opened(item) for item in schema] if isinstance(schema, list) else schema


def current(kind: str) -> dict[str, Any]:
    """An event as it is written today."""
    if kind == "tally":
        turn = Turn(before="sceptical", now="threatening")
        tally = Tally(
            subject="source", name="Wire", windows={"1h": {"none": 1}}, turn=turn,
            updated_at="2026-11-23T08:00:00.000Z",
        )  # fmt: skip
        return dict(json.loads(tally.to_json()))
    article = parse_article(
        '{"id": "a", "text": "“Two paths are open,” she said."}'.encode(), max_chars=100
    )
    [found] = find_quotes(article)
    model = ModelRef(name="m", version="v", labels="l")
    event = build_event(article, found, stance="none", scores={"sceptical": 0.1}, model=model)
    return dict(json.loads(event.to_json()))


@each_version
@pytest.mark.parametrize("kind", SCHEMAS)
def test_an_event_of_an_earlier_version_is_valid_today(version: Path, kind: str) -> None:
    event = json.loads((version / f"{kind}.json").read_text(encoding="utf-8"))
    Draft202012Validator(SCHEMAS[kind]()).validate(event)


@each_version
@pytest.mark.parametrize("kind", ["quote", "tally"])
def test_todays_event_is_valid_for_a_reader_of_an_earlier_version(version: Path, kind: str) -> None:
    schema = json.loads((version / f"{kind}-event.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(opened(schema)).validate(current(kind))


@each_version
def test_the_code_reads_events_of_an_earlier_version(version: Path) -> None:
    article, quote, tally = ((version / f"{kind}.json").read_bytes() for kind in SCHEMAS)
    assert find_quotes(parse_article(article, max_chars=1_000))
    assert QuoteEvent.model_validate_json(quote).speaker
    assert read_quote(quote, 0)
    assert Tally.model_validate_json(tally).turn


def test_this_version_has_its_folder() -> None:
    from importlib.metadata import version

    assert version("stancewire") in {folder.name for folder in VERSIONS}
