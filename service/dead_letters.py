"""Where an article goes that cannot be processed, and how it comes back. Knows no Kafka client.

A dead letter is the message as it was received (key, value and headers, byte for byte) plus headers
that say why, from where and when. Kafka Connect's `__connect.errors.*` headers are the model; the
decision record on error handling has the table of what maps to what.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from service.errors import Reason
from service.events import Headers, rfc3339

ERROR_PREFIX = "stancewire.error."
REPLAYS = "stancewire.replays"
SETTLED = "stancewire.settled"  # on the marker behind a replayed letter: that letter's offset
VALUE_OMITTED = ERROR_PREFIX + "value-omitted"
MAX_MESSAGE_CHARS = 1_000


class Origin(NamedTuple):
    """The place in the log that a message was read from."""

    topic: str
    partition: int
    offset: int


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
    kept = [(name, content) for name, content in headers if not name.startswith(ERROR_PREFIX)]
    # A message may quote what is not encodable; a dead letter must never fail.
    added = [(ERROR_PREFIX + name, text.encode("utf-8", "replace")) for name, text in why.items()]
    empty = key is None and value is None
    return DeadLetter(b"" if empty else key, value, kept + added)


def settles(headers: Iterable[tuple[str, bytes]]) -> int | None:
    """The offset of the letter that a marker settles; None for anything but a marker."""
    found = dict(headers)
    if SETTLED not in found or ERROR_PREFIX + "reason" in found:
        return None
    return _integer((found[SETTLED] or b"").decode("utf-8", "replace"), -1)


def without_value(letter: DeadLetter) -> DeadLetter:
    """The same letter for a broker that finds it too large.

    The headers still say where the original lies in the input topic.
    """
    marker = (VALUE_OMITTED, str(len(letter.value or b"")).encode())
    return DeadLetter(letter.key, b"", [*letter.headers, marker])


def read_failure(headers: Iterable[tuple[str, bytes]]) -> Failure:
    """What the headers of a dead letter say; a header that is not there reads as empty or -1."""
    found = {name: content.decode("utf-8", "replace") for name, content in headers if content}

    def get(name: str, default: str = "") -> str:
        return found.get(ERROR_PREFIX + name, default)

    origin = Origin(get("topic"), _integer(get("partition"), -1), _integer(get("offset"), -1))
    replays = _integer(found.get(REPLAYS, "0"), 0)
    omitted = VALUE_OMITTED in found
    return Failure(get("reason"), get("message"), origin, get("time"), replays, omitted)


def unbury(letter: DeadLetter) -> DeadLetter:
    """The message to publish to the input topic again: as first received, and counted.

    The count is what keeps a poison article from looping: `replay` leaves alone what was replayed
    before, unless told otherwise.
    """
    replays = read_failure(letter.headers).replays + 1
    kept = [
        (name, content)
        for name, content in letter.headers
        if not name.startswith(ERROR_PREFIX) and name != REPLAYS
    ]
    return DeadLetter(letter.key, letter.value, [*kept, (REPLAYS, str(replays).encode())])


def _integer(text: str, default: int) -> int:
    try:
        return int(text)
    except ValueError:
        return default
