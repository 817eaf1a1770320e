"""Sends hostile messages through a real broker and real workers, and accounts for every one.

Run: make fuzz-path MESSAGES=100000. Each message, by its partition and offset, must have exactly
one outcome: the dead letter that names it, with the reason and the bytes that were to be expected,
or exactly the quote events that the same stages give in this process, or nothing when it holds no
quotes. No worker may end, everything must be committed, and the metrics must add up.
"""

import argparse
import contextlib
import hashlib
import json
import math
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from models import load_classifier
from service.broker import EmbeddedBroker
from service.clients import create_topics, read_to_end
from service.dead_letters import ERROR_PREFIX, REPLAYED_PREFIX, read_failure
from service.errors import InvalidArticle, Reason
from service.records import MAX_HEADERS
from service.settings import Settings
from service.stages import OutMessage, Stages
from tests.fuzz.messages import (
    MAX_ARTICLE_CHARS,
    MAX_MESSAGE_BYTES,
    MAX_OUTPUT_BYTES,
    Parcel,
    parcel,
)
from tests.integration.harness import WorkerProcess, settings_for, wait_until
from tests.raw_batches import Record, send

PARTITIONS = 4
PORTION = 500
STANDSTILL_SECONDS = 120.0
COMMIT_SECONDS = 30.0
LETTER_BYTES = 2_000  # what a dead letter adds to its message, at most
EMPTY, CLASSIFIED = "empty", "classified"

UNREAD = Reason.UNREADABLE, Reason.MESSAGE_TOO_LARGE

Place = tuple[int, int]  # partition, offset


@dataclass
class Account:
    """What must come out, or what came out."""

    letters: dict[Place, tuple[str, str]] = field(default_factory=dict)  # reason, digest of letter
    events: Counter[str] = field(default_factory=Counter)  # digests
    outcomes: Counter[str] = field(default_factory=Counter)
    ends: Counter[int] = field(default_factory=Counter)  # of each partition
    may_shrink: set[Place] = field(default_factory=set)  # their letters hardly fit


@dataclass
class Report:
    """How it went; a run is good when there are no problems."""

    outcomes: Counter[str]
    events: int
    seconds: float
    resident_bytes: list[float]
    problems: list[str]


class Oracle:
    """The stages of a worker, without Kafka.

    Args:
        settings: of the workers.
    """

    def __init__(self, settings: Settings) -> None:
        self._classifier = load_classifier("keywords")
        self._stages = Stages(settings, self._classifier)

    def note(self, account: Account, place: Place, record: Record, *, readable: bool) -> None:
        """Add to the account what must come of one message."""
        size = _size(record)
        try:
            if not readable:
                raise InvalidArticle(Reason.UNREADABLE, "")
            if size > MAX_MESSAGE_BYTES or len(record[2]) > MAX_HEADERS:
                raise InvalidArticle(Reason.MESSAGE_TOO_LARGE, "")
            messages = list(self._messages(record))
        except InvalidArticle as problem:
            reason = problem.reason.value
            account.letters[place] = reason, _letter_digest(*record)
            account.outcomes[reason] += 1
            if problem.reason in UNREAD or size > MAX_MESSAGE_BYTES - LETTER_BYTES:
                account.may_shrink.add(place)
        else:
            account.events.update(_event_digest(*message[1:]) for message in messages)
            account.outcomes[CLASSIFIED if messages else EMPTY] += 1
        account.ends[place[0]] = place[1] + 1

    def _messages(self, record: Record) -> Iterator[OutMessage]:
        _, value, headers = record
        split = self._stages.split(value)
        scores = self._classifier.score([one.quote.text for one in split.found])
        result = self._stages.encode(split, scores, headers)
        yield from result.first.messages
        for chunk in result.rest or ():
            yield from chunk.messages


def run(messages: int, seed: int, *, workers: int, folder: Path) -> Report:
    """Send so many messages and account for them.

    Args:
        messages: how many.
        seed: the same one makes the same messages.
        workers: how many processes.
        folder: for their logs.
    """
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(EmbeddedBroker())
        settings = [_settings(broker.address) for _ in range(workers)]
        create_topics(settings[0], partitions=PARTITIONS, replicas=1)
        running = [
            WorkerProcess(one, folder / f"worker-{number}.log").start()
            for number, one in enumerate(settings)
        ]
        for worker in running:
            stack.callback(worker.stop)
        for worker in running:
            worker.wait_ready()
        started = time.monotonic()
        expected = _publish(settings[0], messages, seed)
        problems = list(_wait(running, messages))
        seconds = time.monotonic() - started
        seen = _read(settings[0], expected)
        problems += _compare(expected, seen)
        problems += _check_workers(running, settings[0], messages, expected)
        resident = [_resident(worker) for worker in running]
    return Report(expected.outcomes, seen.events.total(), seconds, resident, problems)


def _settings(brokers: str) -> Settings:
    return settings_for(
        brokers,
        model="keywords",
        max_article_chars=MAX_ARTICLE_CHARS,
        max_message_bytes=MAX_MESSAGE_BYTES,
        max_output_bytes=MAX_OUTPUT_BYTES,
    )


def _publish(settings: Settings, messages: int, seed: int) -> Account:
    rng = random.Random(seed)
    oracle, account = Oracle(settings), Account()
    for first in range(0, messages, PORTION):
        parcels: list[tuple[int, Parcel]] = []
        made, count = 0, min(PORTION, messages - first)
        while made < count:
            one = parcel(rng, first + made, count - made)
            parcels.append((rng.randrange(PARTITIONS), one))
            made += len(one.records)
        offsets = send(
            settings.brokers,
            settings.topic_articles,
            [(partition, one.made) for partition, one in parcels],
        )
        for (partition, one), offset in zip(parcels, offsets, strict=True):
            for index, record in enumerate(one.records):
                oracle.note(account, (partition, offset + index), record, readable=one.readable)
    return account


