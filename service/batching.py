"""Gathers the quotes of many articles into model calls, off the event loop.

Knows nothing of articles but that texts come in groups: texts go in, one result a text comes out.
As many calls run side by side as the model can use; while they run, the next ones gather.

An article's texts wait in its line until a call can begin. The article that is due first comes
first, and what it is due by grows with its length: small articles pass a huge one, which waits no
more than a bounded time. A call holds the most urgent text and others of about its length, looked
for among those next in turn: little is padded.
"""

import asyncio
import heapq
import itertools
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import cast

from models.batches import BATCH_TOKENS, CALL_TOKENS, batches_by_length
from models.classifier import EncodedText
from service.errors import InvalidArticle, Reason
from service.exhaustion import is_out_of_memory
from service.score_cache import ScoreCache, cache_key

log = logging.getLogger(__name__)

Scores = Mapping[str, float]
Score = Callable[[Sequence[EncodedText]], Sequence[Scores]]

SMALL, LEAST = 8, 4
"""Sizes of calls while few texts wait, as multiples of what a call costs beside its tokens: that is
11 and 20 % of their time, and who comes next waits no longer than need be. Texts are spread over
idle threads, but not thinner than the least."""

MANY_CALLS = 24
"""Many wait when they fill more of the largest calls than this; then calls are that large."""

WINDOW_CALLS = 16
"""Many that wait are looked through for texts of one length so far, in the largest calls."""

CALLS_AHEAD = 2
"""So many calls are formed at one time while many wait, else none ahead of its time."""

WINDOW_TEXTS = 512
"""Looked at before others on the event loop get their turn, whatever `max_tokens` is and however
many were given up."""

SECONDS_PER_TOKEN = 0.004
MAX_DUE_SECONDS = 10.0
"""An article is due so long after it came, times its tokens: twenty times what it takes alone."""

NICENESS = 15
"""Of the threads that run the model. They take every core; the event loop, the splitter and the
broker's client have little to do and must do it at once, or the model runs out of work."""

LOOP_SLICE = 500
"""Texts taken in before others on the event loop get their turn."""


