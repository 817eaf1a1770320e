"""What Prometheus sees: one registry of our own, base units, bounded label values."""

from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.samples import Sample

from service.errors import Reason

PREFIX = "stancewire"
# A `_created` series for each of ours would nearly double what is scraped.
disable_created_metrics()  # type: ignore[no-untyped-call]
ARTICLE_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
ARTICLE_AGE_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400)
INFERENCE_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
INFERENCE_QUOTES = (1, 2, 4, 8, 16, 32, 64, 128, 256)

CLASSIFIED, EMPTY, DEAD_LETTER = OUTCOMES = ("classified", "empty", "dead_letter")

HIT, MISS = "hit", "miss"


class Metrics:
    """Every metric of one worker; each instance has its own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.articles = self._counter("articles", "Articles finished, by outcome.", "outcome")
        self.quotes = self._counter("quotes", "Quotes delivered, by stance.", "stance")
        self.dead_letters = self._counter(
            "dead_letters", "Articles sent to the dead-letter topic, by reason.", "reason"
        )
        self.replayed_articles = self._counter(
            "replayed_articles", "Articles finished that had been dead letters before."
        )
        self.parked_dead_letters = self._counter(
            "parked_dead_letters", "Dead letters of articles that had been replayed before."
        )
        self.article_seconds = self._histogram(
            "article_seconds", "From reading an article to delivery of its quotes.", ARTICLE_SECONDS
        )
        self.article_age_seconds = self._histogram(
            "article_age_seconds",
            "From publication of an article to Kafka to delivery of its quotes.",
            ARTICLE_AGE_SECONDS,
        )
        self.inference_seconds = self._histogram(
            "inference_seconds", "One model call.", INFERENCE_SECONDS
        )
        self.inference_quotes = self._histogram(
            "inference_quotes", "Quotes in one model call.", INFERENCE_QUOTES
        )
        self.score_cache = self._counter(
            "score_cache_requests",
            "Quotes looked up among those scored before, by result.",
            "result",
        )
        self.in_flight_articles = self._gauge(
            "in_flight_articles", "Articles read and not yet delivered."
        )
        self.in_flight_bytes = self._gauge("in_flight_bytes", "Their size as received.")
        self.consumer_lag = self._gauge(
            "consumer_lag",
            "Messages of an assigned partition that are not committed.",
            "topic",
            "partition",
        )
        self.stalled = self._gauge(
            "stalled", "1 while the worker does not live and is about to end."
        )
        self.event_loop_tasks = self._gauge(
            "event_loop_tasks", "Tasks on the worker's event loop; a leak would show here."
        )
        self.model_info = self._gauge(
            "model_info", "Always 1; says which model judges.", "name", "version", "labels"
        )
        # A series that appears only with its first event makes rates and alerts miss that event.
        for outcome in OUTCOMES:
            self.articles.labels(outcome)
        for result in (HIT, MISS):
            self.score_cache.labels(result)
        for reason in Reason:
            self.dead_letters.labels(reason.value)

    def render(self) -> bytes:
        """The text exposition format, version 0.0.4."""
        return generate_latest(self.registry)

    def counts(self) -> dict[str, Any]:
        """The counters of the live page: those that a person asks for first."""
        quotes = {
            sample.labels["stance"]: int(sample.value) for sample in _samples(self.quotes, "_total")
        }
        return {
            "quotes": quotes,
            "articles": _sum(self.articles, "_total"),
            "dead_letters": _sum(self.dead_letters, "_total"),
            "in_flight_articles": _sum(self.in_flight_articles),
            "consumer_lag": _sum(self.consumer_lag),
        }

    def observe_inference(self, seconds: float, quotes: int) -> None:
        """Note one model call."""
        self.inference_seconds.observe(seconds)
        self.inference_quotes.observe(quotes)

    def observe_cache(self, hits: int, misses: int) -> None:
        """Note how many quotes of an article were scored before."""
        self.score_cache.labels(HIT).inc(hits)
        self.score_cache.labels(MISS).inc(misses)

    def set_model(self, name: str, version: str, labels: str, stances: tuple[str, ...]) -> None:
        """Say which model and label set judge, and begin a series for every stance."""
        self.model_info.labels(name, version, labels).set(1)
        for stance in stances:
            self.quotes.labels(stance)

    def set_lag(self, lag: dict[tuple[str, int], int]) -> None:
        """Replace the lag of all partitions: those assigned to another worker by now vanish."""
        self.consumer_lag.clear()
        for (topic, partition), messages in lag.items():
            self.consumer_lag.labels(topic, partition).set(messages)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, namespace=PREFIX, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, namespace=PREFIX, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, text, buckets=buckets, namespace=PREFIX, registry=self.registry)


def _samples(metric: MetricWrapperBase, suffix: str) -> list[Sample]:
    return [
        sample
        for family in metric.collect()
        for sample in family.samples
        if sample.name.endswith(suffix)
    ]


def _sum(metric: MetricWrapperBase, suffix: str = "") -> int:
    return int(sum(sample.value for sample in _samples(metric, suffix)))
