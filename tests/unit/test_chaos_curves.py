"""A soak fails when a curve grows, and only then."""

from dataclasses import replace

import pytest

from chaos.curves import Latency, Sample, Soak, ends, grown

FLAT = Sample(0.0, 0, 250 * 2**20, files=19, threads=11, tasks=80, lag=40, broker=0.1, speed=1.0)


def soaked(*samples: Sample, latency: tuple[float, ...] = (1.0, 1.0)) -> Soak:
    minutes = [Latency(60.0 * n, p99 / 2, p99) for n, p99 in enumerate(latency)]
    return Soak(100.0, list(samples), minutes, [], missing=0, quotes=1, ended=0)


def test_flat_curves_have_not_grown() -> None:
    assert grown(soaked(*[FLAT] * 20)) == []


@pytest.mark.parametrize(
    ("curve", "later"),
    [
        ("memory", {"resident_bytes": 400 * 2**20}),
        ("files", {"files": 40}),
        ("threads", {"threads": 30}),
        ("tasks", {"tasks": 160}),
        ("lag", {"lag": 2_700}),
        ("broker", {"broker": 0.5}),
    ],
)
def test_each_curve_that_grows_is_named(curve: str, later: dict[str, int]) -> None:
    assert grown(soaked(*[FLAT] * 10, *[replace(FLAT, **later)] * 10)) == [curve]


def test_a_moment_of_lag_at_a_rebalance_is_no_growth() -> None:
    assert grown(soaked(*[FLAT] * 15, *[replace(FLAT, lag=500)] * 2, *[FLAT] * 3)) == []


def test_latency_that_grows_is_named() -> None:
    found = soaked(*[FLAT] * 5, latency=(1.0, 1.2, 1.1, 30.0, 120.0))
    assert grown(found) == ["p99"]
    assert ends(found)["p99"] == (1.0, 120.0)


def test_what_grows_in_one_of_two_workers_is_named() -> None:
    other = replace(FLAT, worker=1)
    later = replace(other, resident_bytes=900 * 2**20)
    assert grown(soaked(*[FLAT, other] * 10, *[FLAT, later] * 10)) == ["memory"]
