"""Dead letters: nothing of what was received is lost, and the way back is the way in."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.dead_letters import (
    ERROR_PREFIX,
    MAX_KEY_BYTES,
    MAX_MESSAGE_CHARS,
    MAX_REPLAYS,
    REPLAYED_BY,
    REPLAYED_FROM,
    REPLAYED_PREFIX,
    REPLAYS,
    DeadLetter,
    Origin,
    bury,
    is_replayed,
    read_failure,
    smaller_letters,
    unbury,
    without_value,
)
from service.errors import Reason
from service.events import Headers

ORIGIN = Origin("articles", 3, 41)
PLACE = Origin("articles.dead", 2, 17)
NOW = datetime(2026, 11, 21, 21, 36, tzinfo=UTC)


def buried(
    key: bytes | None = b"a-1",
    value: bytes | None = b"{}",
    headers: Headers | None = None,
    *,
    reason: Reason = Reason.MISSING_FIELD,
    message: str = "id is missing",
    origin: Origin = ORIGIN,
) -> DeadLetter:
    return bury(key, value, headers or [], reason=reason, message=message, origin=origin, now=NOW)


def replayed(count: int, by: str) -> Headers:
    return [
        (REPLAYS, str(count).encode()),
        (REPLAYED_FROM, b"articles.dead[2]@17"),
        (REPLAYED_BY, by.encode()),
    ]


def ours(headers: Headers) -> Headers:
    return [one for one in headers if one[0].startswith(ERROR_PREFIX)]


FOREIGN_NAMES = st.sampled_from(["a", "a", "b", "traceparent", ""]) | st.text().filter(
    lambda name: not name.startswith((ERROR_PREFIX, REPLAYED_PREFIX)) and name != REPLAYS
)
HEADERS = st.lists(st.tuples(FOREIGN_NAMES, st.binary()))
BYTES = st.none() | st.binary()
ORIGINS = st.builds(
    Origin, st.from_regex(r"\A[a-z.]{1,9}\Z"), st.integers(0, 999), st.integers(0, 2**63 - 1)
)
REASONS = st.sampled_from(list(Reason))
MESSAGES = st.text(st.characters())  # lone surrogates too


@given(BYTES, BYTES, HEADERS, REASONS, MESSAGES, ORIGINS)
def test_bury_and_unbury_give_back_key_value_and_headers_in_order(
    key: bytes | None,
    value: bytes | None,
    headers: Headers,
    reason: Reason,
    message: str,
    origin: Origin,
) -> None:
    dead = buried(key, value, headers, reason=reason, message=message, origin=origin)
    back = unbury(dead, PLACE, "r1")
    assert back.value == value
    assert back.key == (b"" if key is None and value is None else key)
    assert back.headers == [*headers, *replayed(1, "r1")]


@given(HEADERS, st.lists(st.tuples(REASONS, MESSAGES, ORIGINS), min_size=1, max_size=4))
def test_burying_again_replaces_the_older_error_and_keeps_everything_else(
    headers: Headers, failures: list[tuple[Reason, str, Origin]]
) -> None:
    letter = DeadLetter(b"k", b"v", headers)
    for reason, message, origin in failures:
        letter = buried(*letter, reason=reason, message=message, origin=origin)
    reason, message, origin = failures[-1]
    assert letter == buried(b"k", b"v", headers, reason=reason, message=message, origin=origin)
    assert len(ours(letter.headers)) == 6
    assert read_failure(letter.headers).origin == origin


@given(HEADERS, st.integers(1, 5))
def test_replays_are_counted_once_each_however_often_it_goes_round(
    headers: Headers, rounds: int
) -> None:
    letter = DeadLetter(b"k", b"v", headers)
    for _ in range(rounds):
        letter = unbury(buried(*letter), PLACE, "r")
    assert letter.headers == [*headers, *replayed(rounds, "r")]


def test_a_letter_never_says_that_it_was_published_by_a_replay() -> None:
    article = unbury(buried(headers=[("a", b"b")]), PLACE, "r")
    assert is_replayed(article.headers)
    again = buried(*article)
    assert not is_replayed(again.headers)
    assert [name for name, _ in again.headers if name.startswith(REPLAYED_PREFIX)] == []


@pytest.mark.parametrize(
    ("text", "count"),
    [(b"3", 3), (b"-4", 0), (b"", 0), (b"x", 0), (b"9" * 5_000, 0), (b"9" * 4_000, MAX_REPLAYS)],
)
def test_a_count_of_replays_that_no_replay_has_written_does_no_harm(
    text: bytes, count: int
) -> None:
    letter = buried(headers=[(REPLAYS, text)])
    assert read_failure(letter.headers).replays == count
    assert unbury(letter, PLACE, "r").headers == replayed(count + 1, "r")


def test_headers_say_why_from_where_and_when() -> None:
    assert buried(headers=[("tenant", b"x")]).headers == [
        ("tenant", b"x"),
        ("stancewire.error.reason", b"missing_field"),
        ("stancewire.error.message", b"id is missing"),
        ("stancewire.error.topic", b"articles"),
        ("stancewire.error.partition", b"3"),
        ("stancewire.error.offset", b"41"),
        ("stancewire.error.time", b"2026-11-21T21:36:00.000Z"),
    ]


def test_read_failure_reads_what_bury_wrote() -> None:
    failure = read_failure(buried(headers=[(REPLAYS, b"2")]).headers)
    assert failure.reason == "missing_field"
    assert failure.message == "id is missing"
    assert failure.origin == ORIGIN
    assert failure.time == "2026-11-21T21:36:00.000Z"
    assert failure.replays == 2
    assert not failure.value_omitted


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [
            (ERROR_PREFIX + "partition", b"three"),
            (ERROR_PREFIX + "offset", b"\xff"),
            (REPLAYS, b"x"),
        ],
    ],
    ids=["none at all", "no numbers"],
)
def test_read_failure_takes_any_message_on_the_topic(headers: Headers) -> None:
    failure = read_failure(headers)
    assert failure.origin == Origin("", -1, -1)
    assert failure.replays == 0


def test_tombstone_without_key_gets_an_empty_key_because_clients_refuse_neither() -> None:
    letter = buried(None, None)
    assert (letter.key, letter.value) == (b"", None)


def test_long_message_is_cut() -> None:
    assert len(read_failure(buried(message="é" * 5_000).headers).message) == MAX_MESSAGE_CHARS


def test_message_that_is_not_encodable_is_replaced_and_not_an_error() -> None:
    assert read_failure(buried(message="bad \ud800 here").headers).message == "bad ? here"


def test_letter_without_value_keeps_the_reason_and_says_what_was_left_out() -> None:
    letter = without_value(buried(value=b"x" * 9), 9)
    assert letter.value == b""
    assert (ERROR_PREFIX + "value-omitted", b"9") in letter.headers
    assert read_failure(letter.headers).value_omitted
    assert read_failure(letter.headers).origin == ORIGIN


def test_a_letter_whose_value_was_never_read_says_that_its_size_is_unknown() -> None:
    letter = without_value(buried(value=b""), None)
    assert (ERROR_PREFIX + "value-omitted", b"unknown") in letter.headers
    assert read_failure(letter.headers).value_omitted


def test_letters_become_smaller_first_without_their_value_then_without_what_came_with_it() -> None:
    letter = buried(b"a-1", b"x" * 9, [("a", b"1"), (REPLAYS, b"1"), ("a", b"2")])
    valueless, smallest = smaller_letters(letter)
    assert valueless == without_value(letter, 9)
    assert (smallest.key, smallest.value) == (b"a-1", b"")
    assert smallest.headers == [
        *ours(valueless.headers),
        (ERROR_PREFIX + "headers-omitted", b"3"),
    ]


@given(BYTES | st.binary(min_size=MAX_KEY_BYTES, max_size=MAX_KEY_BYTES + 2), BYTES, HEADERS)
def test_the_smallest_letter_is_small_and_still_says_why_and_from_where(
    key: bytes | None, value: bytes | None, headers: Headers
) -> None:
    *_, smallest = smaller_letters(buried(key, value, headers, message="é" * 5_000))
    size = len(smallest.key or b"") + sum(len(name) + len(text) for name, text in smallest.headers)
    assert size < 2 * MAX_KEY_BYTES
    failure = read_failure(smallest.headers)
    assert (failure.reason, failure.origin) == ("missing_field", ORIGIN)
    assert failure.value_omitted
    kept = dict(smallest.headers)
    if len(key or b"") > MAX_KEY_BYTES:
        assert smallest.key is None
        assert kept[ERROR_PREFIX + "key-omitted"] == str(len(key or b"")).encode()
    else:
        assert smallest.key == buried(key, value).key
        assert ERROR_PREFIX + "key-omitted" not in kept
