"""The Grafana dashboard, from code: `make dashboard` writes `dashboards/stancewire.json`.

Read from the top: is it well now, does it flow, is it on time, what is said. Speakers are missing
on purpose: their number has no bound, so they cannot be a label of a metric. `stancewire
watch-speakers` counts them, on a topic.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendPlacement, StackingMode, TooltipDisplayMode
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
)

FILE = Path(__file__).parent / "dashboards" / "stancewire.json"
SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")
JOB = 'job=~"$job"'
COLOURS = {
    "sceptical": "#e0a030",
    "conciliatory": "#3fa36c",
    "threatening": "#d04a4a",
    "none": "#8a9199",
}
GREEN, AMBER, RED = "green", "orange", "red"
STAT_WIDTH, GRAPH_WIDTH, STAT_HEIGHT, GRAPH_HEIGHT = 4, 12, 4, 8
Panel = stat.Panel | timeseries.Panel


class Query(NamedTuple):
    """An expression, and what its series are called."""

    expression: str
    legend: str = ""


class Now(NamedTuple):
    """One number of the present, green, amber or red. `amber` and `red`: from where on."""

    title: str
    about: str
    query: str
    unit: str
    amber: float | None = None
    red: float | None = None


class Graph(NamedTuple):
    """Curves over time. `stacked`: they add up to a whole."""

    title: str
    about: str
    unit: str
    queries: tuple[Query, ...]
    stacked: bool = False


NOW = (
    Now(
        "Ready workers",
        "Workers that answer a scrape and have partitions.",
        f"count(count by (instance) (stancewire_consumer_lag{{{JOB}}})) or vector(0)",
        "short",
    ),
    Now(
        "Lag",
        "Articles that wait. Growing for long: add workers, up to one for each partition.",
        f"sum(stancewire_consumer_lag{{{JOB}}})",
        "short",
        1_000,
        10_000,
    ),
    Now(
        "Quotes a second",
        "Delivered, of the last 5 minutes.",
        f"sum(rate(stancewire_quotes_total{{{JOB}}}[5m]))",
        "short",
    ),
    Now(
        "Age of an article, p99",
        "From its publication to Kafka to the delivery of its quotes.",
        "histogram_quantile(0.99, sum by (le) "
        f"(rate(stancewire_article_age_seconds_bucket{{{JOB}}}[5m])))",
        "s",
        10,
        60,
    ),
    Now(
        "Dead letters, 1 h",
        "Articles that could not be processed: `stancewire dead-letters list`.",
        f"sum(increase(stancewire_dead_letters_total{{{JOB}}}[1h]))",
        "short",
        1,
        100,
    ),
    Now(
        "Stalled workers",
        "At a standstill, in the last 5 minutes; they end by themselves.",
        f"sum(max_over_time(stancewire_stalled{{{JOB}}}[5m]))",
        "short",
        None,
        1,
    ),
)

ROWS: dict[str, tuple[Graph, ...]] = {
    "Flow": (
        Graph(
            "Articles a second",
            "Finished, by outcome.",
            "short",
            (
                Query(
                    "sum by (outcome) "
                    f"(rate(stancewire_articles_total{{{JOB}}}[$__rate_interval]))",
                    "{{outcome}}",
                ),
            ),
            stacked=True,
        ),
        Graph(
            "Lag by partition",
            "One partition alone: a slow worker, or a key that dominates. All: too few workers.",
            "short",
            (Query(f"max by (partition) (stancewire_consumer_lag{{{JOB}}})", "{{partition}}"),),
        ),
        Graph(
            "In work",
            "Articles read and not yet delivered. At the limit (max_in_flight_articles) a worker "
            "reads no more.",
            "short",
            (Query(f"sum by (instance) (stancewire_in_flight_articles{{{JOB}}})", "{{instance}}"),),
        ),
        Graph(
            "Dead letters a minute",
            "By reason; the reasons: docs/decisions/0002-error-handling.md.",
            "short",
            (
                Query(
                    f"60 * sum by (reason) "
                    f"(rate(stancewire_dead_letters_total{{{JOB}}}[$__rate_interval])) > 0",
                    "{{reason}}",
                ),
            ),
            stacked=True,
        ),
    ),
    "Latency": (
        Graph(
            "Age of an article",
            "From its publication to Kafka to the delivery of its quotes: with the time it waited.",
            "s",
            tuple(
                Query(
                    f"histogram_quantile({q}, sum by (le) "
                    f"(rate(stancewire_article_age_seconds_bucket{{{JOB}}}[$__rate_interval])))",
                    name,
                )
                for q, name in ((0.5, "p50"), (0.99, "p99"))
            ),
        ),
        Graph(
            "Work on an article",
            "From reading it to the delivery of its quotes: without the time it waited.",
            "s",
            tuple(
                Query(
                    f"histogram_quantile({q}, sum by (le) "
                    f"(rate(stancewire_article_seconds_bucket{{{JOB}}}[$__rate_interval])))",
                    name,
                )
                for q, name in ((0.5, "p50"), (0.99, "p99"))
            ),
        ),
        Graph(
            "Model time of a quote",
            "Time of model calls, shared among their quotes.",
            "s",
            (
                Query(
                    "sum by (instance) "
                    f"(rate(stancewire_inference_seconds_sum{{{JOB}}}[$__rate_interval])) "
                    "/ sum by (instance) "
                    f"(rate(stancewire_inference_quotes_sum{{{JOB}}}[$__rate_interval]))",
                    "{{instance}}",
                ),
            ),
        ),
        Graph(
            "Quotes scored before",
            "Share found in the cache: what syndication saves.",
            "percentunit",
            (
                Query(
                    "sum(rate(stancewire_score_cache_requests_total"
                    f'{{result="hit",{JOB}}}[$__rate_interval])) / '
                    f"sum(rate(stancewire_score_cache_requests_total{{{JOB}}}[$__rate_interval]))",
                    "hits",
                ),
            ),
        ),
    ),
    "Stances": (
        Graph(
            "Quotes a minute, by stance",
            "As delivered. A quote that is delivered twice counts twice.",
            "short",
            (
                Query(
                    "60 * sum by (stance) "
                    f"(rate(stancewire_quotes_total{{{JOB}}}[$__rate_interval]))",
                    "{{stance}}",
                ),
            ),
            stacked=True,
        ),
        Graph(
            "Share of each stance, 1 h",
            "A mix that drifts: the news, the feed or the model has changed. Who says it: "
            "`stancewire watch-speakers`.",
            "percentunit",
            (
                Query(
                    f"sum by (stance) (increase(stancewire_quotes_total{{{JOB}}}[1h])) "
                    f"/ scalar(sum(increase(stancewire_quotes_total{{{JOB}}}[1h])))",
                    "{{stance}}",
                ),
            ),
        ),
    ),
    "Processes": (
        Graph(
            "Memory",
            "Resident, by worker.",
            "bytes",
            (
                Query(
                    f"process_resident_memory_bytes{{{JOB}}} and on (job, instance) "
                    "stancewire_stalled",
                    "{{instance}}",
                ),
            ),
        ),
        Graph(
            "Processor",
            "Cores in use, by worker.",
            "short",
            (
                Query(
                    f"rate(process_cpu_seconds_total{{{JOB}}}[$__rate_interval]) "
                    "and on (job, instance) stancewire_stalled",
                    "{{instance}}",
                ),
            ),
        ),
    ),
}


def build() -> str:
    """The dashboard as JSON."""
    board = (
        dashboard.Dashboard("Stancewire")
        .uid("stancewire")
        .description("Quotations of news articles and their stances: flow, lag, latency, stances.")
        .tags(["stancewire", "kafka", "news"])
        .time("now-1h", "now")
        .refresh("10s")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
        .with_variable(dashboard.DatasourceVariable("source").type("prometheus").label("source"))
        .with_variable(
            dashboard.QueryVariable("job")
            .label("job")
            .query("label_values(stancewire_stalled, job)")
            .datasource(SOURCE)
            .multi(True)
            .include_all(True)
            .all_value(".+")
        )
    )
    for one in NOW:
        board = board.with_panel(_number(one))
    for title, graphs in ROWS.items():
        board = board.with_row(dashboard.Row(title))
        for graph in graphs:
            board = board.with_panel(_curves(graph))
    return JSONEncoder(sort_keys=True, indent=2).encode(board.build()) + "\n"


def _number(one: Now) -> stat.Panel:
    steps = [Threshold(value=None, color=GREEN)]
    steps += [Threshold(value=one.amber, color=AMBER)] if one.amber is not None else []
    steps += [Threshold(value=one.red, color=RED)] if one.red is not None else []
    thresholds = dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
    return (
        stat.Panel()
        .title(one.title)
        .description(one.about)
        .datasource(SOURCE)
        .unit(one.unit)
        .thresholds(thresholds)
        .span(STAT_WIDTH)
        .height(STAT_HEIGHT)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .with_target(prometheus.Dataquery().ref_id("A").expr(one.query).instant())
    )


def _curves(graph: Graph) -> timeseries.Panel:
    panel = (
        timeseries.Panel()
        .title(graph.title)
        .description(graph.about)
        .datasource(SOURCE)
        .unit(graph.unit)
        .min(0)
        .span(GRAPH_WIDTH)
        .height(GRAPH_HEIGHT)
        .legend(common.VizLegendOptions().show_legend(True).placement(LegendPlacement.BOTTOM))
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        .fill_opacity(40 if graph.stacked else 8)
    )
    if graph.stacked:
        panel = panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))
    for letter, query in zip("ABCD", graph.queries, strict=False):
        target = prometheus.Dataquery().ref_id(letter).expr(query.expression)
        panel = panel.with_target(target.legend_format(query.legend).range())
    by_stance = any(query.legend == "{{stance}}" for query in graph.queries)
    for stance, colour in COLOURS.items() if by_stance else ():
        fixed = {"mode": FieldColorModeId.FIXED.value, "fixedColor": colour}
        panel = panel.override_by_name(stance, [DynamicConfigValue("color", fixed)])
    return panel


def queries() -> Iterator[str]:
    """Every expression of the dashboard."""
    yield from (one.query for one in NOW)
    for graphs in ROWS.values():
        for graph in graphs:
            yield from (query.expression for query in graph.queries)


if __name__ == "__main__":
    FILE.write_text(build(), encoding="utf-8")
