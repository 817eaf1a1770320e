"""Publishes load to a broker and watches its quotes come out, with the times of both.

One asyncio client for both sides: it takes a few per cent of a core, so that what is measured is
the service. A latency counts from the moment an article was due, not from when a late publisher
sent it, to the arrival of its last quote at a consumer.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from service.bench.load import LoadArticle, make_probes
from service.bench.peers import QUOTES_HEADER
from service.errors import FatalError
from service.settings import Settings

STALLED_SECONDS = 120.0
"""A party that delivers nothing for so long has failed."""

WARM_UP_PROBES = 4
RAMP = 0.05
"""Share of the events left out of a rate at its beginning and at its end."""


@dataclass(slots=True)
class _Watched:
    """An article on its way."""

    due: float
    left: int  # quotes that have not come out
    done: asyncio.Event = field(default_factory=asyncio.Event)
    seconds: float = 0.0  # from due to the last quote


class Driver:
    """One party's topics; use as an async context manager. Times are `perf_counter` seconds."""

    def __init__(self, settings: Settings, partitions: int) -> None:
        self._settings = settings
        self._producer = AIOKafkaProducer(
            bootstrap_servers=settings.brokers,
            linger_ms=0,
            max_request_size=settings.max_message_bytes,
        )
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.brokers,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=int(settings.fetch_wait_seconds * 1000),
        )
        self._partitions = [TopicPartition(settings.topic_quotes, n) for n in range(partitions)]
        self._articles: dict[bytes, _Watched] = {}
        self._arrivals: list[float] = []  # one a quote
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Driver":
        await self._producer.start()
        self._stack.push_async_callback(self._producer.stop)
        await self._consumer.start()
        self._stack.push_async_callback(self._consumer.stop)
        self._consumer.assign(self._partitions)
        watching = asyncio.create_task(self._watch())
        self._stack.push_async_callback(_cancel, watching)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def warm_up(self, probes: int = WARM_UP_PROBES) -> None:
        """Until so many articles have come out: the party is ready, its partitions are assigned."""
        await self.alone(list(make_probes(probes, seed=0, prefix="warm")))

    async def rate(self, articles: Sequence[LoadArticle]) -> float:
        """Quotes a second when all is published at once: between the ramps, by arrival."""
        self._arrivals.clear()
        now = time.perf_counter()
        await asyncio.gather(*[await self._publish(article, now) for article in articles])
        await self._finish(articles)
        arrived = sorted(self._arrivals)
        first, last = int(len(arrived) * RAMP), int(len(arrived) * (1 - RAMP)) - 1
        if arrived[first] == arrived[last]:
            raise FatalError(f"{len(articles)} articles are too few to measure a rate")
        return (last - first) / (arrived[last] - arrived[first])

    async def latencies(
        self, articles: Sequence[LoadArticle], *, per_second: float, seed: int
    ) -> dict[str, float]:
        """Seconds of each article by id, published at random times (a Poisson process)."""
        rng = random.Random(seed)
        due = time.perf_counter()
        for article in articles:
            due += rng.expovariate(per_second)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await self._publish(article, due)
        await self._finish(articles)
        return {article.id: self._articles[article.key].seconds for article in articles}

    async def alone(self, articles: Sequence[LoadArticle]) -> list[float]:
        """Seconds of each article, one after the other."""
        for article in articles:
            await self._publish(article, time.perf_counter())
            await self._finish([article])
        return [self._articles[article.key].seconds for article in articles]

    async def _publish(self, article: LoadArticle, due: float) -> "asyncio.Future[object]":
        self._articles[article.key] = _Watched(due, len(article.quotes))
        return await self._producer.send(  # type: ignore[no-any-return]
            self._settings.topic_articles,
            article.value,
            article.key,
            headers=[(QUOTES_HEADER, str(len(article.quotes)).encode())],
        )

    async def _finish(self, articles: Sequence[LoadArticle]) -> None:
        """Until all quotes of the articles have arrived. Raises: FatalError when nothing does."""
        for article in articles:
            watched = self._articles[article.key]
            while watched.left:
                seen = len(self._arrivals)
                with suppress(TimeoutError):
                    async with asyncio.timeout(STALLED_SECONDS):
                        await watched.done.wait()
                if watched.left and len(self._arrivals) == seen:
                    raise FatalError(f"no quote came out for {STALLED_SECONDS:g} s")

    async def _watch(self) -> None:
        while True:
            batches = await self._consumer.getmany(timeout_ms=1000)
            now = time.perf_counter()
            for records in batches.values():
                for record in records:
                    self._arrive(record.key, now)

    def _arrive(self, key: bytes, now: float) -> None:
        self._arrivals.append(now)
        watched = self._articles.get(key)
        if watched is None or not watched.left:  # delivered twice
            return
        watched.left -= 1
        if not watched.left:
            watched.seconds = now - watched.due
            watched.done.set()


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
