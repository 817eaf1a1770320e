"""`python -m chaos.soak`: half an hour at 70 % load with a rebalance every two minutes.

The packaged model, two workers, a third that comes and goes. Memory, file handles, threads and
tasks of each worker that stays, the group's lag, the broker's share of a core and the latency of
each minute become a picture; a curve that grows fails the soak.

The full rate is measured first. On a machine that is shared with others it does not stay what it
was, so the load follows the speed of a core: what the machine can do less, is asked of it less.
"""

import json
import math
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from typing import Annotated

import numpy as np
import psutil
import typer
from rich.console import Console

from chaos.articles import NumberedArticle, numbered_articles
from chaos.curves import Latency, Sample, Soak, draw, grown, summary
from chaos.machine import Machine
from chaos.observer import Observer
from chaos.publisher import Publisher
from chaos.run import Waiting, holds_within
from chaos.workers import Fleet, WorkerProcess, wait_until
from service.broker import EmbeddedBroker
from service.clients import create_topics
from service.output import print_line
from service.settings import Settings, load_settings

SAMPLE_SECONDS = 5.0
PARTITIONS = 6  # two workers and three share them evenly
FULL_LOAD_ARTICLES = 4_000
FULL_LOAD_SECONDS = 600.0
QUOTES_PER_ARTICLE = 2.5  # of numbered articles, on average
SPEED_LOOKS = 240  # a minute of them
READY_SECONDS = 120.0
WINDOW_SECONDS = 60.0

# The embedded broker looks through all batches of a partition at every fetch that finds something.
# So that it stays about as fast as it was: few fetches, and articles in batches as a feed has them.
LINGER_MS = 250
OBSERVER_WAIT_MS = 2_000
AUDIT_SECONDS = 60.0


