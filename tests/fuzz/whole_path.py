"""Sends hostile messages through a real broker and real workers, and accounts for every one.

Run: make fuzz-path MESSAGES=100000. Each message, by its partition and offset, must have exactly
one outcome: the dead letter that names it, with the reason and the bytes that were to be expected,
or exactly the quote events that the same stages give in this process, or nothing when it holds no
quotes. No worker may end, everything must be committed, and the metrics must add up.
"""

import argparse
import contextlib
import math
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition

from service.broker import EmbeddedBroker
from service.clients import create_topics, read_to_end
from service.dead_letters import read_failure
from service.settings import Settings
from tests.fuzz.account import Account, Oracle, differences, event_digest, letter_digest
from tests.fuzz.messages import (
    MAX_ARTICLE_CHARS,
    MAX_MESSAGE_BYTES,
    MAX_OUTPUT_BYTES,
    Parcel,
    parcel,
)
from tests.integration.harness import WorkerProcess, settings_for, wait_until
from tests.raw_batches import send

PARTITIONS = 4
PORTION = 500
STANDSTILL_SECONDS = 120.0
COMMIT_SECONDS = 30.0


@dataclass
class Report:
    """How it went; a run is good when there are no problems."""

    outcomes: Counter[str]
    events: int
    seconds: float
    resident_bytes: list[float]
    problems: list[str]


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
        problems += differences(expected, seen)
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
        session_timeout_seconds=30,  # a rebalance sends some events again, rightly
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
        seen.events[event_digest(record.key, record.value, record.headers)] += 1
    for record in read_to_end(settings, settings.topic_dead_letters):
        failure = read_failure(record.headers)
        place = failure.origin.partition, failure.origin.offset
        if place in seen.letters:
            seen.outcomes["second letter"] += 1
        shrunk = failure.value_omitted and place in expected.may_shrink
        known = expected.letters.get(place, ("", ""))[1]
        digest = known if shrunk else letter_digest(record.key, record.value, record.headers)
        seen.letters[place] = failure.reason, digest
    return seen


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
    except TimeoutError:
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
