"""The order of a benchmark run.

Each round measures every party at full load, the model alone right before and right after the
service, so that a machine whose speed drifts harms no ratio. Then, at half and at nine tenths of
its own full rate, each party's latency.
"""

import asyncio
import random
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from service.bench.drive import Driver
from service.bench.load import LoadArticle, make_articles, make_probes
from service.bench.parties import (
    FORWARD,
    NAIVE,
    PARTIES,
    SERVICE,
    ModelAlone,
    Party,
    party_settings,
)
from service.broker import EmbeddedBroker
from service.demo import FETCH_WAIT_SECONDS
from service.security import PLAIN_CONNECTION
from service.settings import Settings

LOADS = (0.5, 0.9)
FIVE = "five-"  # so begin the ids of 5-quote articles
MAX_LATENCY_ARTICLES = 2_000  # more do not make a percentile better


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    rounds: int = 3
    articles: int = 200  # a round, for the service; the naive service gets a 25th of it
    latency_seconds: float = 40.0  # a load, and for the service a round
    alone: int = 40  # 5-quote articles, one after the other
    latency_of: tuple[str, ...] = (SERVICE, NAIVE, FORWARD)
    partitions: int = 4
    seed: int = 1

    def articles_for(self, party: str) -> int:
        """As many as take each party about as long."""
        factor = {NAIVE: 0.04, FORWARD: 20.0}.get(party, 1.0)
        return max(3, int(self.articles * factor))


QUICK = Plan(rounds=1, articles=30, latency_seconds=2, alone=5, latency_of=(SERVICE,))


@dataclass(slots=True)
class PartyResult:
    """All rounds of one party. Rates are a second, times in seconds, latencies by load."""

    quotes_per_second: list[float] = field(default_factory=list)
    articles_per_second: list[float] = field(default_factory=list)
    cpu_seconds_per_1000_quotes: list[float] = field(default_factory=list)
    resident_mib: list[float] = field(default_factory=list)
    latency: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass(slots=True)