def soak(minutes: float, load: float, every: float, tell: Callable[[str], None]) -> Soak:
    """Run it.

    Args:
        minutes: how long.
        load: share of the full rate, which is measured first.
        every: seconds between two rebalances.
        tell: told of each step.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        broker = stack.enter_context(EmbeddedBroker())
        settings = _settings(broker.address)
        create_topics(settings, partitions=PARTITIONS, replicas=1)
        observer = stack.enter_context(
            Observer(
                settings,
                PARTITIONS,
                topics=(settings.topic_quotes,),
                fetch_wait_ms=OBSERVER_WAIT_MS,
                audit_seconds=AUDIT_SECONDS,
                by_timestamp=True,
            )
        )
        fleet = stack.enter_context(Fleet(settings, folder, 2))
        fleet.wait_ready(READY_SECONDS)
        tell("full load")
        full, speed = _full_rate(settings, observer)
        tell(f"full load: {full:.0f} quotes/s; now {load:.0%} of it for {minutes:g} minutes")
        articles = (numbered_articles(1, seed=n, prefix=f"s{n}-")[0] for n in count())
        publisher = stack.enter_context(Publisher(settings, articles, 1.0, LINGER_MS))
        watch = _Watch(fleet, psutil.Process(broker.pid), publisher, load * full, speed)
        watch.run(minutes * 60, every, tell)
        publisher.stop()
        published = dict(publisher.published)
        left = Waiting([article for article, _ in published.values()], observer)
        holds_within(left.nothing, READY_SECONDS)
        return Soak(
            full,
            watch.samples,
            _latency(observer, published, watch.started),
            watch.rebalances,
            missing=len(left.articles),
            quotes=sum(len(article.quotes) for article, _ in published.values()),
            ended=sum(not gone.wanted for gone in fleet.exits),
        )


def _settings(brokers: str) -> Settings:
    return load_settings(
        brokers=brokers,
        http_port=0,
        session_timeout_seconds=6,
        heartbeat_seconds=1,
        cache_quotes=1_000,  # full soon: what grows later is a leak
    )


def _full_rate(settings: Settings, observer: Observer) -> tuple[float, float]:
    """Quotes a second when all is published at once, and the speed of the machine meanwhile."""
    machine = Machine(memory=SPEED_LOOKS)
    articles = numbered_articles(FULL_LOAD_ARTICLES, seed=0, prefix="full")
    with Publisher(settings, iter(articles), 100_000.0) as publisher:
        wait_until(lambda: len(publisher.published) == len(articles), READY_SECONDS)
    left = Waiting(articles, observer)
    deadline = time.monotonic() + FULL_LOAD_SECONDS
    while not left.nothing():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(left.articles)} articles not delivered")
        machine.look()
        time.sleep(SAMPLE_SECONDS)
    moments = sorted(moment for one in articles for moment in observer.outcomes(one.id).values())
    return len(moments) / (moments[-1] - moments[0]), machine.speed


class _Watch:
    """Samples the fleet, makes a third worker come and go, and keeps the load at its share.

    Args:
        fleet: two workers.
        broker: its process.
        publisher: whose rate is to follow the machine.
        quotes_per_second: the load at the speed below.
        speed: of the machine when the load was found.
    """

    def __init__(
        self,
        fleet: Fleet,
        broker: psutil.Process,
        publisher: Publisher,
        quotes_per_second: float,
        speed: float,
    ) -> None:
        self.started = time.monotonic()
        self.samples: list[Sample] = []
        self.rebalances: list[float] = []
        self._fleet = fleet
        self._broker = broker
        self._publisher = publisher
        self._quotes_per_second = quotes_per_second
        self._speed = speed
        self._machine = Machine(memory=SPEED_LOOKS)
        self._third: WorkerProcess | None = None

    def run(self, seconds: float, every: float, tell: Callable[[str], None]) -> None:
        due = every
        self._broker.cpu_percent()  # begins to count
        while (now := time.monotonic() - self.started) < seconds:
            if now > due:
                due += every
                self.rebalances.append(now)
                tell(f"{now:5.0f} s: a worker {'leaves' if self._third else 'joins'}")
                threading.Thread(target=self._change, daemon=True).start()
            self._sample(now, self._follow_machine())
            time.sleep(SAMPLE_SECONDS)

    def _change(self) -> None:
        third, self._third = self._third, None
        if third:
            self._fleet.remove(third)
        else:
            self._third = self._fleet.add()

    def _follow_machine(self) -> float:
        """The speed of the machine, 1 when the load was found."""
        self._machine.look()
        speed = self._machine.speed / self._speed
        self._publisher.rate = speed * self._quotes_per_second / QUOTES_PER_ARTICLE
        return speed

    def _sample(self, now: float, speed: float) -> None:
        workers = self._fleet.workers
        lag = int(sum(worker.metric("consumer_lag") for worker in workers))
        broker = self._broker.cpu_percent() / 100
        for number, worker in enumerate(workers[:2]):  # those that stay
            with suppress(psutil.NoSuchProcess):  # it ended, and is about to be started again
                self.samples.append(_sample(now, number, worker, (lag, broker, speed)))


def _sample(
    now: float, number: int, worker: WorkerProcess, shared: tuple[int, float, float]
) -> Sample:
    process = psutil.Process(worker.process.pid)
    return Sample(
        now,
        number,
        process.memory_info().rss,
        process.num_fds(),
        process.num_threads(),
        int(worker.metric("event_loop_tasks")),
        *shared,
    )


def _latency(
    observer: Observer, published: dict[str, tuple[NumberedArticle, float]], started: float
) -> list[Latency]:
    """From publication to the last quote, by minute of publication."""
    minutes: dict[int, list[float]] = {}
    for article, moment in published.values():
        seen = observer.outcomes(article.id)
        if len(seen) == len(article.quotes):
            minute = math.floor((moment - started) / WINDOW_SECONDS)
            minutes.setdefault(minute, []).append(max(seen.values()) - moment)
    rows = []
    for minute, times in sorted(minutes.items()):
        p50, p99 = np.percentile(times, (50, 99))
        rows.append(Latency(minute * WINDOW_SECONDS, float(p50), float(p99)))
    return rows


def main(
    minutes: Annotated[float, typer.Option(help="How long.")] = 30,
    load: Annotated[float, typer.Option(help="Share of the full rate.")] = 0.7,
    every: Annotated[float, typer.Option(help="Seconds between two rebalances.")] = 120,
    picture: Annotated[Path, typer.Option(help="Where the picture goes.")] = Path("docs/soak.svg"),
) -> None:
    """Half an hour at 70 % load with a rebalance every two minutes."""
    found = soak(minutes, load, every, Console(stderr=True).print)
    draw(found, picture)
    print_line(json.dumps(summary(found)))
    raise typer.Exit(bool(found.missing or found.ended or grown(found)))


if __name__ == "__main__":
    typer.run(main)
