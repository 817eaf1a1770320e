"""Takes articles off the stream, keeps them in work, acknowledges them when all is delivered.

The delivery promise lives here and in `offsets.py`: an article's offset becomes committable only
when all its quote events, or its dead letter, are acknowledged by the broker. Decision record 0001.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import cast

from faust.streams import Stream
from faust.types import EventT, StreamT
from faust.types.tuples import Message

from models import Classifier
from service import metrics as outcome
from service.batching import Batcher
from service.budget import Budget
from service.dead_letters import Origin, bury, is_replayed, smaller_letters, without_value
from service.errors import FatalError, InvalidArticle, Reason
from service.events import Headers
from service.exhaustion import is_out_of_memory
from service.logs import note_article
from service.offsets import OffsetLedger
from service.records import Unread
from service.score_cache import ScoreCache
from service.settings import Settings
from service.stages import CHUNK_BYTES, NOTHING, Chunk, OutMessage, Processed, Stages
from service.telemetry import Telemetry
from service.trace_context import trace_id

log = logging.getLogger(__name__)


class MessageTooLarge(Exception):  # noqa: N818 - what it says of a message, not of the program
    """The broker or the producer refuses a message for its size."""


# (topic, key, value, headers) -> an awaitable that ends when the broker has acknowledged.
# Raises MessageTooLarge; anything else it raises means that the message cannot be delivered.
Send = Callable[[str, bytes | None, bytes | None, Headers], Awaitable[Awaitable[object]]]

LONG_ARTICLE_BYTES = 16_384
"""From here on an article takes long enough (some 0.02 s) to go by a lane of its own."""


class ArticleAgent:
    """The way of every article through one worker.

    Args:
        settings: limits and topic names.
        classifier: judges the quotes; called in threads.
        call_tokens: what a call of it costs beside its tokens, in tokens.
        ledger: shared with the consumer, which commits what it allows.
        send: hands a message to the producer.
        crash: stops the worker with this error; nothing undelivered is committed.
        telemetry: told of everything.
    """

    def __init__(
        self,
        settings: Settings,
        classifier: Classifier,
        call_tokens: int,
        ledger: OffsetLedger,
        send: Send,
        crash: Callable[[BaseException], Awaitable[None]],
        telemetry: Telemetry,
    ) -> None:
        self._settings = settings
        self._classifier = classifier
        self._ledger = ledger
        self._send = send
        self._crash = crash
        self._metrics = telemetry.metrics
        self._health = telemetry.health
        self._recent = telemetry.recent
        self._tracing = telemetry.tracing
        self._stages = Stages(settings, classifier)
        self._budget = Budget(settings.max_in_flight_articles, settings.max_in_flight_bytes)
        self._in_work: dict[asyncio.Task[None], float] = {}  # in order of start
        # Two lanes: while one is at a long article, short ones pass in the other.
        self._short_lane = ThreadPoolExecutor(1, thread_name_prefix="splitter")
        self._long_lane = ThreadPoolExecutor(1, thread_name_prefix="splitter-long")
        self._split = self._health.watched("splitter", self._stages.split)
        self._batcher = Batcher(
            self._health.watched("model", classifier.score_encoded),
            ScoreCache(settings.cache_quotes, classifier.labels.names),
            calls=classifier.parallel_calls,
            call_tokens=call_tokens,
            max_tokens=settings.batch_tokens,
            wait_seconds=settings.batch_wait_seconds,
            observe=self._metrics.observe_inference,
            observe_cache=self._metrics.observe_cache,
        )

    async def run(self, stream: StreamT[bytes]) -> None:
        """Work on the stream until cancelled: the body of the Faust agent."""
        async with self._batcher:
            try:
                async for event in cast(Stream[bytes], stream).noack().events():
                    await self._admit(stream, event)
            finally:
                await self._abandon()

    async def _admit(self, stream: StreamT[bytes], event: EventT[bytes]) -> None:
        message = event.message
        if not self._ledger.begin(message.tp, message.generation_id or 0, message.offset):
            await stream.ack(event)  # handed out twice, or from before a rebalance: not our work
            return
        size = _bytes(message)
        await self._budget.acquire(size)
        task = asyncio.create_task(self._work(stream, event), name=f"article {_place(message)}")
        self._in_work[task] = self._health.clock()
        task.add_done_callback(lambda done: self._leave(done, size))
        self._report_in_work()

    def _leave(self, task: asyncio.Task[None], size: int) -> None:
        del self._in_work[task]
        self._budget.release(size)
        self._report_in_work()

    def _report_in_work(self) -> None:
        self._metrics.in_flight_articles.set(self._budget.articles)
        self._metrics.in_flight_bytes.set(self._budget.bytes)
        self._health.oldest_since = next(iter(self._in_work.values()), None)

    async def _abandon(self) -> None:
        """Give up what is in work: it is not committed, so it is read again."""
        for task in self._in_work:
            task.cancel()
        await asyncio.gather(*self._in_work, return_exceptions=True)
        self._short_lane.shutdown(wait=False, cancel_futures=True)
        self._long_lane.shutdown(wait=False, cancel_futures=True)

    async def _work(self, stream: StreamT[bytes], event: EventT[bytes]) -> None:
        """From one message to its acknowledgement. Any error that arrives here stops the worker."""
        message = event.message
        started = time.monotonic()
        try:
            with self._tracing.article(message, _headers(message)):
                self._begin_log(message)
                result = await self._deliver_outcome(message)
                self._tracing.note(outcome=result)
            self._ledger.delivered(message.tp, message.generation_id or 0, message.offset)
            await stream.ack(event)
        except Exception as error:  # includes FatalError: what cannot be delivered is never acked
            await self._crash(error)  # first of all: when memory ran out, the next line may fail
            log.critical("%s: stopping: %s", _place(message), error)
            return
        self._metrics.articles.labels(result).inc()
        if is_replayed(_headers(message)):
            self._metrics.replayed_articles.inc()
            if result == outcome.DEAD_LETTER:
                self._metrics.parked_dead_letters.inc()
        self._metrics.article_seconds.observe(time.monotonic() - started)
        if message.timestamp and message.timestamp > 0:  # else it was sent without one
            self._metrics.article_age_seconds.observe(max(0.0, time.time() - message.timestamp))
        log.debug("%s: %s", _place(message), result)

    def _begin_log(self, message: Message) -> None:
        place = {name: getattr(message, name) for name in ("topic", "partition", "offset")}
        note_article(**place, trace_id=trace_id(self._tracing.trace(_headers(message))))

    async def _deliver_outcome(self, message: Message) -> str:
        """Its quotes or a dead letter: which of them, as an outcome of the metrics."""
        try:
            return await self._deliver_quotes(message)
        except InvalidArticle as problem:
            self._tracing.note(reason=problem.reason.value)
            return await self._deliver_dead_letter(message, problem)

    async def _deliver_quotes(self, message: Message) -> str:
        result = await self._process(message)
        await self._deliver_chunk(result.first)
        while result.rest and (chunk := await self._next(result.rest)):
            self._note_progress()
            await self._deliver_chunk(chunk)
        return outcome.CLASSIFIED if result.first.messages else outcome.EMPTY

    async def _deliver_chunk(self, chunk: Chunk) -> None:
        try:
            await self._deliver(chunk.messages)
        except MessageTooLarge as error:
            raise InvalidArticle(Reason.EVENT_TOO_LARGE, str(error)) from error
        for stance, quotes in chunk.stances.items():
            self._metrics.quotes.labels(stance).inc(quotes)
        self._recent.add([value for _, _, value, _ in chunk.messages if value])

    async def _next(self, chunks: Iterator[Chunk]) -> Chunk | None:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._long_lane, next, chunks, None)

    def _note_progress(self) -> None:
        """A huge article's output is no standstill: its time limit begins anew with each chunk."""
        task = cast("asyncio.Task[None]", asyncio.current_task())
        del self._in_work[task]
        self._in_work[task] = self._health.clock()
        self._report_in_work()

    async def _process(self, message: Message) -> Processed:
        """Everything between the two topics.

        Raises:
            InvalidArticle: also for what our own code fails on: one article must not stop others.
            Exception: memory ran out.
        """
        limit = self._settings.article_timeout_seconds
        try:
            async with asyncio.timeout(limit):
                return await self._classify(message)
        except InvalidArticle:
            raise
        except TimeoutError as error:
            text = f"not processed within {limit:g} s (article_timeout_seconds)"
            raise InvalidArticle(Reason.TIMEOUT, text) from error
        except Exception as error:
            if is_out_of_memory(error):
                raise
            log.exception("%s: processing failed", _place(message))
            raise InvalidArticle(Reason.PROCESSING_FAILED, repr(error)) from error

    async def _classify(self, message: Message) -> Processed:
        """Split in a thread, score in others, encode: in a thread too where it takes long."""
        if isinstance(message.value, Unread):
            raise message.value.problem
        loop = asyncio.get_running_loop()
        size = len(message.value or b"")
        lane = self._long_lane if size > LONG_ARTICLE_BYTES else self._short_lane
        with self._tracing.stage("split"):
            split = await loop.run_in_executor(lane, self._split, message.value)
        note_article(article_id=split.article.id)
        self._tracing.note(article_id=split.article.id, quotes=len(split.found))
        if not split.found:
            return NOTHING
        with self._tracing.stage("classify"):
            scores = await self._batcher.classify(split.texts)
        trace = self._tracing.trace(_headers(message))
        encode = partial(self._stages.encode, split, scores, trace)
        # What an event copies from its article is shorter than the article.
        if size > LONG_ARTICLE_BYTES or size * len(split.found) > CHUNK_BYTES:
            return await loop.run_in_executor(self._long_lane, encode)
        return encode()

    async def _deliver_dead_letter(self, message: Message, problem: InvalidArticle) -> str:
        letter = bury(
            message.key,
            message.value,
            _headers(message),
            reason=problem.reason,
            message=str(problem),
            origin=Origin(message.topic, message.partition, message.offset),
        )
        log.warning("%s: dead letter: %s: %s", _place(message), problem.reason.value, problem)
        if isinstance(message.value, Unread):
            letter = without_value(letter, message.value.size)
        for smaller in [letter, *smaller_letters(letter)]:
            try:
                await self._deliver([(self._settings.topic_dead_letters, *smaller)])
                break
            except MessageTooLarge as error:
                refused = error
        else:
            raise FatalError(f"the broker takes no dead letter of any size: {refused}")
        self._metrics.dead_letters.labels(problem.reason.value).inc()
        return outcome.DEAD_LETTER

    async def _deliver(self, messages: Sequence[OutMessage]) -> None:
        """Append all, then wait until the broker has acknowledged all.

        Raises:
            MessageTooLarge: of one of them.
            FatalError: not acknowledged in time; the producer has retried meanwhile.
        """
        limit = self._settings.delivery_timeout_seconds
        try:
            with self._tracing.stage("deliver"):
                async with asyncio.timeout(limit):
                    acknowledged = [await self._send(*message) for message in messages]
                    await asyncio.gather(*acknowledged)
        except MessageTooLarge:
            raise
        except Exception as error:
            text = f"{len(messages)} messages not delivered within {limit:g} s: {error!r}"
            raise FatalError(text) from error


def _place(message: Message) -> str:
    return f"{message.topic}[{message.partition}]@{message.offset}"


def _bytes(message: Message) -> int:
    headers = sum(len(name) + len(content or b"") for name, content in _headers(message))
    return len(message.key or b"") + len(message.value or b"") + headers


def _headers(message: Message) -> Headers:
    """As received, in order; a name may be there twice."""
    return cast(Headers, list(message.headers or ()))
