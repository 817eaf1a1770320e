"""Dead letters: nothing of what was received is lost, and the way back is the way in."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import replay as replay_module
from service.dead_letters import (
    ERROR_PREFIX,
    MAX_MESSAGE_CHARS,
    REPLAYS,
    SETTLED,
    DeadLetter,
    Origin,
    bury,
    read_failure,
    settles,
    unbury,
    without_value,
)
from service.errors import Reason
from service.events import Headers
from service.replay import open_letters, replay
from service.settings import Settings

ORIGIN = Origin("articles", 3, 41)
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


def ours(headers: Headers) -> Headers:
    return [one for one in headers if one[0].startswith(ERROR_PREFIX)]


FOREIGN_NAMES = st.sampled_from(["a", "a", "b", "traceparent", ""]) | st.text().filter(
    lambda name: not name.startswith(ERROR_PREFIX) and name != REPLAYS
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
    back = unbury(buried(key, value, headers, reason=reason, message=message, origin=origin))
    assert back.value == value
    assert back.key == (b"" if key is None and value is None else key)
    assert back.headers == [*headers, (REPLAYS, b"1")]


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
        letter = unbury(buried(*letter))
    assert letter.headers == [*headers, (REPLAYS, str(rounds).encode())]


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
    letter = without_value(buried(value=b"x" * 9))
    assert letter.value == b""
    assert (ERROR_PREFIX + "value-omitted", b"9") in letter.headers
    assert read_failure(letter.headers).value_omitted
    assert read_failure(letter.headers).origin == ORIGIN


@pytest.mark.parametrize(
    ("headers", "offset"),
    [
        ([(SETTLED, b"41")], 41),
        ([(SETTLED, b"nonsense")], -1),
        ([("a", b"b")], None),
        (buried(headers=[(SETTLED, b"41")]).headers, None),
    ],
    ids=["marker", "broken marker", "other message", "letter of an article with that header"],
)
def test_only_a_marker_settles_a_letter(headers: Headers, offset: int | None) -> None:
    assert settles(headers) == offset


class Topics:
    """The dead-letter topic as a list; what is published to the input topic as another."""

    def __init__(self) -> None:
        self.dead: list[DeadLetter] = []
        self.published: list[DeadLetter] = []

    def read_to_end(self, _settings: Settings, _topic: str) -> Iterator[Any]:
        for offset, letter in enumerate(self.dead):
            yield SimpleNamespace(partition=0, offset=offset, **letter._asdict())

    @contextmanager
    def producer(self, _settings: Settings) -> Iterator["Topics"]:
        yield self

    def send(self, topic: str, *, partition: int | None, **message: Any) -> "Topics":
        {"articles": self.published, "articles.dead": self.dead}[topic].append(
            DeadLetter(**message)
        )
        assert (partition is None) == (topic == "articles")
        return self

    def get(self, timeout: float) -> None:
        assert timeout > 0


@pytest.fixture
def topics(monkeypatch: pytest.MonkeyPatch) -> Topics:
    """No broker here: the real topics are the integration tier's."""
    topics = Topics()
    monkeypatch.setattr(replay_module, "read_to_end", topics.read_to_end)
    monkeypatch.setattr(replay_module, "producer", topics.producer)
    return topics


def test_replay_publishes_each_letter_once_and_settles_it(topics: Topics) -> None:
    topics.dead += [buried(b"1", b"one", [("a", b"b")]), buried(b"2", b"two")]
    assert len(list(replay(Settings()))) == 2
    assert topics.published == [
        DeadLetter(b"1", b"one", [("a", b"b"), (REPLAYS, b"1")]),
        DeadLetter(b"2", b"two", [(REPLAYS, b"1")]),
    ]
    assert [letter.headers for letter in topics.dead[2:]] == [[(SETTLED, b"0")], [(SETTLED, b"1")]]
    assert list(replay(Settings())) == []
    assert open_letters(Settings()) == []


def test_dry_run_changes_nothing(topics: Topics) -> None:
    topics.dead.append(buried())
    assert len(list(replay(Settings(), dry_run=True))) == 1
    assert topics.published == []
    assert topics.dead == [buried()]


def test_replay_of_one_reason_leaves_the_others_open(topics: Topics) -> None:
    topics.dead += [buried(b"1"), buried(b"2", reason=Reason.TIMEOUT)]
    [letter] = replay(Settings(), reason="timeout")
    assert letter.letter.key == b"2"
    assert [one.letter.key for one in open_letters(Settings())] == [b"1"]


def test_limit_counts_letters_that_are_replayed(topics: Topics) -> None:
    topics.dead += [buried(b"1", headers=[(REPLAYS, b"1")]), buried(b"2"), buried(b"3")]
    assert [one.letter.key for one in replay(Settings(), limit=1)] == [b"2"]


def test_poison_letter_is_left_alone_after_max_replays(topics: Topics) -> None:
    topics.dead.append(buried(headers=[(REPLAYS, b"1")]))
    assert list(replay(Settings())) == []
    assert len(list(replay(Settings(), max_replays=2))) == 1
    assert topics.published[0].headers == [(REPLAYS, b"2")]


def test_letter_without_its_value_is_listed_but_never_published_as_an_empty_article(
    topics: Topics,
) -> None:
    topics.dead.append(without_value(buried()))
    assert list(replay(Settings())) == []
    assert len(open_letters(Settings())) == 1
