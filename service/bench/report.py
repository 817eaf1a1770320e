"""A run's result as tables for people."""

import statistics
from collections.abc import Sequence

from rich.table import Table

from service.bench.parties import FORWARD, NAIVE, PATH, SERVICE
from service.bench.run import PartyResult, Result
from service.output import Output

NAMES = {
    NAIVE: "a naive",
    SERVICE: "b Stancewire",
    PATH: "  without network",
    FORWARD: "d forwarding",
}
MODEL = "c model alone"
LEGEND = """a: a Faust agent that calls a pipeline, one quote at a time
b: Stancewire; without network: with the model "keywords"
c: the model in perfect batches, no Kafka, no splitting
d: a Faust agent that forwards: no splitting, no model"""


def print_result(result: Result) -> None:
    """Rates and costs, latencies, ratios."""
    output = Output()
    output.print(LEGEND)
    output.print(_rates(result))
    output.print(_latencies(result))
    alone, p99 = result.five_quotes_alone_seconds, result.five_quotes_p99_at_half_load
    output.print(f"b/c  {spread(result.service_to_model, 2)}")
    output.print(f"b/a  {spread(result.service_to_naive, 1)}")
    output.print(
        f"5-quote article: alone {alone * 1000:.0f} ms, p99 at 50 % load {p99 * 1000:.0f} ms: "
        f"{p99 / alone:.1f} times"
    )


def _rates(result: Result) -> Table:
    table = Table(
        "medians (least to most)",
        "quotes/s",
        "articles/s",
        "CPU ms/quote",
        "MiB",
        header_style="bold",
    )
    for party in (NAIVE, SERVICE, PATH):
        _add(table, NAMES[party], result.parties[party])
    table.add_row(MODEL, spread(result.model_alone, 0), "", "", "")
    _add(table, NAMES[FORWARD], result.parties[FORWARD])
    return table


def _add(table: Table, name: str, one: PartyResult) -> None:
    table.add_row(
        name,
        spread(one.quotes_per_second, 0 if one.quotes_per_second[0] > 100 else 1),
        f"{statistics.median(one.articles_per_second):.1f}",
        f"{statistics.median(one.cpu_seconds_per_1000_quotes):.2f}",
        f"{statistics.median(one.resident_mib):.0f}",
    )


def _latencies(result: Result) -> Table:
    columns = ("ms until delivered", "load", "articles", "p50", "p95", "p99")
    table = Table(*columns, header_style="bold")
    for party, one in result.parties.items():
        for load, found in one.latency.items():
            times = [f"{found[p] * 1000:.0f}" for p in ("p50", "p95", "p99")]
            table.add_row(NAMES[party], load, f"{found['articles']:.0f}", *times)
    return table


def spread(values: Sequence[float], digits: int) -> str:
    """Median, and between what values it lies."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
