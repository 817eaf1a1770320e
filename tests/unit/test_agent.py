"""What is sent for an article, in which order and how large.

The way of an article through the whole worker needs a broker: tests/integration.
"""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from models import load_classifier
from service.agent import ArticleAgent, MessageTooLarge
from service.dead_letters import ERROR_PREFIX, read_failure
from service.errors import FatalError, InvalidArticle, Reason
from service.events import Headers
from service.health import Health
from service.metrics import Metrics
from service.offsets import OffsetLedger
from service.records import Unread
from service.settings import Settings
from service.stages import CHUNK_BYTES, OutMessage
from service.telemetry import Telemetry

MANY = 10**9


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(60):
            await scenario()

    asyncio.run(limited())


CLASSIFIER = load_classifier("keywords")
STANCES = [*CLASSIFIER.labels.names, "none"]
PLACE = ("articles", 0)


@dataclass
class Log:
    """Stands for the stream and for the broker: hands one message out, takes what is sent.

    Args:
        max_bytes: a larger message is refused.
        delay: seconds until a message is acknowledged.
    """

    max_bytes: int = MANY
    delay: float = 0
    sent: list[OutMessage] = field(default_factory=list)
    unacknowledged: list[int] = field(default_factory=list)  # whenever something was sent
    crashes: list[BaseException] = field(default_factory=list)
    acked: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _pending: int = 0

    async def send(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers
    ) -> Awaitable[object]:
        size = len(key or b"") + len(value or b"")
        size += sum(len(name) + len(content or b"") for name, content in headers)
        if size > self.max_bytes:
            raise MessageTooLarge(f"{size} bytes")
        self.unacknowledged.append(self._pending)
        self._pending += 1
        self.sent.append((topic, key, value, headers))
        return asyncio.create_task(self._acknowledge())

    async def _acknowledge(self) -> None:
        await asyncio.sleep(self.delay)
        self._pending -= 1

    async def crash(self, error: BaseException) -> None:
        self.crashes.append(error)
        self.over.set()

    def stream(self, message: Any) -> Any:
        async def events() -> AsyncIterator[Any]:
            yield SimpleNamespace(message=message)
            await self.over.wait()

        async def ack(_event: Any) -> None:
            self.acked = True
            self.over.set()

        return SimpleNamespace(noack=lambda: SimpleNamespace(events=events), ack=ack)


def message_of(value: bytes | None, **changed: Any) -> Any:
    given = {"key": b"k", "headers": (), "timestamp": 1_800_000_000.0, **changed}
    return SimpleNamespace(
        value=value, tp=PLACE, topic="articles", partition=0, offset=7, generation_id=1, **given
    )


def work_on(
    message: Any,
    log: Log,
    telemetry: Telemetry | None = None,
    **changed: Any,
) -> Metrics:
    """Let an agent work on one message."""
    telemetry = telemetry or Telemetry(Health(MANY, MANY))
    ledger = OffsetLedger(lambda: 1)

    async def scenario() -> None:
        agent = ArticleAgent(
            Settings(**changed), CLASSIFIER, 1, ledger, log.send, log.crash, telemetry
        )
        await agent.run(log.stream(message))

    run(scenario)
    assert log.acked is (ledger.committable(PLACE) == 8)
    return telemetry.metrics


def long_article(quotes: int) -> bytes:
    text = "\n".join(f"“We go to pier {number},” she said." for number in range(quotes))
    return json.dumps({"id": "long", "title": "t" * 4_000, "text": text}).encode()


def test_a_chunk_is_sent_when_the_one_before_is_acknowledged() -> None:
    log = Log(delay=0.01)
    metrics = work_on(message_of(long_article(1_000)), log)
    assert len(log.sent) == 1_000
    firsts = [place for place, pending in enumerate(log.unacknowledged) if pending == 0]
    assert firsts[0] == 0
    sizes = [len(value or b"") for _, _, value, _ in log.sent]
    chunks = [sum(sizes[start:end]) for start, end in zip(firsts, [*firsts[1:], None], strict=True)]
    assert len(chunks) > 3
    assert all(size <= CHUNK_BYTES for size in chunks)
    assert sum(metrics.quotes.labels(stance)._value.get() for stance in STANCES) == 1_000


