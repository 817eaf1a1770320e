"""What a soak found: its curves as a picture, their first and last fifth, and whether one grew."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

GROWTH = 1.2
"""A curve whose last fifth is this much above the first, and its slack more, has grown."""


@dataclass(frozen=True)
class Sample:
    """One worker at one moment; `lag`, `broker` and `speed` are of group, broker and machine.

    Bytes, plain counts, shares of one core; `speed` is 1 when the full rate was measured, and the
    load follows it; `seconds` since the load began.
    """

    seconds: float
    worker: int
    resident_bytes: int
    files: int
    threads: int
    tasks: int
    lag: int
    broker: float
    speed: float


@dataclass(frozen=True)
class Latency:
    """Seconds from publication to the last quote, of the articles published in one minute."""

    seconds: float
    p50: float
    p99: float


@dataclass(frozen=True)
class Soak:
    """What a soak found. `ended` counts workers that did so unasked."""

    full_quotes_per_second: float
    samples: list[Sample]
    latency: list[Latency]
    rebalances: list[float]
    missing: int
    quotes: int
    ended: int


@dataclass(frozen=True)
class _Curve:
    label: str
    slack: float
    value: Callable[[Sample], float]


_CURVES = {
    "memory": _Curve("memory, MiB", 16, lambda one: one.resident_bytes / 2**20),
    "files": _Curve("open files", 4, lambda one: one.files),
    "threads": _Curve("threads", 4, lambda one: one.threads),
    "tasks": _Curve("tasks", 50, lambda one: one.tasks),
    "lag": _Curve("lag, articles", 100, lambda one: one.lag),
    "broker": _Curve("broker, cores", 0.25, lambda one: one.broker),
    "speed": _Curve("machine's speed", 1.0, lambda one: one.speed),
}
_P99_SLACK = 2.0  # seconds


def ends(found: Soak) -> dict[str, tuple[float, float]]:
    """Medians of the first and the last fifth of each curve, of the worker that ends higher."""
    result = {
        name: max((_ends(own) for own in _by_worker(found, curve)), key=itemgetter(1))
        for name, curve in _CURVES.items()
    }
    result["p50"] = _ends([one.p50 for one in found.latency])
    result["p99"] = _ends([one.p99 for one in found.latency])
    return result


def grown(found: Soak) -> list[str]:
    """Names of the curves that did not stay flat."""
    slack = {name: curve.slack for name, curve in _CURVES.items()} | {"p99": _P99_SLACK}
    return [
        name
        for name, (first, last) in ends(found).items()
        if name in slack and last > GROWTH * first + slack[name]
    ]


def _by_worker(found: Soak, curve: _Curve) -> list[list[float]]:
    workers = sorted({one.worker for one in found.samples})
    return [[curve.value(one) for one in found.samples if one.worker == n] for n in workers]


def _ends(values: Sequence[float]) -> tuple[float, float]:
    fifth = max(1, len(values) // 5)
    return round(float(np.median(values[:fifth])), 3), round(float(np.median(values[-fifth:])), 3)


def summary(found: Soak) -> dict[str, object]:
    """The result in numbers."""
    return {
        "quotes": found.quotes,
        "missing": found.missing,
        "ended": found.ended,
        "full_quotes_per_second": round(found.full_quotes_per_second, 1),
        "rebalances": len(found.rebalances),
        "lag_worst": max(one.lag for one in found.samples),
        **ends(found),
        "grown": grown(found),
    }


def draw(found: Soak, path: Path) -> None:
    """The picture, as SVG."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(8, 1, figsize=(9, 13), sharex=True, layout="constrained")
    for axis, curve in zip(axes, _CURVES.values(), strict=False):
        for worker, values in enumerate(_by_worker(found, curve)):
            axis.plot(_minutes(found, worker), values, label=f"worker {worker + 1}")
        axis.set_ylabel(curve.label)
        axis.set_ylim(0, 1.15 * (max(curve.value(one) for one in found.samples) or 1))
    axes[0].legend(loc="lower right")
    _draw_latency(axes[-1], found.latency)
    for axis in axes:
        for moment in found.rebalances:
            axis.axvline(moment / 60, color="lightgrey", zorder=0)
    figure.savefig(path)


def _minutes(found: Soak, worker: int) -> list[float]:
    return [one.seconds / 60 for one in found.samples if one.worker == worker]


def _draw_latency(axis: Any, latency: Sequence[Latency]) -> None:
    minutes = [one.seconds / 60 for one in latency]
    axis.plot(minutes, [one.p50 for one in latency], label="p50", marker=".")
    axis.plot(minutes, [one.p99 for one in latency], label="p99", marker=".")
    axis.set_ylabel("latency, s")
    axis.set_yscale("log")
    axis.legend(loc="upper right")
    axis.set_xlabel("minutes; grey: a worker joins or leaves")
