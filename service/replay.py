"""Dead letters on the real topics: read them, publish them to the input topic again.

Each letter is published once, though the process may be killed at any moment: what the dead-letter
topic says of it is in `letter_log.py`. A letter that fails again becomes a new letter with its
count of replays; beyond `max_replays` it is parked. A letter without the value it was received
with stays where it is: there is nothing to publish again.
"""

import time
from collections.abc import Iterator, Sequence
from uuid import uuid4

from service.clients import Publisher, ends_of, producer, read_to_end
from service.dead_letters import DeadLetter, unbury
from service.errors import FatalError
from service.letter_log import (
    BEGINS,
    LetterLog,
    OpenLetter,
    begins_marker,
    ends_marker,
    settled_marker,
)
from service.settings import Settings

# A replay at work settles a letter every few milliseconds.
SILENCE_SECONDS = 1.0


def read_letters(settings: Settings, *, to_replay: bool = False) -> LetterLog:
    """Read the dead-letter topic, and what replays that were cut short have published.

    Args:
        settings: where the topics are.
        to_replay: make sure that no other replay is at work.

    Raises:
        FatalError: no broker answers, there is no such topic, or another replay is at work.
    """
    log = LetterLog(settings.topic_dead_letters)
    for record in read_to_end(settings, settings.topic_dead_letters):
        log.add(record)
    if to_replay and log.unfinished:
        _wait_for_silence(settings, log)
    for topic, ends in log.input_ends().items():
        for record in read_to_end(settings, topic, ends):
            log.note_article(record.headers)
    return log


def replay(
    settings: Settings, log: LetterLog, letters: Sequence[OpenLetter]
) -> Iterator[OpenLetter]:
    """Publish letters to the input topic again, one after the other.

    Before that, finish what replays that were cut short have left.

    Args:
        settings: where the topics are.
        log: the dead-letter topic, as read for a replay.
        letters: open letters of this log.

    Yields:
        each letter, once it is settled.

    Raises:
        FatalError: a broker does not answer, or another replay has begun meanwhile.
    """
    with producer(settings) as client:
        topics = _Topics(settings, client)
        _finish_others(topics, log)
        if not letters:
            return
        name = uuid4().hex
        partitions = sorted({letter.partition for letter in letters})
        ends = {settings.topic_articles: ends_of(settings, settings.topic_articles)}
        topics.mark(begins_marker(name, ends), *partitions)
        if _another_has_begun(settings, log, name):
            topics.mark(ends_marker(name), *partitions)
            raise FatalError("another replay of these dead letters has begun; wait until it ends")
        for letter in letters:
            topics.publish(unbury(letter.letter, log.place(letter), name))
            topics.mark(settled_marker(letter), letter.partition)
            yield letter
        topics.mark(ends_marker(name), *partitions)


class _Topics:
    """Where a replay writes; each call waits until the broker has acknowledged.

    Args:
        settings: names of the topics.
        client: sends.
    """

    def __init__(self, settings: Settings, client: Publisher) -> None:
        self._settings = settings
        self._client = client

    def publish(self, article: DeadLetter) -> None:
        """To the input topic."""
        self._send(self._settings.topic_articles, article, None)

    def mark(self, marker: DeadLetter, *partitions: int) -> None:
        """To these partitions of the dead-letter topic."""
        for partition in partitions:
            self._send(self._settings.topic_dead_letters, marker, partition)

    def _send(self, topic: str, message: DeadLetter, partition: int | None) -> None:
        key, value, headers = message
        if key is None and value is None:
            key = b""
        sent = self._client.send(topic, key=key, value=value, headers=headers, partition=partition)
        sent.get(timeout=self._settings.delivery_timeout_seconds)


def _finish_others(topics: _Topics, log: LetterLog) -> None:
    """Settle what replays that were cut short had published, and say that they have ended."""
    for letter in log.unsettled():
        topics.mark(settled_marker(letter), letter.partition)
    for partition, name in log.unfinished:
        topics.mark(ends_marker(name), partition)


def _wait_for_silence(settings: Settings, log: LetterLog) -> None:
    """A replay that has not ended is dead, or at work and then heard.

    What it sent with its last breath arrives meanwhile.
    """
    time.sleep(SILENCE_SECONDS)
    heard = [log.add(one) for one in read_to_end(settings, settings.topic_dead_letters, log.ends)]
    if any(heard):
        raise FatalError("another replay of these dead letters is at work; wait until it ends")


def _another_has_begun(settings: Settings, log: LetterLog, name: str) -> bool:
    """Of two replays that begin at the same time, does another come before this one?

    In a partition that both have, one of them is first, and the other finds its marker.
    """
    others: set[int] = set()  # partitions in which another has begun
    late = False
    for record in read_to_end(settings, settings.topic_dead_letters, log.ends):
        marker = log.add(record)
        if marker is None or marker.kind != BEGINS:
            continue
        if marker.about != name:
            others.add(record.partition)
        late = late or (marker.about == name and record.partition in others)
    return late
