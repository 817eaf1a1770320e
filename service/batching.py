"""Gathers quotes of many articles into model calls, off the event loop.

Knows nothing of articles: texts go in, one result a text comes out. One thread runs the model;
while it works, the next batch gathers.
"""

import asyncio
import itertools
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from service.errors import InvalidArticle, Reason

log = logging.getLogger(__name__)

Scores = Mapping[str, float]
Pending = tuple[str, "asyncio.Future[Scores]"]
Score = Callable[[Sequence[str]], Sequence[Scores]]


class Batcher:
    """Shares model calls between articles; use as an async context manager.

    Args:
        score: blocking function: texts to scores, in the same order.
        max_quotes: most texts in one call.
        wait_seconds: how long a text waits for others while the model is idle.
        observe: told (seconds, texts) of every call.
    """

    def __init__(
        self,
        score: Score,
        *,
        max_quotes: int = 32,
        wait_seconds: float = 0.005,
        observe: Callable[[float, int], None] = lambda _seconds, _texts: None,
    ) -> None:
        self._score = score
        self._max_quotes = max_quotes
        self._wait_seconds = wait_seconds
        self._observe = observe
        self._waiting: deque[deque[Pending]] = deque()  # one for each article
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Batcher":
        self._task = asyncio.create_task(self._run(), name="batcher")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        _cancel(itertools.chain.from_iterable(self._waiting))
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def classify(self, texts: Sequence[str]) -> list[Scores]:
        """Score the texts of one article.

        Safe to cancel: texts whose call has not begun are dropped, other articles notice nothing.

        Raises:
            InvalidArticle: the model failed on one of these texts, alone, twice.
        """
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Scores]] = [loop.create_future() for _ in texts]
        if texts:
            self._waiting.append(deque(zip(texts, futures, strict=True)))
            self._arrived.set()
        try:
            return list(await asyncio.gather(*futures))
        except BaseException:
            for future in futures:
                future.cancel()
            raise

    async def _run(self) -> None:
        while True:
            batch: list[Pending] = []
            try:
                await self._gather(batch)
                await self._infer(batch)
            except BaseException:  # cancelled: nobody must wait for this batch for ever
                _cancel(batch)
                raise

    async def _gather(self, batch: list[Pending]) -> None:
        """Wait for a first text, then a moment for more; fill the empty batch with them."""
        while not batch:
            await self._arrival()
            batch += self._take(self._max_quotes)
        deadline = asyncio.get_running_loop().time() + self._wait_seconds
        while len(batch) < self._max_quotes:
            try:
                async with asyncio.timeout_at(deadline):
                    await self._arrival()
            except TimeoutError:
                break
            batch += self._take(self._max_quotes - len(batch))

    async def _arrival(self) -> None:
        """Until texts wait."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()

    def _take(self, most: int) -> list[Pending]:
        """One text of each article in turn: a small article never waits for a huge one to end.

        Texts whose article was given up meanwhile are dropped.
        """
        taken: list[Pending] = []
        while self._waiting and len(taken) < most:
            article = self._waiting.popleft()
            text, future = article.popleft()
            if not future.done():
                taken.append((text, future))
            if article:
                self._waiting.append(article)
        return taken

    async def _infer(self, batch: list[Pending]) -> None:
        batch = [(text, future) for text, future in batch if not future.done()]
        if not batch:  # all were given up while the batch gathered
            return
        try:
            results = await self._call([text for text, _ in batch])
            answered = list(zip(batch, results, strict=True))
        except Exception as error:  # whatever a model may raise
            log.warning("model failed on %d quotes, trying one by one: %r", len(batch), error)
            await self._infer_one_by_one(batch)
            return
        for (_, future), scores in answered:
            if not future.done():
                future.set_result(scores)

    async def _infer_one_by_one(self, batch: list[Pending]) -> None:
        """Find out which quote the model cannot take, so that only its article pays."""
        for text, future in batch:
            if future.done():
                continue
            outcome: Scores | InvalidArticle
            try:
                [outcome] = await self._call([text])
            except Exception as error:
                message = f"the model failed on a quote of {len(text)} characters: {error!r}"
                outcome = InvalidArticle(Reason.CLASSIFICATION_FAILED, message)
            if future.done():  # its article was given up meanwhile
                continue
            if isinstance(outcome, InvalidArticle):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

    async def _call(self, texts: list[str]) -> Sequence[Scores]:
        started = time.perf_counter()
        loop = asyncio.get_running_loop()
        results = await loop.run_in_executor(self._thread, self._score, texts)
        self._observe(time.perf_counter() - started, len(texts))
        return results


def _cancel(batch: Iterable[Pending]) -> None:
    for _, future in batch:
        future.cancel()
