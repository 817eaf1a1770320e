"""Numbered articles, each with what must come out of it: its quotes, or a reason of burial."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

from service.errors import Reason

NAMES = ("Anna Berg", "Omar Haddad", "Lucía Ferrer", "Piotr Nowak", "Grace Okafor")
PHRASES = (
    "we do not believe a word of it",
    "our door is open for talks at any hour",
    "whoever crosses that line will pay for it",
    "the harvest came in two weeks late",
)

UNBEARABLE = "zugzwang"
"""The disturbed model raises for every quote with this word, today and at every repetition."""

POISON_SHARE = 0.05
MAX_MESSAGE_BYTES = 65_536
"""What the workers of a chaos run may read and send."""

EVENT_TOO_LARGE_CHARS, MESSAGE_TOO_LARGE_CHARS = 63_000, 70_000
"""Of one quote: an article that may be read, but whose event may not be sent; one that may not."""


@dataclass(frozen=True, slots=True)
class NumberedArticle:
    """An article and what must come out of it.

    Either `quotes`, in this order, or one dead letter with `reason`.
    """

    id: str
    value: bytes | None
    quotes: tuple[str, ...] = ()
    reason: Reason | None = None

    @property
    def key(self) -> bytes:
        """Kafka key of the article's message."""
        return self.id.encode()


def numbered_articles(count: int, seed: int, prefix: str = "a") -> list[NumberedArticle]:
    """Articles with one to four quotes each (2.5 on average), every quote's words unique."""
    return [
        _good(f"{prefix}{number}", random.Random(f"{seed}:{number}")) for number in range(count)
    ]


def with_poison(seed: int) -> Iterator[NumberedArticle]:
    """Numbered articles without end; one in twenty cannot be processed, each for a known reason."""
    rng = random.Random(seed)
    number = 0
    while True:
        number += 1
        make = rng.choice(POISONS) if rng.random() < POISON_SHARE else _good
        yield make(f"a{number}", rng)


def _good(article_id: str, rng: random.Random) -> NumberedArticle:
    quotes = tuple(
        f"Point {index} of {article_id}: {rng.choice(PHRASES)}"
        for index in range(1, rng.randint(1, 4) + 1)
    )
    return NumberedArticle(article_id, _value(article_id, quotes, rng), quotes)


def _value(article_id: str, quotes: tuple[str, ...], rng: random.Random) -> bytes:
    paragraphs = [f"“{quote},” {rng.choice(NAMES)} said on Monday." for quote in quotes]
    fields = {"id": article_id, "text": "\n\n".join(["It’s day one.", *paragraphs])}
    return json.dumps(fields).encode()


def _unbearable(article_id: str, rng: random.Random) -> NumberedArticle:
    quotes = (f"This is {article_id} before it", f"This is {article_id} in {UNBEARABLE}")
    value = _value(article_id, quotes, rng)
    return NumberedArticle(article_id, value, reason=Reason.CLASSIFICATION_FAILED)


def _event_too_large(article_id: str, rng: random.Random) -> NumberedArticle:
    value = _value(article_id, (_long(article_id, EVENT_TOO_LARGE_CHARS),), rng)
    return NumberedArticle(article_id, value, reason=Reason.EVENT_TOO_LARGE)


def _message_too_large(article_id: str, rng: random.Random) -> NumberedArticle:
    value = _value(article_id, (_long(article_id, MESSAGE_TOO_LARGE_CHARS),), rng)
    return NumberedArticle(article_id, value, reason=Reason.MESSAGE_TOO_LARGE)


def _long(article_id: str, chars: int) -> str:
    return f"{article_id} goes on " + "and on " * (chars // 7)


def _cut_short(article_id: str, rng: random.Random) -> NumberedArticle:
    value = _value(article_id, ("we were cut short",), rng)
    cut = value[: rng.randrange(1, len(value))]
    return NumberedArticle(article_id, cut, reason=Reason.NOT_JSON)


def _without_text(article_id: str, _: random.Random) -> NumberedArticle:
    value = json.dumps({"id": article_id, "body": "“Nobody reads this,” she said."}).encode()
    return NumberedArticle(article_id, value, reason=Reason.MISSING_FIELD)


def _tombstone(article_id: str, _: random.Random) -> NumberedArticle:
    return NumberedArticle(article_id, None, reason=Reason.TOMBSTONE)


POISONS = (
    _unbearable,
    _event_too_large,
    _message_too_large,
    _cut_short,
    _without_text,
    _tombstone,
)
