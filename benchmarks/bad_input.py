"""Question: how much do bad messages slow good ones.

Regime: one worker with the packaged model and the embedded broker on this machine. In each round
the same good articles go through twice: alone, and mixed 1:1 with bad messages of every kind. The
measure is good articles per second, from the first delivery to the last; the result is the ratio,
median of the rounds. Bound: 0.8. The last line is JSON.

Run: make bench-bad-input
"""

import itertools
import json
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

from service.broker import EmbeddedBroker
from service.clients import create_topics, producer
from tests.integration.harness import (
    NumberedArticle,
    WorkerProcess,
    numbered_articles,
    settings_for,
    wait_until,
)
from tests.integration.test_bad_input import BAD

ARTICLES = 2000
ROUNDS = 3
BOUND = 0.8


def main() -> int:
    """Run all rounds; 1 when the bound is missed."""
    ratios = []
    with tempfile.TemporaryDirectory() as folder, EmbeddedBroker() as broker:
        settings = settings_for(broker.address)
        create_topics(settings, partitions=4, replicas=1)
        worker = WorkerProcess(settings, Path(folder) / "worker.log").start().wait_ready()
        try:
            _rate(worker, numbered_articles(200, seed=0, prefix="warm"), mixed=False)
            for number in range(ROUNDS):
                good = numbered_articles(ARTICLES, seed=number, prefix=f"r{number}-")
                alone = _rate(worker, good, mixed=False)
                mixed = _rate(worker, good, mixed=True)
                ratios.append(mixed / alone)
                print(f"round {number + 1}: alone {alone:.0f}/s, mixed {mixed:.0f}/s")
        finally:
            worker.stop()
    median = statistics.median(ratios)
    result = {
        "benchmark": "bad_input",
        "good_articles": ARTICLES,
        "ratios": [round(ratio, 3) for ratio in ratios],
        "median": round(median, 3),
        "bound": BOUND,
        "python": platform.python_version(),
    }
    print(json.dumps(result))
    return 0 if median >= BOUND else 1


def _rate(worker: WorkerProcess, good: list[NumberedArticle], *, mixed: bool) -> float:
    """Good articles per second."""
    settings = worker.settings
    bad = itertools.cycle(BAD.items())
    before = _classified(worker)
    with producer(settings) as client:
        for article in good:
            client.send(settings.topic_articles, key=article.id.encode(), value=article.value)
            if mixed:
                name, (value, _) = next(bad)
                client.send(settings.topic_articles, key=name.encode(), value=value)
        started = time.perf_counter()
        wait_until(lambda: _classified(worker) >= before + len(good), 300, worker.tail)
    return len(good) / (time.perf_counter() - started)


def _classified(worker: WorkerProcess) -> float:
    return worker.metric("articles_total") - worker.metric("dead_letters_total")


if __name__ == "__main__":
    sys.exit(main())