class Result:
    """What a run found."""

    plan: Plan
    parties: dict[str, PartyResult]
    model_alone: list[float]
    five_quotes_alone_seconds: float = 0.0  # median latency of a 5-quote article, nothing else
    five_quotes_p99_at_half_load: float = 0.0

    @property
    def service_to_model(self) -> list[float]:
        """b/c, each round."""
        rates = self.parties[SERVICE].quotes_per_second
        return [b / c for b, c in zip(rates, self.model_alone, strict=True)]

    @property
    def service_to_naive(self) -> list[float]:
        """b/a, each round."""
        rates, naive = (self.parties[party].quotes_per_second for party in (SERVICE, NAIVE))
        return [b / a for b, a in zip(rates, naive, strict=True)]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON: medians, and the ratios of each round."""
        return {
            "benchmark": "stancewire",
            "plan": asdict(self.plan),
            "model_alone_quotes_per_second": round(statistics.median(self.model_alone), 1),
            "parties": {name: _medians(one) for name, one in self.parties.items()},
            "b_to_c": round(statistics.median(self.service_to_model), 3),
            "b_to_c_rounds": [round(ratio, 3) for ratio in self.service_to_model],
            "b_to_a": round(statistics.median(self.service_to_naive), 1),
            "b_to_a_rounds": [round(ratio, 1) for ratio in self.service_to_naive],
            "five_quotes_alone_seconds": round(self.five_quotes_alone_seconds, 4),
            "five_quotes_p99_at_half_load_seconds": round(self.five_quotes_p99_at_half_load, 4),
        }


def run_bench(settings: Settings, plan: Plan, tell: Callable[[str], None]) -> Result:
    """Measure everything.

    Args:
        settings: model and threads to use; brokers, topics and ports are the benchmark's own.
        plan: how much.
        tell: called with what is measured now.

    Raises:
        FatalError: a party did not start or came to a halt.
    """
    with tempfile.TemporaryDirectory(prefix="stancewire-bench-") as folder, EmbeddedBroker() as b:
        own = settings.model_copy(update={"brokers": b.address, **PLAIN_CONNECTION})
        return asyncio.run(_Bench(own, plan, tell, Path(folder)).run())


class _Bench:
    def __init__(
        self, settings: Settings, plan: Plan, tell: Callable[[str], None], folder: Path
    ) -> None:
        self._settings = settings
        self._plan = plan
        self._tell = tell
        self._folder = folder
        self._result = Result(plan, {party: PartyResult() for party in PARTIES}, [])

    async def run(self) -> Result:
        for number in range(self._plan.rounds):
            for party in PARTIES:
                self._tell(f"round {number + 1} of {self._plan.rounds}: {party}")
                if party == SERVICE:
                    await self._service_beside_the_model(number)
                else:
                    await self._full_load(party, number)
        for party in self._plan.latency_of:
            self._tell(f"latency: {party}")
            await self._latency(party)
        return self._result

    async def _service_beside_the_model(self, number: int) -> None:
        articles = self._articles(SERVICE, number)
        quotes = [quote for article in articles for quote in article.quotes]
        with ModelAlone(self._settings) as model:
            before = await asyncio.to_thread(model.rates, quotes, 1)
            await self._full_load(SERVICE, number)
            after = await asyncio.to_thread(model.rates, quotes, 1)
        self._result.model_alone.append(statistics.mean(before + after))

    async def _full_load(self, party: str, number: int) -> None:
        """One round of one party; process and topics are new."""
        articles = self._articles(party, number)
        quotes = sum(len(article.quotes) for article in articles)
        result = self._result.parties[party]
        with self._party(party, f"round{number}") as process:
            async with Driver(process.settings, self._plan.partitions) as driver:
                await driver.warm_up()
                before = process.cost()
                rate = await driver.rate(articles)
                after = process.cost()
        spent = after.cpu_seconds - before.cpu_seconds
        result.quotes_per_second.append(rate)
        result.articles_per_second.append(rate * len(articles) / quotes)
        result.cpu_seconds_per_1000_quotes.append(1000 * spent / quotes)
        result.resident_mib.append(after.resident_bytes / 2**20)

    async def _latency(self, party: str) -> None:
        result = self._result.parties[party]
        rate = statistics.median(result.quotes_per_second)
        with self._party(party, "latency", fetch_wait_seconds=FETCH_WAIT_SECONDS) as process:
            async with Driver(process.settings, self._plan.partitions) as driver:
                await driver.warm_up()
                if party == SERVICE:
                    alone = list(make_probes(self._plan.alone, seed=0, prefix="alone"))
                    times = await driver.alone(alone)
                    self._result.five_quotes_alone_seconds = statistics.median(times)
                for load in LOADS:
                    # Percentiles of the tail need many articles: the rounds are taken together.
                    rounds = self._plan.rounds if party == SERVICE else 1
                    found: dict[str, float] = {}
                    for number in range(rounds):
                        found |= await self._latencies(driver, rate * load, f"{load:g}-{number}-")
                    self._note_latencies(party, load, found)

    async def _latencies(self, driver: Driver, quotes: float, prefix: str) -> dict[str, float]:
        """Sample articles and 5-quote articles in turn, so many quotes a second on average."""
        some = [*make_articles(20, seed=0), *make_probes(20, seed=0)]
        mean = sum(len(article.quotes) for article in some) / len(some)
        count = int(self._plan.latency_seconds * quotes / mean)
        count = min(max(6, count), MAX_LATENCY_ARTICLES)
        seed = random.Random(f"{self._plan.seed}:{prefix}").getrandbits(32)
        probes = make_probes(count // 2, seed=seed, prefix=FIVE + prefix)
        others = make_articles(count // 2, seed=seed, prefix=prefix)
        articles = [one for pair in zip(others, probes, strict=True) for one in pair]
        return await driver.latencies(articles, per_second=quotes / mean, seed=seed)

    def _note_latencies(self, party: str, load: float, found: dict[str, float]) -> None:
        times = list(found.values())
        self._result.parties[party].latency[f"{load:.0%}"] = {
            "articles": len(times),
            **{f"p{p}": round(_percentile(times, p), 4) for p in (50, 95, 99)},
        }
        if party == SERVICE and load == LOADS[0]:
            five = [seconds for name, seconds in found.items() if name.startswith(FIVE)]
            self._result.five_quotes_p99_at_half_load = _percentile(five, 99)

    def _articles(self, party: str, number: int) -> list[LoadArticle]:
        count = self._plan.articles_for(party)
        return list(make_articles(count, seed=self._plan.seed + number))

    def _party(self, party: str, run: str, **overrides: object) -> Party:
        settings = party_settings(self._settings, party, run, **overrides)
        return Party(party, settings, self._plan.partitions, self._folder / f"{party}.log")


def _percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that at least so many per cent do not exceed (nearest rank)."""
    return float(np.percentile(values, percent, method="inverted_cdf"))


def _medians(one: PartyResult) -> dict[str, Any]:
    return {
        name: round(statistics.median(values), 2) if isinstance(values, list) else values
        for name, values in asdict(one).items()
    }
