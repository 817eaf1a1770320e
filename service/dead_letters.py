"""Where an article goes that cannot be processed, and how it comes back. Knows no Kafka client.

A dead letter is the message as it was received (key, value and headers, byte for byte) plus headers
that say why, from where and when. Kafka Connect's `__connect.errors.*` headers are the model; the
decision record on error handling has the table of what maps to what.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from service.errors import Reason
from service.events import Headers, rfc3339

ERROR_PREFIX = "stancewire.error."
REPLAYS = "stancewire.replays"
REPLAYED_PREFIX = "stancewire.replayed-"  # on a replayed article alone, never on a letter
REPLAYED_FROM = REPLAYED_PREFIX + "from"  # where the letter lies
REPLAYED_BY = REPLAYED_PREFIX + "by"  # name of the replay
SETTLED = "stancewire.settled"  # on the marker behind a replayed letter: that letter's offset
VALUE_OMITTED = ERROR_PREFIX + "value-omitted"
HEADERS_OMITTED = ERROR_PREFIX + "headers-omitted"
KEY_OMITTED = ERROR_PREFIX + "key-omitted"
MAX_MESSAGE_CHARS = 1_000
MAX_REPLAYS = 1_000_000  # more are not counted: a feed may send us this header too
MAX_KEY_BYTES = 4096  # kept in the smallest letter; an article's id has at most half


class Origin(NamedTuple):
    """The place in the log that a message was read from."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]@{self.offset}"


class DeadLetter(NamedTuple):
    """A message for the dead-letter topic.

    `value` is None only for a tombstone; `key` may then be empty instead of None, because a
    message with neither cannot be sent by every client.
    """

    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class Failure:
    """What the headers of a dead letter say."""

    reason: str
    message: str
    origin: Origin
    time: str
    replays: int
    value_omitted: bool  # what was received lies only at `origin`


def bury(
    key: bytes | None,
    value: bytes | None,
    headers: Sequence[tuple[str, bytes]],
    *,
    reason: Reason,
    message: str,
    origin: Origin,
    now: datetime | None = None,
) -> DeadLetter:
    """Make the dead letter of a message.

    Args:
        key: as received.
        value: as received.
        headers: as received; headers of an earlier burial are replaced, all others kept in order.
        reason: why it was not processed.
        message: the same for a person; cut at 1,000 characters.
        origin: where it was read.
        now: time of burial; default: the present.
    """
    why = {
        "reason": reason.value,
        "message": message[:MAX_MESSAGE_CHARS],
        "topic": origin.topic,
        "partition": str(origin.partition),
        "offset": str(origin.offset),
        "time": rfc3339(now or datetime.now(UTC)),
    }
    kept = [(name, content) for name, content in headers if not _is_ours(name)]
    # A message may quote what is not encodable; a dead letter must never fail.
    added = [(ERROR_PREFIX + name, text.encode("utf-8", "replace")) for name, text in why.items()]
    empty = key is None and value is None
    return DeadLetter(b"" if empty else key, value, kept + added)


def smaller_letters(letter: DeadLetter) -> Iterator[DeadLetter]:
    """What may be sent instead while the broker finds a letter too large, in this order.

    The last one has a few thousand bytes, whatever was received. The headers of all say where the
    original lies in the input topic.
    """
    valueless = without_value(letter, len(letter.value or b""))
    yield valueless
    yield _without_received(valueless)


def without_value(letter: DeadLetter, size: int | None) -> DeadLetter:
    """The same letter, but for the value.

    Args:
        letter: the letter.
        size: bytes that are left out; None: nobody knows.
    """
    marker = (VALUE_OMITTED, b"unknown" if size is None else str(size).encode())
    return DeadLetter(letter.key, b"", [*letter.headers, marker])


def _without_received(letter: DeadLetter) -> DeadLetter:
    """Our own headers alone, and the key only if it is short."""
    own = [(name, content) for name, content in letter.headers if name.startswith(ERROR_PREFIX)]
    own.append((HEADERS_OMITTED, str(len(letter.headers) - len(own)).encode()))
    if letter.key is None or len(letter.key) <= MAX_KEY_BYTES:
        return DeadLetter(letter.key, letter.value, own)
    own.append((KEY_OMITTED, str(len(letter.key)).encode()))
    return DeadLetter(None, letter.value, own)


def read_failure(headers: Iterable[tuple[str, bytes]]) -> Failure:
    """What the headers of a dead letter say; a header that is not there reads as empty or -1."""
    found = {name: content.decode("utf-8", "replace") for name, content in headers if content}

    def get(name: str, default: str = "") -> str:
        return found.get(ERROR_PREFIX + name, default)

    origin = Origin(get("topic"), _integer(get("partition"), -1), _integer(get("offset"), -1))
    replays = max(0, min(_integer(found.get(REPLAYS, "0"), 0), MAX_REPLAYS))
    omitted = VALUE_OMITTED in found
    return Failure(get("reason"), get("message"), origin, get("time"), replays, omitted)


def unbury(letter: DeadLetter, place: Origin, replay: str) -> DeadLetter:
    """The message to publish to the input topic again: as first received, counted, and named.

    The count is what keeps a poison article from looping: a replay leaves alone what was replayed
    before, unless told otherwise. The name is what keeps it from being published twice.

    Args:
        letter: the letter.
        place: where it lies.
        replay: name of the replay.
    """
    replays = read_failure(letter.headers).replays + 1
    kept = [
        (name, content)
        for name, content in letter.headers
        if not _is_ours(name) and name != REPLAYS
    ]
    added = {REPLAYS: str(replays), REPLAYED_FROM: str(place), REPLAYED_BY: replay}
    named = [(name, text.encode()) for name, text in added.items()]
    return DeadLetter(letter.key, letter.value, kept + named)


def is_replayed(headers: Iterable[tuple[str, bytes]]) -> bool:
    """Whether an article was a dead letter before."""
    return any(name == REPLAYED_FROM for name, _ in headers)


def _is_ours(name: str) -> bool:
    """Said of one burial or one replay; the next one says it anew."""
    return name.startswith((ERROR_PREFIX, REPLAYED_PREFIX))


def _integer(text: str, default: int) -> int:
    try:
        return int(text)
    except ValueError:
        return default
