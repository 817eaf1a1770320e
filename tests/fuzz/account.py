"""What must come of each message, what came of it, and where these differ."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from models import load_classifier
from service.dead_letters import ERROR_PREFIX, REPLAYED_PREFIX
from service.errors import InvalidArticle, Reason
from service.records import MAX_HEADERS
from service.settings import Settings
from service.stages import OutMessage, Stages
from service.trace_context import trace_context
from tests.fuzz.messages import MAX_MESSAGE_BYTES
from tests.raw_batches import Record

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
            account.letters[place] = reason, letter_digest(*record)
            account.outcomes[reason] += 1
            if problem.reason in UNREAD or size > MAX_MESSAGE_BYTES - LETTER_BYTES:
                account.may_shrink.add(place)
        else:
            account.events.update(event_digest(*message[1:]) for message in messages)
            account.outcomes[CLASSIFIED if messages else EMPTY] += 1
        account.ends[place[0]] = place[1] + 1

    def _messages(self, record: Record) -> Iterator[OutMessage]:
        _, value, headers = record
        split = self._stages.split(value)
        scores = self._classifier.score([one.quote.text for one in split.found])
        result = self._stages.encode(split, scores, trace_context(headers))
        yield from result.first.messages
        for chunk in result.rest or ():
            yield from chunk.messages


def differences(expected: Account, seen: Account) -> Iterator[str]:
    """In words; none when everything is accounted for."""
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


def _size(record: Record) -> int:
    key, value, headers = record
    size = sum(len(name) + len(content or b"") for name, content in headers)
    return size + len(key or b"") + len(value or b"")


def event_digest(key: bytes | None, value: bytes | None, headers: Any) -> str:
    """Of all that an event is, but for the time."""
    event = json.loads(value or b"")
    del event["classified_at"]
    kept = [one for one in headers if one[0] != "ce_time"]
    return _digest(key, json.dumps(event, sort_keys=True), kept)


def letter_digest(key: bytes | None, value: bytes | None, headers: Any) -> str:
    """Of what was received: key, value, and the headers that are not ours."""
    kept = [one for one in headers if not one[0].startswith((ERROR_PREFIX, REPLAYED_PREFIX))]
    return _digest(b"" if key is None and value is None else key, value, kept)


def _digest(*parts: Any) -> str:
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()
