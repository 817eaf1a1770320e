"""A week of a worker that ends badly in every way that an alert watches for, for a Prometheus.

What a worker serves (its own metrics, with their own labels) over seven days and a little more, as
OpenMetrics text: `promtool tsdb create-blocks-from openmetrics` makes a Prometheus' past of it.
"""

from collections.abc import Callable, Iterator
from itertools import chain

from prometheus_client.samples import Sample

from service.metrics import Metrics

MINUTE = 60
HOUR = 60 * MINUTE
SPAN_SECONDS = 7 * 24 * HOUR + 2 * HOUR
STEP_SECONDS = MINUTE


def _since(seconds: float) -> Callable[[float], float]:
    """Seconds for which something goes on that began so long before the end."""
    return lambda age: max(0.0, seconds - age)


def _until(seconds: float) -> Callable[[float], float]:
    """Seconds for which something has gone on that stopped so long before the end."""
    return lambda age: SPAN_SECONDS - max(age, seconds)


def _steady(age: float) -> float:
    return SPAN_SECONDS - age


# The value of each metric, by the seconds that are left until the end.
CURVES: dict[str, Callable[[float], float]] = {
    "stancewire_articles_total": _until(20 * MINUTE),
    "stancewire_dead_letters_total": _since(10 * MINUTE),
    "stancewire_replayed_articles_total": lambda _: 0.0,
    "stancewire_parked_dead_letters_total": _since(10 * MINUTE),
    "stancewire_stalled": lambda age: float(age < 5 * MINUTE),
    "process_start_time_seconds": lambda age: _since(25 * MINUTE)(age) // (5 * MINUTE),
    "stancewire_consumer_lag": lambda age: 2_000 + _since(30 * MINUTE)(age),
    "stancewire_inference_seconds_sum": lambda age: 0.01 * _steady(age) + _since(10 * MINUTE)(age),
    "stancewire_inference_quotes_sum": _steady,
    "stancewire_model_info": lambda _: 1.0,
}
STANCES = {"conciliatory": _until(HOUR), "threatening": _since(HOUR)}


def openmetrics(end: float) -> Iterator[str]:
    """Lines of the week that ends then (Unix time in seconds): a sample a minute."""
    for sample in _samples():
        curve = STANCES.get(sample.labels.get("stance", "")) or CURVES.get(sample.name)
        if curve is None:
            continue
        labels = {"job": "stancewire", "instance": "worker:8088", **sample.labels}
        series = ",".join(f'{name}="{value}"' for name, value in labels.items())
        for age in range(SPAN_SECONDS, -1, -STEP_SECONDS):
            yield f"{sample.name}{{{series}}} {curve(age)} {end - age:.0f}\n"
    yield "# EOF\n"


def _samples() -> Iterator[Sample]:
    """All that a worker serves that has read, classified and failed."""
    metrics = Metrics()
    metrics.set_lag({("articles", 0): 1})
    metrics.set_model("m", "v", "l", tuple(STANCES))
    metrics.dead_letters.labels("timeout")
    metrics.articles.labels("classified")
    return chain.from_iterable(family.samples for family in metrics.registry.collect())
