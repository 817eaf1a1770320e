"""The dead-letter topic read from its beginning: letters, and what became of them. Pure.

Beside letters the topic holds markers, each in the partition of the letters that it is about:

- settled: the letter at this offset was replayed;
- begins: a replay is about to publish letters of this partition, and the input topic ends here;
- ends: that replay has settled all that it has published.

A replay that begins and does not end was cut short, or is still at work. Which letters it has
published is told by the input topic behind the ends that it noted: an article that is replayed
names its letter. So each letter is published once, whenever a replay dies. Decision record 0002.
"""

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from service.dead_letters import (
    ERROR_PREFIX,
    REPLAYED_BY,
    REPLAYED_FROM,
    SETTLED,
    DeadLetter,
    Failure,
    Origin,
    read_failure,
)
from service.errors import FatalError

BEGINS = "stancewire.replay-begins"
ENDS = "stancewire.replay-ends"

Ends = Mapping[str, Mapping[int, int]]
"""Topic and partition to the offset behind the last message."""


class Marker(NamedTuple):
    """A message that tells something of letters."""

    kind: str  # SETTLED, BEGINS or ENDS: also the name of its header
    about: str  # the letter's offset, or the replay's name


class State(StrEnum):
    """What a replay does with a letter that was not replayed yet."""

    OPEN = "open"  # publishes it
    PARKED = "parked"  # leaves it: replayed often enough, and failed again
    NO_VALUE = "no_value"  # leaves it: too large to be kept


class OpenLetter(NamedTuple):
    """A dead letter that was not replayed yet."""

    partition: int
    offset: int
    letter: DeadLetter
    failure: Failure

    @property
    def article(self) -> tuple[object, ...]:
        """What was buried: a worker that dies at the wrong moment buries the same message twice.

        Its place alone would not do: a topic that is made anew counts from zero.
        """
        origin = self.failure.origin
        if origin.offset < 0:  # not by a worker
            return self.partition, self.offset
        return origin, self.letter.key, self.letter.value

    def state(self, max_replays: int) -> State:
        """What a replay with this limit does with it."""
        if self.failure.value_omitted:
            return State.NO_VALUE
        return State.PARKED if self.failure.replays >= max_replays else State.OPEN


class LetterLog:
    """What the records of the dead-letter topic say together.

    Args:
        topic: its name.
    """

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._letters: dict[tuple[int, int], OpenLetter] = {}
        self._settled: set[tuple[int, str]] = set()
        self._arrived: set[bytes] = set()  # names of letters
        self._began: dict[tuple[int, str], Ends] = {}  # partition and name of replays
        self.ends: dict[int, int] = {}  # partition to the offset behind the last record read

    def add(self, record: Any) -> Marker | None:
        """Note one record; those of a partition in their order.

        Returns:
            the marker, if it is one.

        Raises:
            FatalError: a marker cannot be read.
        """
        partition, offset = record.partition, record.offset
        self.ends[partition] = offset + 1
        marker = read_marker(record.headers)
        if marker is None:
            letter = DeadLetter(record.key, record.value, list(record.headers))
            failure = read_failure(record.headers)
            self._letters[partition, offset] = OpenLetter(partition, offset, letter, failure)
        elif marker.kind == SETTLED:
            self._settled.add((partition, marker.about))
        elif marker.kind == BEGINS:
            place = Origin(self._topic, partition, offset)
            self._began[partition, marker.about] = _input_ends(record.value, place)
        else:
            self._began.pop((partition, marker.about), None)
        return marker

    def note_article(self, headers: Iterable[tuple[str, bytes]]) -> None:
        """Note an article of the input topic: an unfinished replay may have published it."""
        found = dict(headers)
        replays = {name.encode() for _, name in self._began}
        if found.get(REPLAYED_BY) in replays:
            self._arrived.add(found.get(REPLAYED_FROM, b""))

    @property
    def unfinished(self) -> list[tuple[int, str]]:
        """Partition and name of replays that began and did not end."""
        return list(self._began)

    def input_ends(self) -> dict[str, dict[int, int]]:
        """Where the input topic ended before the first replay that did not end; by topic."""
        lowest: dict[str, dict[int, int]] = {}
        for ends in self._began.values():
            for topic, offsets in ends.items():
                known = lowest.setdefault(topic, {})
                for partition, offset in offsets.items():
                    known[partition] = min(offset, known.get(partition, offset))
        return lowest

    def unsettled(self) -> list[OpenLetter]:
        """Letters of articles that were replayed, and no marker says so."""
        replayed = self._replayed()
        return [
            letter
            for letter in self._letters.values()
            if letter.article in replayed and not self._is_settled(letter)
        ]

    def open(self, reason: str | None = None) -> list[OpenLetter]:
        """Letters of articles that were not replayed, in the topic's order, one of each.

        Args:
            reason: only letters with this reason.
        """
        replayed = self._replayed()
        first = {one.article: one for one in reversed(self._letters.values())}
        return [
            letter
            for letter in self._letters.values()
            if first[letter.article] is letter
            and letter.article not in replayed
            and reason in (None, letter.failure.reason)
        ]

    def place(self, letter: OpenLetter) -> Origin:
        """Where the letter lies."""
        return Origin(self._topic, letter.partition, letter.offset)

    def _is_settled(self, letter: OpenLetter) -> bool:
        return (letter.partition, str(letter.offset)) in self._settled

    def _replayed(self) -> set[object]:
        """The articles of all letters that are settled or have arrived."""
        return {
            letter.article
            for letter in self._letters.values()
            if self._is_settled(letter) or str(self.place(letter)).encode() in self._arrived
        }


def read_marker(headers: Iterable[tuple[str, bytes]]) -> Marker | None:
    """What a marker says; None for anything else, also for a letter with such a header."""
    found = dict(headers)
    if ERROR_PREFIX + "reason" in found:
        return None
    for kind in (SETTLED, BEGINS, ENDS):
        if kind in found:
            return Marker(kind, (found[kind] or b"").decode("utf-8", "replace"))
    return None


def settled_marker(letter: OpenLetter) -> DeadLetter:
    """Says that this letter was replayed."""
    return DeadLetter(letter.letter.key, b"", [(SETTLED, str(letter.offset).encode())])


def begins_marker(name: str, input_ends: Ends) -> DeadLetter:
    """Says that this replay begins, and where the input topic ends at this moment."""
    return DeadLetter(b"", json.dumps(input_ends).encode(), [(BEGINS, name.encode())])


def ends_marker(name: str) -> DeadLetter:
    """Says that all which this replay has published is settled."""
    return DeadLetter(b"", b"", [(ENDS, name.encode())])


def _input_ends(value: bytes | None, place: Origin) -> Ends:
    try:
        return {
            topic: {int(partition): int(offset) for partition, offset in offsets.items()}
            for topic, offsets in json.loads(value or b"").items()
        }
    except (ValueError, AttributeError, TypeError) as error:
        raise FatalError(f"{place}: this marker of a replay cannot be read: {error}") from error