def _wait(workers: Sequence[WorkerProcess], messages: int) -> Iterator[str]:
    """Until all are worked on, or nothing moves any more."""
    done, moved = 0.0, time.monotonic()
    while done < messages:
        ended = [worker for worker in workers if worker.process.poll() is not None]
        if ended:
            yield from (f"a worker ended\n{worker.tail()}" for worker in ended)
            return
        now = sum(worker.metric("articles_total") for worker in workers)
        if now > done:
            done, moved = now, time.monotonic()
        elif time.monotonic() - moved > STANDSTILL_SECONDS:
            yield f"nothing moves after {done:.0f} of {messages}\n{workers[0].tail()}"
            return
        time.sleep(0.5)


def _read(settings: Settings, expected: Account) -> Account:
    seen = Account()
    for record in read_to_end(settings, settings.topic_quotes):
        seen.events[_event_digest(record.key, record.value, record.headers)] += 1
    for record in read_to_end(settings, settings.topic_dead_letters):
        failure = read_failure(record.headers)
        place = failure.origin.partition, failure.origin.offset
        if place in seen.letters:
            seen.outcomes["second letter"] += 1
        shrunk = failure.value_omitted and place in expected.may_shrink
        known = expected.letters.get(place, ("", ""))[1]
        digest = known if shrunk else _letter_digest(record.key, record.value, record.headers)
        seen.letters[place] = failure.reason, digest
    return seen


def _compare(expected: Account, seen: Account) -> Iterator[str]:
    for text, some in (
        ("events missing", (expected.events - seen.events).total()),
        ("events too many", (seen.events - expected.events).total()),
        ("letters twice", seen.outcomes["second letter"]),
    ):
        if some:
            yield f"{some} {text}"
    for place in sorted(expected.letters.keys() | seen.letters.keys()):
        want, got = expected.letters.get(place), seen.letters.get(place)
        if want != got:
            yield f"message {place}: expected the letter {want}, got {got}"


def _check_workers(
    workers: Sequence[WorkerProcess], settings: Settings, messages: int, expected: Account
) -> Iterator[str]:
    finished = sum(worker.metric("articles_total") for worker in workers)
    if finished != messages:
        yield f"articles_total adds up to {finished:.0f}, sent were {messages}"
    letters = sum(worker.metric("dead_letters_total") for worker in workers)
    if letters != len(expected.letters):
        yield f"dead_letters_total adds up to {letters:.0f}, not {len(expected.letters)}"
    ages = [worker.metric("article_age_seconds_sum") for worker in workers]
    if not all(math.isfinite(age) and age >= 0 for age in ages):
        yield f"article_age_seconds adds up to {ages}"
    committed: dict[int, int] = {}
    try:
        wait_until(lambda: _committed(settings, committed) == expected.ends, COMMIT_SECONDS)
    except (TimeoutError, AssertionError):
        yield f"committed is {committed}, the ends are {dict(expected.ends)}"


def _committed(settings: Settings, committed: dict[int, int]) -> dict[int, int]:
    client = KafkaConsumer(
        bootstrap_servers=settings.brokers, group_id=settings.group, enable_auto_commit=False
    )
    try:
        for partition in range(PARTITIONS):
            place = TopicPartition(settings.topic_articles, partition)
            committed[partition] = client.committed(place) or 0
    finally:
        client.close()
    return {partition: offset for partition, offset in committed.items() if offset}


def _resident(worker: WorkerProcess) -> float:
    for line in worker.get("/metrics")[1].splitlines():
        if line.startswith("process_resident_memory_bytes "):
            return float(line.split()[1])
    return math.nan


def _size(record: Record) -> int:
    key, value, headers = record
    size = sum(len(name) + len(content or b"") for name, content in headers)
    return size + len(key or b"") + len(value or b"")


def _event_digest(key: bytes | None, value: bytes | None, headers: Any) -> str:
    """Of all that an event is, but for the time."""
    event = json.loads(value or b"")
    del event["classified_at"]
    kept = [one for one in headers if one[0] != "ce_time"]
    return _digest(key, json.dumps(event, sort_keys=True), kept)


def _letter_digest(key: bytes | None, value: bytes | None, headers: Any) -> str:
    """Of what was received: key, value, and the headers that are not ours."""
    kept = [one for one in headers if not one[0].startswith((ERROR_PREFIX, REPLAYED_PREFIX))]
    return _digest(b"" if key is None and value is None else key, value, kept)


def _digest(*parts: Any) -> str:
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()


def main() -> int:
    """Run once and print the account; 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("messages", type=int)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        report = run(
            arguments.messages, arguments.seed, workers=arguments.workers, folder=Path(folder)
        )
    for outcome, count in report.outcomes.most_common():
        print(f"{count:8} {outcome}")
    print(f"{report.outcomes.total():8} messages, {report.events} events, {report.seconds:.0f} s")
    memory = ", ".join(f"{size / 1024**2:.0f} MiB" for size in report.resident_bytes)
    print(f"memory of the workers at the end: {memory}")
    for problem in report.problems[:20]:
        print(f"PROBLEM: {problem}")
    print(f"{len(report.problems)} problems")
    return int(bool(report.problems))


if __name__ == "__main__":
    sys.exit(main())
