"""The published contracts are what the code says, and valid by their own standards."""

import json
from collections.abc import Callable, Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from service.article import Article
from service.contracts import article_schema, asyncapi, quote_schema, tally_schema
from service.dead_letters import Origin, bury
from service.errors import Reason
from service.events import ModelRef, build_event, cloud_event_headers, find_quotes
from service.settings import Settings

FOLDER = Path(__file__).parents[2] / "docs" / "contracts"

Document = dict[str, Any]


@pytest.mark.parametrize(
    ("name", "generate", "command"),
    [
        ("article-event.schema.json", article_schema, "json-schema article"),
        ("quote-event.schema.json", quote_schema, "json-schema quote"),
        ("tally-event.schema.json", tally_schema, "json-schema tally"),
        ("asyncapi.json", asyncapi, "asyncapi"),
    ],
    ids=["article", "quote", "tally", "asyncapi"],
)
def test_published_file_is_what_the_code_generates(
    name: str, generate: Callable[[], Document], command: str
) -> None:
    path = FOLDER / name
    refresh = f"refresh it: python -m service schema {command} > docs/contracts/{name}"
    assert path.is_file(), f"{name} is missing; {refresh}"
    generated = json.dumps(generate(), indent=2) + "\n"
    # Not compared by assert: pytest would bury the command below two documents.
    if path.read_text(encoding="utf-8") != generated:
        pytest.fail(f"{name} differs from what the code says; {refresh}")


@pytest.mark.parametrize("schema", [article_schema(), quote_schema()], ids=["article", "quote"])
def test_schema_is_valid_and_describes_every_field_that_a_reader_could_mistake(
    schema: Document,
) -> None:
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert schema["description"]


def test_article_needs_id_and_text_only_and_may_have_more() -> None:
    schema = article_schema()
    assert schema["required"] == ["id", "text"]
    Draft202012Validator(schema).validate({"id": "1", "text": "", "anything": [1]})


@pytest.mark.parametrize(
    "article",
    [
        {"id": "1"},
        {"text": ""},
        {"id": "", "text": ""},
        {"id": "x" * 513, "text": ""},
        {"id": 1, "text": ""},
        {"id": "1", "text": None},
        {"id": "1", "text": "", "language": "en_GB"},
    ],
    ids=["no text", "no id", "empty id", "long id", "number", "null text", "language"],
)
def test_schema_refuses_the_articles_that_the_worker_refuses(article: Document) -> None:
    assert not Draft202012Validator(article_schema()).is_valid(article)


def test_quote_event_needs_all_of_its_fields() -> None:
    schema = quote_schema()
    assert schema["required"] == list(schema["properties"])
    assert "in" in schema["required"]
    assert "place" not in schema["properties"]
    assert schema["additionalProperties"] is False


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolve(document: Document, reference: str) -> Any:
    root, *path = reference.split("/")
    assert root == "#"
    return reduce(lambda node, part: node[part], path, document)


def test_every_reference_of_the_asyncapi_document_resolves_inside_it() -> None:
    document = asyncapi()
    found = set(references(document))
    assert any("/$defs/" in reference for reference in found)
    for reference in found:
        assert isinstance(resolve(document, reference), dict), reference


def test_operations_refer_to_channels_and_all_channels_have_one() -> None:
    document = asyncapi()
    channels = [one["channel"]["$ref"] for one in document["operations"].values()]
    assert sorted(channels) == sorted(f"#/channels/{name}" for name in document["channels"])
    assert {name: one["action"] for name, one in document["operations"].items()} == {
        "readArticles": "receive",
        "publishQuotes": "send",
        "publishDeadLetters": "send",
        "publishTallies": "send",
    }


def test_channels_are_the_default_topics() -> None:
    settings = Settings.model_fields
    assert {one["address"] for one in asyncapi()["channels"].values()} == {
        settings[f"topic_{name}"].default
        for name in ("articles", "quotes", "dead_letters", "speakers")
    }


def test_every_message_of_a_channel_is_a_component_with_payload_and_key() -> None:
    document = asyncapi()
    for channel in document["channels"].values():
        for message in channel["messages"].values():
            found = resolve(document, message["$ref"])
            assert found["payload"]
            assert found["bindings"]["kafka"]["key"]["type"] == "string"


@pytest.mark.parametrize(
    ("name", "schema"),
    [("ArticleEvent", article_schema()), ("QuoteEvent", quote_schema())],
    ids=["article", "quote"],
)
def test_embedded_schema_is_the_published_one_with_other_references(
    name: str, schema: Document
) -> None:
    embedded = asyncapi()["components"]["schemas"][name]
    text = json.dumps(embedded).replace(f"#/components/schemas/{name}/$defs/", "#/$defs/")
    assert json.loads(text) == {key: value for key, value in schema.items() if key != "$schema"}


def decoded(headers: list[tuple[str, bytes]]) -> dict[str, str]:
    return {name: value.decode() for name, value in headers}


@pytest.mark.parametrize("reason", Reason)
def test_headers_of_a_dead_letter_are_those_of_the_document(reason: Reason) -> None:
    schema = asyncapi()["components"]["messages"]["deadLetter"]["headers"]
    origin = Origin("articles", 0, 1)
    letter = bury(None, b"x", [("a", b"b")], reason=reason, message="why", origin=origin)
    Draft202012Validator(schema).validate(decoded(letter.headers))
    assert set(schema["required"]) == {name for name, _ in letter.headers[1:]}


def test_headers_of_a_quote_are_those_of_the_document() -> None:
    article = Article(id="1", text="“We will never agree to that,” she said.")
    [found] = find_quotes(article)
    model = ModelRef(name="keywords", version="v", labels="l")
    event = build_event(article, found, stance="none", scores={"sceptical": 0.0}, model=model)
    Draft202012Validator(quote_schema()).validate(json.loads(event.to_json()))
    schema = asyncapi()["components"]["messages"]["quote"]["headers"]
    headers = decoded(cloud_event_headers(event, [("traceparent", b"00-1-2-01")]))
    Draft202012Validator(schema).validate(headers)
    assert set(schema["required"]) <= set(headers) <= set(schema["properties"])
