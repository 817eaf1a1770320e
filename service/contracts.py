"""The contracts, generated from the code: JSON Schemas of the events, and an AsyncAPI document.

The files under `docs/contracts/` are these functions' results; a test keeps them current.
"""

from importlib.metadata import version
from typing import Any

from service.article import Article
from service.dead_letters import ERROR_PREFIX
from service.errors import Reason
from service.events import EVENT_TYPE, SPEC_VERSION, QuoteEvent
from service.settings import Settings
from service.speakers.tally import EVENT_TYPE as TALLY_TYPE
from service.speakers.tally import Tally

JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"


def article_schema() -> dict[str, Any]:
    """JSON Schema of the article event that comes in."""
    schema = Article.model_json_schema()
    return {"$schema": JSON_SCHEMA, "title": "ArticleEvent", **_without_title(schema)}


def quote_schema() -> dict[str, Any]:
    """JSON Schema of the quote event that goes out."""
    schema = QuoteEvent.model_json_schema(by_alias=True, mode="serialization")
    return {"$schema": JSON_SCHEMA, "title": "QuoteEvent", **_without_title(schema)}


def tally_schema() -> dict[str, Any]:
    """JSON Schema of the tally that `stancewire watch-speakers` writes."""
    schema = Tally.model_json_schema(mode="serialization")
    return {"$schema": JSON_SCHEMA, "title": "TallyEvent", **_without_title(schema)}


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0 document of the service, with the default topic names."""
    topics = {
        name: Settings.model_fields[f"topic_{name}"].default
        for name in ("articles", "quotes", "dead_letters", "speakers")
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Stancewire",
            "version": version("stancewire"),
            "description": "Every quotation in a stream of news articles, with its speaker and "
            "its stance.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            "articles": _channel(topics["articles"], "article", "Articles to be read."),
            "quotes": _channel(topics["quotes"], "quote", "One message a quote."),
            "deadLetters": _channel(
                topics["dead_letters"],
                "deadLetter",
                "Articles that could not be processed, as received, and why.",
            ),
            "speakers": _channel(
                topics["speakers"],
                "tally",
                "Rolling counts of stances by speaker and by source, on change; compacted. "
                "A message without a value: nothing was said in 7 days.",
            ),
        },
        "operations": {
            "readArticles": _operation("receive", "articles"),
            "publishQuotes": _operation("send", "quotes"),
            "publishDeadLetters": _operation("send", "deadLetters"),
            "publishTallies": _operation("send", "speakers"),
        },
        "components": {
            "messages": {
                "article": _message("Article", "ArticleEvent", _key("Article id.")),
                "quote": _message(
                    "Classified quote",
                    "QuoteEvent",
                    _key("Article id."),
                    _cloud_event(EVENT_TYPE, "traceparent", "tracestate"),
                ),
                "tally": _message(
                    "Tally of stances",
                    "TallyEvent",
                    _key("Kind and name: speaker:Jens Stoltenberg."),
                    _cloud_event(TALLY_TYPE),
                ),
                "deadLetter": {
                    "title": "Dead letter",
                    "contentType": "application/octet-stream",
                    "headers": _dead_letter_headers(),
                    "payload": {"description": "The bytes as received."},
                    "bindings": {"kafka": _key("As received.")},
                },
            },
            "schemas": {
                "ArticleEvent": _embedded(article_schema(), "ArticleEvent"),
                "QuoteEvent": _embedded(quote_schema(), "QuoteEvent"),
                "TallyEvent": _embedded(tally_schema(), "TallyEvent"),
            },
        },
    }


def _channel(address: str, message: str, description: str) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
    }


def _operation(action: str, channel: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}


def _message(
    title: str, schema: str, key: dict[str, Any], headers: dict[str, Any] | None = None
) -> dict[str, Any]:
    message: dict[str, Any] = {
        "title": title,
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{schema}"},
        "bindings": {"kafka": key},
    }
    return message | ({"headers": headers} if headers else {})


def _key(description: str) -> dict[str, Any]:
    return {"key": {"type": "string", "description": description}}


def _cloud_event(event_type: str, *trace: str) -> dict[str, Any]:
    """Headers of CloudEvents 1.0 in Kafka's binary content mode, and those of the trace."""
    passed_on = {"type": "string", "description": "As the article's message had it."}
    return {
        "type": "object",
        "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "content-type"],
        "properties": {
            "ce_specversion": {"const": SPEC_VERSION},
            "ce_id": {"type": "string", "description": "The event's id."},
            "ce_type": {"const": event_type},
            "ce_source": {"type": "string", "format": "uri-reference"},
            "ce_time": {"type": "string", "format": "date-time"},
            "content-type": {"const": "application/json"},
            **dict.fromkeys(trace, passed_on),
        },
    }


def _dead_letter_headers() -> dict[str, Any]:
    names = ("reason", "message", "topic", "partition", "offset", "time")
    properties: dict[str, Any] = {ERROR_PREFIX + name: {"type": "string"} for name in names}
    properties[ERROR_PREFIX + "reason"]["enum"] = [reason.value for reason in Reason]
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": {"type": "string"},
    }


def _without_title(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "title"}


def _embedded(schema: Any, name: str) -> Any:
    """The schema as part of a larger document: its references begin at the document's root."""
    if isinstance(schema, list):
        return [_embedded(item, name) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value.replace("#/$defs/", f"#/components/schemas/{name}/$defs/")
        if key == "$ref"
        else _embedded(value, name)
        for key, value in schema.items()
        if key != "$schema"
    }
