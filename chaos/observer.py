"""Reads all three topics as they grow, and looks at what the group has committed.

Everything is remembered with the time at which it was seen: the checker judges afterwards.
"""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from chaos.gaps import Gaps
from service.dead_letters import read_failure
from service.settings import Settings

POLL_MS = 100
AUDIT_SECONDS = 1.0
FETCH_WAIT_MS = 50
"""The embedded broker holds a fetch to the end of it, whatever arrives."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One quote event or dead letter: where it lies and when it was first read."""

    topic: str
    partition: int
    offset: int
    moment: float
    article: str
    text: str = ""  # of a quote
    id: str = ""  # of a quote
    reason: str = ""  # of a dead letter
    origin: tuple[int, int] = (-1, -1)  # of a dead letter: partition and offset


@dataclass(frozen=True, slots=True)
class Audit:
    """What was committed, and where the output topics ended right afterwards."""

    moment: float
    committed: dict[int, int]
    ends: dict[tuple[str, int], int]


@dataclass
class Observer:
    """Use as a context manager; reads in a thread of its own.

    Args:
        settings: where the topics are and which group is watched.
        partitions: of each topic.
        topics: which to read; default: all three.
        fetch_wait_ms: how long the broker may hold a fetch; so much later an event may be seen.
        audit_seconds: pause between two looks at what is committed.
        by_timestamp: an event's moment is when it was sent, not when it was first read.
    """

    settings: Settings
    partitions: int
    topics: tuple[str, ...] = ()
    fetch_wait_ms: int = FETCH_WAIT_MS
    audit_seconds: float = AUDIT_SECONDS
    by_timestamp: bool = False
    received: dict[tuple[int, int], str] = field(default_factory=dict)  # input place: article id
    seen: list[Seen] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)
    error: BaseException | None = None
    _by_article: defaultdict[str, dict[str, float]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    _epoch: float = field(default_factory=lambda: time.time() - time.monotonic())
    _read_to: dict[tuple[str, int], int] = field(default_factory=dict)
    _gaps: Gaps = field(default_factory=Gaps)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Observer":
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), name=work.__name__, daemon=True)
            for work in (self._read, self._audit)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(30)

    def outcomes(self, article: str) -> dict[str, float]:
        """Texts of quotes, or "" for a dead letter, each with the moment it was first seen."""
        return self._by_article.get(article, {})

    def silent_seconds(self) -> float:
        """How long ago the last event came out."""
        return time.monotonic() - self.seen[-1].moment if self.seen else 0.0

    def all_committed(self) -> bool:
        """The last audit found nothing of the input topic uncommitted."""
        topic = self.settings.topic_articles
        ends = {place: end for place, end in list(self._read_to.items()) if place[0] == topic}
        return bool(self.audits) and all(
            self.audits[-1].committed.get(partition, 0) >= end
            for (_, partition), end in ends.items()
        )

    def caught_up(self) -> bool:
        """All that the last audit found on the output topics was read."""
        return bool(self.audits) and all(
            self._read_to.get(place, 0) >= end for place, end in self.audits[-1].ends.items()
        )

    def _guarded(self, work: Any) -> None:
        try:
            work()
        except Exception as error:
            self.error = error

    def _consumer(self, **options: Any) -> KafkaConsumer:
        return KafkaConsumer(
            bootstrap_servers=self.settings.brokers.split(","),
            client_id="chaos-observer",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=self.fetch_wait_ms,
            max_partition_fetch_bytes=8 * 1024**2,
            request_timeout_ms=20_000,
            **options,
        )

    def _places(self, *topics: str) -> list[TopicPartition]:
        return [TopicPartition(topic, n) for topic in topics for n in range(self.partitions)]

    def _read(self) -> None:
        client = self._consumer(group_id=None)
        client.assign(self._places(*(self.topics or self.settings.topics)))
        client.seek_to_beginning()
        while not self._over.is_set():
            polled = _patiently(lambda: client.poll(timeout_ms=POLL_MS), {})
            for place, records in polled.items():
                read_to = self._read_to.get((place.topic, place.partition), 0)
                whole = self._gaps.before(place, read_to, records)
                self._note(whole)
                if len(whole) < len(records):
                    client.seek(place, whole[-1].offset + 1 if whole else read_to)
        client.close()

    def _note(self, records: Sequence[Any]) -> None:
        now = time.monotonic()
        for record in records:
            self._read_to[record.topic, record.partition] = record.offset + 1
            if record.topic == self.settings.topic_articles:
                self.received[record.partition, record.offset] = record.key.decode()
                continue
            is_quote = record.topic == self.settings.topic_quotes
            moment = record.timestamp / 1000 - self._epoch if self.by_timestamp else now
            one = (_quote if is_quote else _dead_letter)(record, moment)
            self.seen.append(one)
            self._by_article[one.article].setdefault(one.text, moment)

    def _audit(self) -> None:
        group = self._consumer(group_id=self.settings.group)
        outputs = self._places(self.settings.topic_quotes, self.settings.topic_dead_letters)
        inputs = self._places(self.settings.topic_articles)
        while not self._over.wait(self.audit_seconds):
            committed = _patiently(
                lambda: {place.partition: group.committed(place) or 0 for place in inputs}, None
            )
            if committed is None:
                continue
            moment = time.monotonic()
            ends = _patiently(lambda: self._ends(outputs), None)
            if ends is not None:
                self.audits.append(Audit(moment, committed, ends))
        group.close()

    def _ends(self, places: list[TopicPartition]) -> dict[tuple[str, int], int]:
        """Where partitions end now, by fetches that begin now: of a new client.

        One that has fetched before may still find an old answer in its socket. To ask for end
        offsets would do on Apache Kafka; the embedded broker answers that wrongly.
        """
        with closing(self._consumer(group_id=None)) as client:
            return self._fetched_ends(client, places)

    def _fetched_ends(
        self, client: KafkaConsumer, places: list[TopicPartition]
    ) -> dict[tuple[str, int], int]:
        client.assign(places)
        for place in places:
            client.seek(place, max(0, self._read_to.get((place.topic, place.partition), 0) - 1))
        deadline = time.monotonic() + 10
        while any(client.highwater(place) is None for place in places):
            client.poll(timeout_ms=POLL_MS)
            if time.monotonic() > deadline or self._over.is_set():
                raise KafkaError("the broker does not say where its partitions end")
        return {(place.topic, place.partition): client.highwater(place) for place in places}


def _patiently(ask: Any, otherwise: Any) -> Any:
    """A broker that is away is what chaos is about: the next round will do."""
    with suppress(KafkaError, OSError):
        return ask()
    time.sleep(0.2)
    return otherwise


def _quote(record: Any, moment: float) -> Seen:
    event = json.loads(record.value)
    return Seen(
        record.topic,
        record.partition,
        record.offset,
        moment,
        article=event["article"]["id"],
        text=event["text"].rstrip(","),
        id=event["id"],
    )


def _dead_letter(record: Any, moment: float) -> Seen:
    failure = read_failure(record.headers)
    return Seen(
        record.topic,
        record.partition,
        record.offset,
        moment,
        article=record.key.decode(),
        reason=failure.reason,
        origin=(failure.origin.partition, failure.origin.offset),
    )
