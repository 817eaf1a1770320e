"""Dead letters on the real topic: list the open ones, publish them to the input topic again.

A replayed letter is settled by a marker behind it in the same topic, so it is replayed once, and
what stays open stays listed whatever was filtered out before. A letter that fails again becomes a
new letter with its count of replays; beyond `max_replays` it is left where it is. So is a letter
without the value it was received with: there is nothing to publish again.
"""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

from service.clients import producer, read_to_end
from service.dead_letters import SETTLED, DeadLetter, Failure, read_failure, settles, unbury
from service.settings import Settings


class OpenLetter(NamedTuple):
    """A dead letter that was not replayed yet."""

    partition: int
    offset: int
    letter: DeadLetter
    failure: Failure


def open_letters(settings: Settings, reason: str | None = None) -> list[OpenLetter]:
    """Dead letters on the topic that no marker settles, in the topic's order.

    Args:
        settings: where the topic is.
        reason: only letters with this reason.

    Raises:
        FatalError: no broker answers, or there is no such topic.
    """
    letters: dict[tuple[int, int], OpenLetter] = {}
    settled: set[tuple[int, int]] = set()
    for record in read_to_end(settings, settings.topic_dead_letters):
        offset = settles(record.headers)
        if offset is not None:
            settled.add((record.partition, offset))
        else:
            letters[record.partition, record.offset] = _open(record)
    return [
        letter
        for place, letter in letters.items()
        if place not in settled and reason in (None, letter.failure.reason)
    ]


def replay(
    settings: Settings,
    *,
    reason: str | None = None,
    limit: int | None = None,
    max_replays: int = 1,
    dry_run: bool = False,
) -> Iterator[OpenLetter]:
    """Publish open letters to the input topic again, one after the other.

    Killed between a letter and its marker, the next run replays that letter twice: its quotes keep
    their ids.

    Args:
        settings: where the topics are.
        reason: only letters with this reason.
        limit: at most that many.
        max_replays: leave letters alone that were replayed that often.
        dry_run: publish nothing.

    Yields:
        each letter, once it is settled (or would be).

    Raises:
        FatalError: a broker does not answer.
    """
    candidates = (
        letter
        for letter in open_letters(settings, reason)
        if letter.failure.replays < max_replays and not letter.failure.value_omitted
    )
    chosen = list(itertools.islice(candidates, limit))
    if dry_run:
        yield from chosen
        return
    with producer(settings) as client:
        for letter in chosen:
            again = unbury(letter.letter)
            _send(client, settings.topic_articles, again, settings)
            mark = (SETTLED, str(letter.offset).encode())
            _send(
                client,
                settings.topic_dead_letters,
                DeadLetter(letter.letter.key, b"", [mark]),
                settings,
                partition=letter.partition,
            )
            yield letter


def _open(record: Any) -> OpenLetter:
    letter = DeadLetter(record.key, record.value, list(record.headers))
    return OpenLetter(record.partition, record.offset, letter, read_failure(record.headers))


def _send(
    client: Any,
    topic: str,
    message: DeadLetter,
    settings: Settings,
    partition: int | None = None,
) -> None:
    key = message.key
    if key is None and message.value is None:
        key = b""
    client.send(
        topic, key=key, value=message.value, headers=message.headers, partition=partition
    ).get(timeout=settings.delivery_timeout_seconds)
