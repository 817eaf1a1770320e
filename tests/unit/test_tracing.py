"""Spans of an article: in its message's trace, with its stages, carried on by its events."""

import builtins
import logging
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, format_span_id, format_trace_id

from service.errors import UsageError
from service.health import Health
from service.telemetry import Telemetry
from service.tracing import NoTracing, OpenTelemetry, load_tracing
from tests.unit.test_agent import Log, long_article, message_of, work_on

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACED = {"headers": [("traceparent", f"00-{TRACE}-{PARENT}-01".encode())]}


def traced(message: Any, log: Log | None = None) -> list[ReadableSpan]:
    """The spans of an agent's work on a message, in the order of their ends."""
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    work_on(message, log or Log(), Telemetry(Health(60, 60), tracing=OpenTelemetry(provider)))
    return list(spans.get_finished_spans())


def test_an_article_is_a_span_in_the_trace_of_its_message() -> None:
    *_, article = traced(message_of(long_article(2), **TRACED))
    assert article.name == "process articles"
    assert article.kind is SpanKind.CONSUMER
    assert article.parent
    assert format_trace_id(article.parent.trace_id) == TRACE
    assert format_span_id(article.parent.span_id) == PARENT
    assert dict(article.attributes or {}) == {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.destination.name": "articles",
        "messaging.destination.partition.id": "0",
        "messaging.kafka.offset": 7,
        "stancewire.article_id": "long",
        "stancewire.quotes": 2,
        "stancewire.outcome": "classified",
    }


def test_its_stages_are_children_of_it() -> None:
    *stages, article = traced(message_of(long_article(2), **TRACED))
    assert [span.name for span in stages] == ["split", "classify", "deliver"]
    for span in stages:
        assert span.parent == article.context


def test_its_events_carry_the_trace_on_from_its_span() -> None:
    log = Log()
    *_, article = traced(message_of(long_article(2), **TRACED), log)
    assert article.context
    expected = f"00-{TRACE}-{format_span_id(article.context.span_id)}-01"
    for _, _, _, headers in log.sent:
        assert dict(headers)["traceparent"].decode() == expected


@pytest.mark.parametrize("headers", [[], [("traceparent", b"nonsense")], [("traceparent", None)]])
def test_without_a_valid_trace_an_article_begins_one(headers: Any) -> None:
    log = Log()
    *_, article = traced(message_of(long_article(1), headers=headers), log)
    assert article.parent is None
    assert article.context
    sent = dict(log.sent[0][3])["traceparent"].decode()
    assert sent.split("-")[1] == format_trace_id(article.context.trace_id)


def test_a_dead_letter_is_told_with_its_reason_and_keeps_the_headers_it_came_with() -> None:
    log = Log()
    *_, article = traced(message_of(b"{", **TRACED), log)
    attributes = dict(article.attributes or {})
    assert attributes["stancewire.outcome"] == "dead_letter"
    assert attributes["stancewire.reason"] == "not_json"
    assert TRACED["headers"][0] in log.sent[0][3]


def test_log_lines_name_the_trace(caplog: pytest.LogCaptureFixture) -> None:
    from service.logs import WithArticle

    caplog.handler.addFilter(WithArticle())
    with caplog.at_level(logging.WARNING, "service.agent"):
        work_on(message_of(b"{", **TRACED), Log())
    [record] = [one for one in caplog.records if "dead letter" in one.message]
    fields = vars(record)
    assert [fields[name] for name in ("topic", "partition", "offset", "trace_id")] == [
        "articles", 0, 7, TRACE,
    ]  # fmt: skip


def test_tracing_is_off_unless_wanted() -> None:
    assert isinstance(load_tracing(wanted=False), NoTracing)


def test_wanted_without_its_packages_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("opentelemetry.exporter"):
            raise ModuleNotFoundError("no module", name="opentelemetry.exporter")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"STANCEWIRE_TRACING.*stancewire\[otel\]"):
        load_tracing(wanted=True)
