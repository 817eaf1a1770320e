"""Does memory stay flat, does cost grow with length alone, and what do more workers bring.

    python -m benchmarks.limits [memory|linear|workers]     the last line is JSON

Regime: the embedded broker, workers as processes and this driver on one machine; load as in
`stancewire bench`. Memory: one worker with the default settings, resident size after 1,000 and
after 10,000 articles; bound: 5 % more. Linear: articles of 1 kB to 1 MB, as many characters of each
length; bound: quotes per CPU second of the worker within 20 %. Workers: one, two and four of one
group, one to twelve partitions, one model thread each; quotes per second, no bound.

Caveats: all workers share the machine's cores, so two cores show what a second worker costs, not
what it brings on a machine of its own. Tansu, the broker here, is no Apache Kafka.

Run: make bench-limits
"""

import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from service.bench.drive import Driver
from service.bench.load import LoadArticle, make_articles, make_long_article
from service.bench.parties import SERVICE, Party, party_settings
from service.broker import EmbeddedBroker, free_port
from service.settings import Settings, load_settings

PARTITIONS = 4
PORTION = 500
FEW, MANY, MAX_GROWTH = 1_000, 10_000, 0.05
SIZES, SIZE_CHARS = (1_000, 10_000, 100_000, 1_000_000), 1_000_000
LINEAR_ROUNDS, MAX_SPREAD = 3, 0.2
WORKERS, PARTITION_COUNTS, WORKER_ARTICLES = (1, 2, 4), (1, 2, 4, 12), 150

Part = Callable[[Settings, Path], Coroutine[Any, Any, dict[str, Any]]]


def main(parts: list[str]) -> int:
    """Run the parts named, or all; 1 when a bound is missed."""
    known: dict[str, Part] = {"memory": memory, "linear": linear, "workers": workers}
    with tempfile.TemporaryDirectory() as folder, EmbeddedBroker() as broker:
        settings = load_settings(brokers=broker.address)
        result = {name: asyncio.run(known[name](settings, Path(folder))) for name in parts or known}
    print(json.dumps({"benchmark": "limits"} | result))
    return 0 if all(part.get("fine", True) for part in result.values()) else 1


async def memory(settings: Settings, folder: Path) -> dict[str, Any]:
    """Resident MiB by articles delivered."""
    own = party_settings(settings, SERVICE, "memory", cache_quotes=settings.cache_quotes)
    resident: dict[int, float] = {}
    with Party(SERVICE, own, PARTITIONS, folder / "memory.log") as worker:
        async with Driver(own, PARTITIONS) as driver:
            for start in range(0, MANY, PORTION):
                await driver.rate(
                    list(make_articles(PORTION, seed=start, prefix=f"memory{start}-"))
                )
                resident[start + PORTION] = round(worker.cost().resident_bytes / 2**20, 1)
                print(f"{start + PORTION:6,} articles: {resident[start + PORTION]} MiB", flush=True)
    growth = resident[MANY] / resident[FEW] - 1
    return {"resident_mib": resident, "growth": round(growth, 3), "fine": growth <= MAX_GROWTH}


async def linear(settings: Settings, folder: Path) -> dict[str, Any]:
    """Quotes per CPU second of the worker, by length of the articles."""
    own = party_settings(settings, SERVICE, "linear")
    rates: dict[int, list[float]] = {size: [] for size in SIZES}
    with Party(SERVICE, own, PARTITIONS, folder / "linear.log") as worker:
        async with Driver(own, PARTITIONS) as driver:
            await driver.warm_up()
            for number in range(LINEAR_ROUNDS):
                for size in SIZES:
                    articles = _articles_of(size, number)
                    quotes = sum(len(article.quotes) for article in articles)
                    before = worker.cost().cpu_seconds
                    await driver.rate(articles)
                    rates[size].append(quotes / (worker.cost().cpu_seconds - before))
    medians = {size: round(statistics.median(values), 1) for size, values in rates.items()}
    for size, rate in medians.items():
        print(f"{size:9,} characters: {rate} quotes per CPU second", flush=True)
    spread = max(medians.values()) / min(medians.values()) - 1
    return {
        "quotes_per_cpu_second": medians,
        "spread": round(spread, 3),
        "fine": spread <= MAX_SPREAD,
    }


async def workers(settings: Settings, folder: Path) -> dict[str, Any]:
    """Quotes a second, by workers and partitions."""
    rates: dict[str, float] = {}
    for partitions in PARTITION_COUNTS:
        for count in WORKERS:
            if count > partitions:
                continue  # one would have nothing to do
            name = f"{count} workers, {partitions} partitions"
            run = f"w{count}p{partitions}"
            own = party_settings(settings, SERVICE, run, model_threads=1)
            rates[name] = round(await _rate_of(own, count, partitions, folder / f"{run}.log"), 1)
            print(f"{name}: {rates[name]} quotes/s", flush=True)
    return {"quotes_per_second": rates}


async def _rate_of(own: Settings, count: int, partitions: int, log: Path) -> float:
    with ExitStack() as stack:
        for _ in range(count):
            settings = own.model_copy(update={"http_port": free_port()})
            stack.enter_context(Party(SERVICE, settings, partitions, log))
        async with Driver(own, partitions) as driver:
            await driver.warm_up(4 * count)
            await asyncio.sleep(2 * own.session_timeout_seconds)  # the group has settled
            return await driver.rate(list(make_articles(WORKER_ARTICLES, seed=1)))


def _articles_of(size: int, number: int) -> list[LoadArticle]:
    return [
        make_long_article(size, seed=number * 10_000 + one, article_id=f"{size}-{number}-{one}")
        for one in range(max(1, SIZE_CHARS // size))
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
