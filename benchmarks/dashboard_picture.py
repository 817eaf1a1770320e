"""What the Grafana dashboard shows, as a picture: the same queries, answered by a real Prometheus.

Regime: one worker with the packaged model, the embedded broker, the load of `stancewire bench` in
waves for five minutes, one message in twenty broken. Prometheus (Debian: prometheus) scrapes each
second.

Run: make dashboard-picture
"""

import math
import random
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
WAVE_SECONDS = 100
ARTICLES_PER_SECOND = 3.0
BROKEN_SHARE = 0.05
STEP_SECONDS = 5
PICTURE = Path(__file__).parents[1] / "docs" / "dashboard.svg"
COLOURS = {
    "sceptical": "#e0a030", "conciliatory": "#3fa36c", "threatening": "#d04a4a", "none": "#8a9199",
}  # fmt: skip


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
        while (now := time.monotonic() - started) < SECONDS:
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

    numbers = [panel for panel in panels() if panel["type"] == "stat"]
    graphs = [panel for panel in panels() if panel["type"] == "timeseries"]
    rows = math.ceil(len(graphs) / 2)
    figure = pyplot.figure(figsize=(11, 1.2 + 1.9 * rows), layout="constrained")
    grid = figure.add_gridspec(rows + 1, 12, height_ratios=[0.6] + [1] * rows)
    for place, panel in enumerate(numbers):
        _draw_number(figure.add_subplot(grid[0, 2 * place : 2 * place + 2]), panel, server)
    for place, panel in enumerate(graphs):
        column = 6 * (place % 2)
        _draw_curves(figure.add_subplot(grid[1 + place // 2, column : column + 6]), panel, server)
    figure.savefig(PICTURE)


def _draw_number(axis: Any, panel: dict[str, Any], server: Prometheus) -> None:
    found = server.query(panel["targets"][0]["expr"])
    value = float(found[0]["value"][1]) if found else math.nan
    unit = " s" if panel["fieldConfig"]["defaults"].get("unit") == "s" else ""
    axis.text(0.5, 0.4, f"{value:.3g}{unit}", ha="center", va="center", fontsize=20)
    axis.set_title(panel["title"], fontsize=9)
    axis.set_axis_off()


def _draw_curves(axis: Any, panel: dict[str, Any], server: Prometheus) -> None:
    for target in panel["targets"]:
        for series in server.curves(target["expr"], SECONDS, STEP_SECONDS):
            name = next(iter(series["metric"].values()), target["legendFormat"])
            times = [moment - series["values"][-1][0] for moment, _ in series["values"]]
            values = [float(value) for _, value in series["values"]]
            axis.plot(times, values, label=name, color=COLOURS.get(name))
    axis.set_title(panel["title"], fontsize=9)
    axis.set_ylim(bottom=0)
    axis.tick_params(labelsize=7)
    if 0 < len(axis.get_lines()) <= 8:
        axis.legend(fontsize=7, loc="upper left")


if __name__ == "__main__":
    main()
