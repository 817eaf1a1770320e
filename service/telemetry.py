"""Everything that watches articles on their way, in one hand."""

from dataclasses import dataclass, field

from service.health import Health
from service.live import RecentQuotes
from service.metrics import Metrics
from service.tracing import NoTracing, Tracing


@dataclass(frozen=True)
class Telemetry:
    """Who is told of an article's way.

    Args:
        health: of the oldest article in work, and of calls that hang.
        metrics: counts and times.
        recent: quotes that were delivered.
        tracing: spans.
    """

    health: Health
    metrics: Metrics = field(default_factory=Metrics)
    recent: RecentQuotes = field(default_factory=RecentQuotes)
    tracing: Tracing = field(default_factory=NoTracing)
