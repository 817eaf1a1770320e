"""Hostile messages, made from a seed: nearly right in most of their parts, wrong in one or two.

What is wrong may be the batch, the record around the article, its JSON, its fields or its text.
Random bytes alone hardly ever get past the first check.
"""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from service.article import MAX_ID_CHARS
from service.dead_letters import ERROR_PREFIX, REPLAYED_FROM, REPLAYS, SETTLED
from service.events import Headers
from tests.fuzz.grammar import article, soup
from tests.fuzz.hostile import SHAPES
from tests.raw_batches import (
    CODECS,
    HEAD_BYTES,
    Record,
    batch,
    claimed,
    compress,
    compressed,
    sealed,
    with_foreign_header_name,
)

MAX_ARTICLE_CHARS = 20_000
MAX_MESSAGE_BYTES = 256 * 1024
MAX_OUTPUT_BYTES = 2 * 1024**2
MOST_RECORDS = 40
BOMB = bytes(8 * MAX_MESSAGE_BYTES + 1)

PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
YEAR_9999 = 253_402_300_799_999
TIMESTAMPS = [1_800_000_000_000] * 6 + [
    YEAR_9999,
    0,
    1,
    -1,
    -62_135_596_800_000,
    2**63 - 1,
    -(2**63),
]
ODD: list[Any] = [
    None, True, False, 0, -1, 1e308, 10**400, "", " ", "\x00", "x" * 3_000, "\ud800", "null",
    [], {}, [[]], {"id": "x"}, ["“no,” she said"], "“we doubt it,” she said", "\u202e", "�",
    "é" * 600,
]  # fmt: skip
DATES = [
    "2026-11-21T21:36:00Z", "9999-12-31T23:59:60Z", "0000-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z", "2026-11-21", "2026-11-21T24:00:00Z", "yesterday", "",
    "2026-11-21t21:36:00.123456789+23:59", "２０２６-11-21T21:36:00Z", "2026-11-21T21:36:00-00:60",
]  # fmt: skip
NOT_ARTICLES = [
    None, None, b"", b" ", b"null", b"[]", b"17", b'"x"', b"{", b"{}", b"\x00" * 50, b"NaN",
    b"\xff\xfe\x00", b"[" * 5_000, b'{"a":' * 5_000, b"[" * 300 + b"]" * 300,
    b'{"id": "x", "text": "x"}}',
    b'\xef\xbb\xbf{"id": "bom", "text": ""}', b'{"id":"x","text":"y","z":1e99999}', b"1" * 10_000,
    '{"id": "utf-16", "text": "x"}'.encode("utf-16"), b'{"id": "x", "text": "\x01"}', b"-" * 1_000,
]  # fmt: skip

Item = TypeVar("Item")


@dataclass(frozen=True)
class Parcel:
    """A batch to produce, its records, and whether it can be read at all."""

    made: bytes
    records: Sequence[Record]
    readable: bool = True


def parcel(rng: random.Random, first: int, most: int) -> Parcel:
    """The next batch: of at most so many messages, the first of which has this number."""
    numbers = range(first, first + rng.randint(1, min(most, MOST_RECORDS)))
    records = [_record(rng, number) for number in numbers]
    chance = rng.random()
    if chance < 0.03:
        return Parcel(_damaged(rng, records), records, readable=False)
    if chance < 0.05:
        records = [_too_large(rng, first)]
    codec = rng.choice(list(CODECS))
    plain = batch(records, timestamp=rng.choice(TIMESTAMPS))
    if codec == "none":
        return Parcel(bytes(plain), records)
    return Parcel(compressed(codec, plain), records, readable=len(plain) - HEAD_BYTES < len(BOMB))


def _damaged(rng: random.Random, records: list[Record]) -> bytes:
    codec = rng.choice([name for name in CODECS if name != "none"])
    count = len(records)
    good = batch(records)
    foreign: list[Record] = [(b"k", b"v", [("NAME", b"")])] * count
    makers: list[Callable[[], bytes]] = [
        lambda: claimed(codec, b"\x00" + rng.randbytes(200), records=count),
        lambda: claimed(codec, compress(codec, rng.randbytes(5_000))[:-50], records=count),
        lambda: claimed(codec, compress(codec, b"\xff" * 50), records=count),
        lambda: claimed(codec, compress(codec, BOMB), records=count),
        lambda: with_foreign_header_name(foreign, b"\xc3\x28\xff\xfe"),
        lambda: sealed(good[:HEAD_BYTES]),
        lambda: bytes(good[:-1]) + bytes([good[-1] ^ 1]),
    ]
    return rng.choice(makers)()


def _record(rng: random.Random, number: int) -> Record:
    return _key(rng, number), _value(rng, number), _headers(rng)