def _yield_to_others() -> None:
    """Lower this thread's priority; on Linux only, elsewhere it would be the whole process'."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


@dataclass(eq=False, slots=True)
class _Article:
    """The texts of one article: what is known of each, and how many are not."""

    due: float
    results: list[Scores | None]
    missing: int
    finished: asyncio.Future[None]
    line: "deque[_Job]" = field(default_factory=deque)

    def __lt__(self, other: "_Article") -> bool:
        return self.due < other.due

    def answer(self, index: int, scores: Scores) -> None:
        self.results[index] = scores
        self.missing -= 1
        if not self.missing and not self.finished.done():
            self.finished.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.finished.done():
            self.finished.set_exception(error)


@dataclass(eq=False, slots=True)
class _Job:
    """One text to be scored, and all who wait for it."""

    text: EncodedText
    key: bytes
    arrived: float
    waiting: list[tuple[_Article, int]] = field(default_factory=list)
    taken: bool = False

    @property
    def wanted(self) -> bool:
        """Somebody still waits."""
        return any(not article.finished.done() for article, _ in self.waiting)


class Batcher:
    """Shares model calls between articles; use as an async context manager.

    Args:
        score: blocking function: texts to scores, in the same order.
        cache: scores of texts seen before.
        calls: how many calls may run at one time.
        call_tokens: what a call costs beside its tokens, in tokens.
        max_tokens: most tokens in one call, padding included; a longer text goes alone.
        wait_seconds: how long a text waits for others while a thread is idle.
        observe: told (seconds, texts) of every call.
        observe_cache: told (hits, misses) of every article.
    """

    def __init__(
        self,
        score: Score,
        cache: ScoreCache,
        *,
        calls: int = 1,
        call_tokens: int = CALL_TOKENS,
        max_tokens: int = BATCH_TOKENS,
        wait_seconds: float = 0.002,
        observe: Callable[[float, int], None] = lambda _seconds, _texts: None,
        observe_cache: Callable[[int, int], None] = lambda _hits, _misses: None,
    ) -> None:
        self._score = score
        self._cache = cache
        self._calls = calls
        self._call_tokens = call_tokens
        self._max_tokens = max_tokens
        self._small = min(max_tokens, SMALL * call_tokens)
        self._wait_seconds = wait_seconds
        self._observe = observe
        self._observe_cache = observe_cache
        self._articles: list[_Article] = []  # a heap: those with texts in line, first due first
        self._jobs: dict[bytes, _Job] = {}  # in a line or in a call
        self._tokens = 0  # in all lines; texts given up count until they are met
        self._arrived = asyncio.Event()
        self._forming = asyncio.Lock()
        self._formed: deque[list[_Job]] = deque()
        self._running = 0  # calls
        self._closed = False
        self._threads = ThreadPoolExecutor(calls, "model", initializer=_yield_to_others)
        self._lanes: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Batcher":
        self._lanes = [
            asyncio.create_task(self._serve(), name=f"batcher {number}")
            for number in range(self._calls)
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closed = True
        for lane in self._lanes:
            lane.cancel()
        await asyncio.gather(*self._lanes, return_exceptions=True)
        for job in self._jobs.values():  # nobody must wait for ever
            for article, _index in job.waiting:
                article.finished.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def classify(self, texts: Sequence[EncodedText]) -> list[Scores]:
        """Score the texts of one article.

        Safe to cancel: texts whose call has not begun are dropped, other articles notice nothing.

        Raises:
            InvalidArticle: the model failed on one of these texts, alone, twice.
            Exception: the model ran out of memory: no fault of the texts.
        """
        finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        tokens = sum(map(len, texts))
        due = time.monotonic() + min(tokens * SECONDS_PER_TOKEN, MAX_DUE_SECONDS)
        article = _Article(due, [None] * len(texts), len(texts), finished)
        try:
            hits = 0
            for start in range(0, len(texts), LOOP_SLICE):
                if start:
                    await asyncio.sleep(0)
                if self._closed:
                    raise asyncio.CancelledError("the batcher is closed")
                for index, text in enumerate(texts[start : start + LOOP_SLICE], start):
                    hits += self._ask(article, index, text)
            self._observe_cache(hits, len(texts) - hits)
            if article.missing:
                await finished
        finally:
            finished.cancel()  # tells the lanes that nobody waits any more
            if not finished.cancelled():
                finished.exception()  # seen, also where the article was given up meanwhile
        return cast(list[Scores], article.results)

    def _ask(self, article: _Article, index: int, text: EncodedText) -> bool:
        """Answer from the cache, or stand in line; True when no work arises."""
        key = cache_key(text)
        known = self._cache.get(key)
        if known is not None:
            article.answer(index, known)
            return True
        job = self._jobs.get(key)
        asked_before = job is not None
        if job is None:
            job = self._jobs[key] = _Job(text, key, time.monotonic())
        job.waiting.append((article, index))
        if not job.taken:  # also in this article's line, which may be the shorter one
            self._line_up(article, job)
        return asked_before

    def _line_up(self, article: _Article, job: _Job) -> None:
        if not article.line:
            heapq.heappush(self._articles, article)
        article.line.append(job)
        self._tokens += len(job.text)
        self._arrived.set()

    async def _serve(self) -> None:
        while True:
            async with self._forming:
                while not self._formed:
                    await self._form()
                jobs = self._formed.popleft()
            await self._infer(jobs)

    async def _form(self) -> None:
        """Wait for a first text, then a moment for more; form calls of them."""
        while not self._articles:
            self._arrived.clear()
            await self._arrived.wait()
        deadline = self._articles[0].line[0].arrived + self._wait_seconds
        while self._tokens < self._max_tokens and (left := deadline - time.monotonic()) > 0:
            self._arrived.clear()
            try:
                async with asyncio.timeout(left):
                    await self._arrived.wait()
            except TimeoutError:
                break
        self._cut(idle=max(1, self._calls - self._running))
        if not self._formed:  # all that was looked at had been given up
            await asyncio.sleep(0)

    def _cut(self, idle: int) -> None:
        """Form calls of what waits; what does not begin soon goes back to its line."""
        many = self._tokens > MANY_CALLS * self._max_tokens
        taken = self._take(WINDOW_CALLS * self._max_tokens if many else self._max_tokens)
        lengths = [len(job.text) for _, job in taken]
        share = max(LEAST * self._call_tokens, -(-sum(lengths) // idle))
        size = min(self._max_tokens if many else self._small, share)
        # The call with the most urgent text comes last.
        batches = sorted(batches_by_length(lengths, size, self._call_tokens), key=min, reverse=True)
        for _ in range(min(len(batches), CALLS_AHEAD if many else idle)):
            self._formed.append([taken[index][1] for index in batches.pop()])
        for index in sorted(itertools.chain.from_iterable(batches), reverse=True):
            self._put_back(*taken[index])

    def _take(self, most_tokens: int) -> list[tuple[_Article, _Job]]:
        """The next texts, the most urgent first; those nobody wants any more are dropped."""
        taken: list[tuple[_Article, _Job]] = []
        tokens = 0
        for _ in range(WINDOW_TEXTS):
            if not self._articles or tokens >= most_tokens:
                break
            article = self._articles[0]
            job = article.line.popleft()
            self._tokens -= len(job.text)
            if not article.line:
                heapq.heappop(self._articles)
            if job.taken:  # stood in another article's line too
                continue
            job.taken = True
            if not job.wanted:
                del self._jobs[job.key]
                continue
            taken.append((article, job))
            tokens += len(job.text)
        return taken

    def _put_back(self, article: _Article, job: _Job) -> None:
        """Undo the taking: to the front of the line, and it has waited for others long enough."""
        job.taken = False
        job.arrived = float("-inf")
        if not article.line:
            heapq.heappush(self._articles, article)
        article.line.appendleft(job)
        self._tokens += len(job.text)

    async def _infer(self, jobs: list[_Job]) -> None:
        for job in jobs:
            if not job.wanted:  # given up since the call was formed
                del self._jobs[job.key]
        jobs = [job for job in jobs if job.wanted]
        if not jobs:
            return
        try:
            results = await self._call([job.text for job in jobs])
            answered = list(zip(jobs, results, strict=True))
        except Exception as error:  # whatever a model may raise
            if is_out_of_memory(error):
                self._fail(jobs, error)
                return
            log.warning("model failed on %d quotes, trying one by one: %r", len(jobs), error)
            await self._answer_one_by_one(jobs)
            return
        for job, scores in answered:
            self._resolve(job, scores)

    async def _answer_one_by_one(self, jobs: list[_Job]) -> None:
        """Find out which quote the model cannot take, so that only its articles pay."""
        for job in jobs:
            if not job.wanted:
                del self._jobs[job.key]
                continue
            try:
                [scores] = await self._call([job.text])
            except Exception as error:
                self._fail([job], error if is_out_of_memory(error) else _blame(job.text, error))
            else:
                self._resolve(job, scores)

    def _fail(self, jobs: Sequence[_Job], error: Exception) -> None:
        for job in jobs:
            del self._jobs[job.key]
            for article, _ in job.waiting:
                article.fail(error)

    def _resolve(self, job: _Job, scores: Scores) -> None:
        del self._jobs[job.key]  # whoever asks from now on finds it in the cache or asks anew
        self._cache.put(job.key, scores)
        for article, index in job.waiting:
            article.answer(index, scores)

    async def _call(self, texts: list[EncodedText]) -> Sequence[Scores]:
        started = time.perf_counter()
        loop = asyncio.get_running_loop()
        self._running += 1
        try:
            results = await loop.run_in_executor(self._threads, self._score, texts)
        finally:
            self._running -= 1
        self._observe(time.perf_counter() - started, len(texts))
        return results


def _blame(text: EncodedText, error: Exception) -> InvalidArticle:
    message = f"the model failed on a quote of {len(text.text)} characters: {error!r}"
    return InvalidArticle(Reason.CLASSIFICATION_FAILED, message)
