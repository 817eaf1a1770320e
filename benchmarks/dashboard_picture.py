"""What the Grafana dashboard shows, as a picture: the same queries, answered by a real Prometheus.

Regime: one worker with the packaged model, the embedded broker, the load of `stancewire bench` in
waves, one message in twenty broken; a minute and a half of this, then the five that are drawn.
Prometheus (Debian: prometheus) scrapes each second.

Run: make dashboard-picture
"""

import math
import random
import re
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.prometheus import Prometheus, panels
from service.bench.load import make_articles
from service.bench.parties import SERVICE, Party, party_settings
from service.broker import EmbeddedBroker
from service.clients import producer
from service.settings import Settings, load_settings

PARTITIONS = 4
SECONDS = 300
FIRST_SECONDS = 90
WAVE_SECONDS = 100
ARTICLES_PER_SECOND = 3.0
BROKEN_SHARE = 0.05
STEP_SECONDS = 5
PICTURE = Path(__file__).parents[1] / "docs" / "dashboard.svg"
THRESHOLD_COLOURS = {"green": "#2e7d46", "orange": "#b86a00", "red": "#c03030"}


def main() -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as name, EmbeddedBroker() as broker:
        folder = Path(name)
        settings = party_settings(load_settings(brokers=broker.address), SERVICE, "dashboard")
        with (
            Party(SERVICE, settings, PARTITIONS, folder / "worker.log"),
            Prometheus(folder, settings.http_port) as server,
        ):
            _publish_in_waves(settings)
            draw(server)


def _publish_in_waves(settings: Settings) -> None:
    rng, started = random.Random(1), time.monotonic()
    articles = iter(make_articles(10_000, seed=1))
    with producer(settings) as client:
        while (now := time.monotonic() - started) < FIRST_SECONDS + SECONDS:
            article = next(articles)
            broken = rng.random() < BROKEN_SHARE
            value = b"{" if broken else article.value
            client.send(settings.topic_articles, key=article.key, value=value)
            wave = 1 + 0.8 * math.sin(2 * math.pi * now / WAVE_SECONDS)
            time.sleep(rng.expovariate(ARTICLES_PER_SECOND * wave))


def draw(server: Prometheus) -> None:
    """Numbers of the present above, curves below, in the order of the dashboard."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    now = int(time.time())
    moments = range(now - SECONDS, now + 1, STEP_SECONDS)
    numbers = [panel for panel in panels() if panel["type"] == "stat"]
    graphs = [panel for panel in panels() if panel["type"] == "timeseries"]
    rows = math.ceil(len(graphs) / 2)
    figure = pyplot.figure(figsize=(11, 1.2 + 1.9 * rows), layout="constrained")
    grid = figure.add_gridspec(rows + 1, 12, height_ratios=[0.6] + [1] * rows)
    for place, panel in enumerate(numbers):
        _draw_number(figure.add_subplot(grid[0, 2 * place : 2 * place + 2]), panel, server)
    for place, panel in enumerate(graphs):
        column = 6 * (place % 2)
        axis = figure.add_subplot(grid[1 + place // 2, column : column + 6])
        _draw_curves(axis, panel, server, moments)
    figure.supxlabel("minutes", fontsize=8)
    figure.savefig(PICTURE)


def _draw_number(axis: Any, panel: dict[str, Any], server: Prometheus) -> None:
    value = float(server.query(panel["targets"][0]["expr"])[0]["value"][1])
    defaults = panel["fieldConfig"]["defaults"]
    steps = defaults["thresholds"]["steps"]
    reached = [one["color"] for one in steps if one["value"] is None or value >= one["value"]]
    unit = " s" if defaults["unit"] == "s" else ""
    colour = THRESHOLD_COLOURS[reached[-1]]
    axis.text(0.5, 0.4, f"{value:.3g}{unit}", ha="center", va="center", fontsize=20, color=colour)
    axis.set_title(panel["title"], fontsize=9)
    axis.set_axis_off()


def _draw_curves(axis: Any, panel: dict[str, Any], server: Prometheus, moments: range) -> None:
    curves = {
        _legend(target["legendFormat"], series["metric"]): series["values"]
        for target in panel["targets"]
        for series in server.curves(target["expr"], moments)
    }
    minutes = [(moment - moments[-1]) / 60 for moment in moments]
    colours = _colours(panel)
    defaults = panel["fieldConfig"]["defaults"]
    stacked = "stacking" in defaults["custom"]
    below = [0.0] * len(moments)
    for place, (name, values) in enumerate(sorted(curves.items())):
        colour = colours.get(name, f"C{place}")
        found = {int(moment): float(value) for moment, value in values}
        # A curve may begin late or pause: stacked, it is nothing there.
        line = [found.get(moment, 0.0 if stacked else math.nan) for moment in moments]
        if stacked:
            above = [low + value for low, value in zip(below, line, strict=True)]
            axis.fill_between(minutes, below, above, label=name, color=colour, alpha=0.7)
            below = above
        else:
            axis.plot(minutes, line, label=name, color=colour)
    _label(axis, panel["title"], defaults["unit"])


def _legend(template: str, labels: dict[str, str]) -> str:
    return re.sub(r"{{(\w+)}}", lambda found: labels[found[1]], template)


def _colours(panel: dict[str, Any]) -> dict[str, str]:
    """The colours that the dashboard fixes, by name of a curve."""
    return {
        override["matcher"]["options"]: override["properties"][0]["value"]["fixedColor"]
        for override in panel["fieldConfig"]["overrides"]
    }


def _label(axis: Any, title: str, unit: str) -> None:
    axis.set_title(title + (", seconds" if unit == "s" else ""), fontsize=9)
    axis.set_xlim(-SECONDS / 60, 0)
    axis.set_ylim(bottom=0, top=1.3 * axis.get_ylim()[1])  # room for the legend
    axis.tick_params(labelsize=7)
    axis.legend(fontsize=7, loc="upper left", ncols=4, frameon=False)
    formats = {"percentunit": lambda share, _: f"{share:.1%}", "bytes": _mebibytes}
    if unit in formats:
        axis.yaxis.set_major_formatter(formats[unit])


def _mebibytes(count: float, _: int) -> str:
    return f"{count / 2**20:.0f} MiB"


if __name__ == "__main__":
    main()