def _too_large(rng: random.Random, number: int) -> Record:
    much = b"x" * (MAX_MESSAGE_BYTES + rng.randint(-200, 200))
    key, value = f"a{number}".encode(), _dumped(rng, _fields(rng, number))
    return rng.choice(
        [
            (key, much, []),
            (much, value, []),
            (key, value, [("h", much)]),
            (key, b"{", [("h", much)]),
            (None, value, [("h", b"")] * rng.choice([1000, 1001, MAX_MESSAGE_BYTES])),
            (much[: len(much) // 2], b"{", [("h", much[: len(much) // 2])]),
        ]
    )


def _key(rng: random.Random, number: int) -> bytes | None:
    plain = f"a{number}".encode()
    keys = [
        plain,
        plain,
        None,
        b"",
        rng.randbytes(rng.randint(1, 40)),
        b"k" * rng.randint(1, 9_000),
    ]
    return rng.choice(keys)


def _headers(rng: random.Random) -> Headers:
    some: list[tuple[str, Any]] = [
        ("traceparent", PARENT), ("traceparent", b"x" * rng.randint(0, 2_000)),
        ("tracestate", b"a=1"), ("tracestate", b"\xff"),
        ("tracestate", b"t" * rng.randint(400, 600)), ("", b""), ("h", None),
        ("h", rng.randbytes(rng.randint(0, 200))), ("\u202e\x00é", b"1"),
        ("n" * rng.randint(1, 999), b""), (ERROR_PREFIX + "reason", b"timeout"),
        (ERROR_PREFIX + "offset", b"17"), (REPLAYED_FROM, b"a[0]@1"), (SETTLED, b"3"),
        (REPLAYS, b"9" * rng.randint(1, 5_000)),
        ("ce_id", b"theirs"), ("content-type", b"text/html"),
    ]  # fmt: skip
    return rng.choices(some, k=rng.choice([0, 0, 0, 1, 2, 5, 300]))


def _value(rng: random.Random, number: int) -> bytes | None:
    kind = rng.random()
    if kind < 0.05:
        return rng.choice(NOT_ARTICLES)
    fields = _fields(rng, number)
    if kind < 0.35:
        for _ in range(rng.randint(1, 2)):
            _spoil(rng, fields)
    value = _dumped(rng, fields)
    return _torn(rng, value) if kind > 0.85 else value


def _fields(rng: random.Random, number: int) -> dict[str, Any]:
    fields: dict[str, Any] = {"id": f"a{number}", "text": _text(rng)}
    some: dict[str, Callable[[], Any]] = {
        "title": lambda: article(rng.randrange)[:200],
        "url": lambda: f"https://example.org/{number}",
        "source": lambda: rng.choice(["Port Ann Times", "", "é" * 100]),
        "language": lambda: rng.choice(["en", "en-GB", "de", "zh-Hant-TW"]),
        "published_at": lambda: rng.choice(DATES[:2]),
        "unknown": lambda: rng.choice(ODD),
    }
    fields |= {name: make() for name, make in some.items() if rng.random() < 0.3}
    return fields


def _text(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.6:
        return article(rng.randrange).replace("\ud800", "x")
    if kind < 0.8:
        return soup(rng.randrange)
    shape = SHAPES[rng.choice(list(SHAPES))]
    return shape(rng.choice([10, 100, 1_000, 1_000, 5_000]))


def _spoil(rng: random.Random, fields: dict[str, Any]) -> None:
    name = rng.choice(["id", "text", "title", "url", "source", "language", "published_at", "more"])
    length = rng.choice([1, 511, 512, 513, 3_000, MAX_ARTICLE_CHARS, MAX_ARTICLE_CHARS + 1])
    changes: list[Callable[[], Any]] = [
        lambda: fields.pop(name, None),
        lambda: fields.update({name: rng.choice(ODD)}),
        lambda: fields.update({name: rng.choice("xé😀") * length}),
        lambda: fields.update({"id": rng.choice("xé😀\x00") * rng.randint(1, MAX_ID_CHARS + 2)}),
        lambda: fields.update(published_at=rng.choice(DATES)),
        lambda: fields.update(more=json.loads("[" * length + "]" * length) if length < 600 else 1),
        lambda: fields.update({f"k{index}": index for index in range(200)}),
        lambda: fields.update(text=_many_quotes(length), title="t" * rng.choice([0, 10_000])),
    ]
    rng.choice(changes)()


def _many_quotes(length: int) -> str:
    return "".join(f"“We doubt pier {number},” she said. " for number in range(length // 36))


def _dumped(rng: random.Random, fields: dict[str, Any]) -> bytes:
    names = list(fields)
    rng.shuffle(names)
    text = json.dumps(
        {name: fields[name] for name in names},
        ensure_ascii=rng.random() < 0.5,
        indent=rng.choice([None, None, 1]),
    )
    return text.encode("utf-8", rng.choice(["surrogatepass", "replace"]))


def _torn(rng: random.Random, value: bytes) -> bytes:
    """The value cut, doubled, or with some bytes changed or put in."""
    place, end = sorted(rng.randrange(len(value) + 1) for _ in range(2))
    pieces = [
        b"\xff", b"\x00", b"\\", b'"', b"{", b"}", b"[", b",", b":", b"\\u", b"\\ud83d", b"NaN",
        b"1e999", b"\xe2\x80", b'"id":"x",', b'"text":"x",', b"\xef\xbb\xbf", b"//", b"\r\n",
        rng.randbytes(5),
    ]  # fmt: skip
    return rng.choice(
        [
            value[:place],
            value[place:],
            value + value[place:end],
            value[:place] + value[end:],
            value[:place] + rng.choice(pieces) + value[place:],
            value[:place] + rng.choice(pieces) + value[end:],
            value.replace(b'"', b"'"),
            value.replace(b'"text"', b'"id"'),
            value.replace(b"{", b'{"text": "first", ', 1),
        ]
    )
