"""Spans of OpenTelemetry for each article, in the trace that its message names.

Off unless `STANCEWIRE_TRACING` is set: then an article's span is a child of the one in the
message's `traceparent`, its stages are children of it, and its events carry it on. The extra
`otel` brings the packages; where spans go is said by the standard's own variables (`OTEL_…`).

Source: OpenTelemetry semantic conventions for messaging and Kafka, 1.38.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

from service.errors import UsageError
from service.events import Headers
from service.trace_context import trace_context

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

SERVICE_NAME = "stancewire"


class Tracing(Protocol):
    """What the agent tells of an article's way."""

    def article(self, place: "Place", headers: Headers) -> AbstractContextManager[None]:
        """While an article is in work.

        Args:
            place: where its message lies.
            headers: of its message; they may name a trace to continue.
        """

    def stage(self, name: str) -> AbstractContextManager[None]:
        """While a stage of it runs: split, classify, encode, deliver."""

    def note(self, **attributes: Any) -> None:
        """Tell more of the article in work."""

    def trace(self, headers: Headers) -> Headers:
        """The trace context that goes out with the article's events."""


class Place(Protocol):
    """A message's place, as Faust's messages have it."""

    topic: str
    partition: int
    offset: int


class NoTracing:
    """Nothing is told; what a message says of its trace is passed on."""

    def article(self, place: Place, headers: Headers) -> AbstractContextManager[None]:
        """Tell nothing."""
        del place, headers
        return nullcontext()

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Tell nothing."""
        del name
        return nullcontext()

    def note(self, **attributes: Any) -> None:
        """Tell nothing."""

    def trace(self, headers: Headers) -> Headers:
        """As received, where it is valid."""
        return trace_context(headers)


class OpenTelemetry:
    """Spans by OpenTelemetry.

    Args:
        provider: makes the spans and sends them on.
    """

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._api = trace
        self._tracer = provider.get_tracer("stancewire")
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def article(self, place: Place, headers: Headers) -> Iterator[None]:
        """A span of kind consumer, in the trace that the message names, or a new one."""
        received = {name: content.decode() for name, content in trace_context(headers)}
        with self._tracer.start_as_current_span(
            f"process {place.topic}",
            self._propagator.extract(received),
            self._api.SpanKind.CONSUMER,
            {
                "messaging.system": "kafka",
                "messaging.operation.type": "process",
                "messaging.destination.name": place.topic,
                "messaging.destination.partition.id": str(place.partition),
                "messaging.kafka.offset": place.offset,
            },
        ):
            yield

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """A child span."""
        with self._tracer.start_as_current_span(name):
            yield

    def note(self, **attributes: Any) -> None:
        """Attributes of the present span, each with our prefix."""
        span = self._api.get_current_span()
        span.set_attributes({f"stancewire.{name}": value for name, value in attributes.items()})

    def trace(self, headers: Headers) -> Headers:
        """That of the present span."""
        del headers
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return [(name, content.encode()) for name, content in carrier.items()]


def load_tracing(*, wanted: bool) -> Tracing:
    """What the agent tells of, and to whom.

    Args:
        wanted: send spans by OTLP over HTTP; `OTEL_EXPORTER_OTLP_ENDPOINT` says where to.

    Raises:
        UsageError: the packages are not installed.
    """
    if not wanted:
        return NoTracing()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise UsageError(
            f"STANCEWIRE_TRACING: {error.name} is not installed; pip install 'stancewire[otel]'"
        ) from error
    named = Resource({"service.name": SERVICE_NAME}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=Resource.create().merge(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return OpenTelemetry(provider)