def test_each_chunk_begins_the_time_limit_of_its_article_anew() -> None:
    ticks = itertools.count(1.0)
    health = Health(MANY, MANY, clock=lambda: next(ticks))
    since: list[float] = []

    class Watched(Log):
        async def send(self, *message: Any) -> Awaitable[object]:
            since.append(health.oldest_since or 0.0)
            return await super().send(*message)

    work_on(message_of(long_article(1_000)), Watched(), Telemetry(health))
    assert since == sorted(since)
    assert len(set(since)) > 3
    assert 0.0 not in since
    assert health.oldest_since is None


@pytest.mark.parametrize(
    ("received", "left"),
    [
        ({"value": b"{" * 9_000}, {"value-omitted"}),
        ({"headers": (("h", b"x" * 9_000),)}, {"value-omitted", "headers-omitted"}),
        ({"headers": (("h", None),) * 9_000}, {"value-omitted", "headers-omitted"}),
        ({"key": b"k" * 9_000}, {"value-omitted", "headers-omitted", "key-omitted"}),
    ],
    ids=["value", "header", "headers", "key"],
)
def test_whatever_makes_a_letter_too_large_is_left_out_and_named(
    received: dict[str, Any], left: set[str]
) -> None:
    log = Log(max_bytes=8_000)
    work_on(message_of(**{"value": b"{", **received}), log)
    assert log.crashes == []
    [(topic, _, value, headers)] = log.sent
    assert (topic, value) == ("articles.dead", b"")
    omitted = {name.removeprefix(ERROR_PREFIX) for name, _ in headers if "omitted" in name}
    assert omitted == left
    assert read_failure(headers).origin == ("articles", 0, 7)


def test_a_broker_that_takes_no_letter_at_all_stops_the_worker() -> None:
    log = Log(max_bytes=10)
    work_on(message_of(b"{"), log)
    [error] = log.crashes
    assert isinstance(error, FatalError)
    assert "takes no dead letter" in str(error)
    assert not log.acked


@pytest.mark.parametrize(("size", "told"), [(50_000_000, b"50000000"), (None, b"unknown")])
def test_a_message_that_was_not_read_is_buried_for_the_reason_given(
    size: int | None, told: bytes
) -> None:
    log = Log()
    unread = Unread(InvalidArticle(Reason.UNREADABLE, "damaged"), size)
    metrics = work_on(message_of(unread, key=None), log)
    [(topic, key, value, headers)] = log.sent
    assert (topic, key, value) == ("articles.dead", None, b"")
    assert (ERROR_PREFIX + "value-omitted", told) in headers
    assert read_failure(headers).reason == "unreadable"
    assert metrics.dead_letters.labels("unreadable")._value.get() == 1


@pytest.mark.parametrize(
    ("timestamp", "counted"),
    [
        (253_402_300_799.999, 1),
        (9.3e15, 1),
        (1.0, 1),
        (0.0, 0),
        (-0.001, 0),
        (-9.3e15, 0),
        (None, 0),
    ],
)
def test_the_age_is_never_negative_and_is_not_counted_without_a_timestamp(
    timestamp: float | None, counted: int
) -> None:
    metrics = work_on(message_of(b"{", timestamp=timestamp), Log())
    samples = {
        sample.name: sample.value
        for family in metrics.article_age_seconds.collect()
        for sample in family.samples
    }
    assert samples["stancewire_article_age_seconds_count"] == counted
    assert samples["stancewire_article_age_seconds_sum"] >= 0


def test_quotes_are_shown_when_they_are_delivered() -> None:
    telemetry = Telemetry(Health(MANY, MANY))
    log = Log()
    work_on(message_of(long_article(3)), log, telemetry)
    number, shown = telemetry.recent.after(0)
    assert number == len(log.sent) == 3
    assert [quote["text"] for quote in shown] == [f"We go to pier {n}," for n in range(3)]


def test_a_dead_letter_is_not_shown() -> None:
    telemetry = Telemetry(Health(MANY, MANY))
    work_on(message_of(b"{"), Log(), telemetry)
    assert telemetry.recent.after(0) == (0, [])


def test_of_the_headers_received_only_the_trace_goes_on() -> None:
    parent = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    log = Log()
    work_on(message_of(long_article(1), headers=[("tenant", b"x"), parent]), log)
    [(_, _, _, headers)] = log.sent
    assert parent in headers
    assert "tenant" not in dict(headers)
