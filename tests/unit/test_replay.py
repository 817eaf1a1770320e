"""Replays of dead letters: each letter once, whenever and however often a replay is killed.

Topics are lists here; the real ones, and processes that are really killed, are the integration
tier's.
"""

import itertools
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import replay as replay_module
from service.dead_letters import (
    REPLAYED_BY,
    REPLAYED_FROM,
    REPLAYS,
    SETTLED,
    DeadLetter,
    Origin,
    bury,
    without_value,
)
from service.errors import FatalError, Reason
from service.events import Headers
from service.letter_log import (
    BEGINS,
    ENDS,
    Marker,
    OpenLetter,
    State,
    begins_marker,
    read_marker,
    settled_marker,
)
from service.replay import read_letters, replay
from service.settings import Settings

SETTINGS = Settings()
DEAD, INPUT = SETTINGS.topic_dead_letters, SETTINGS.topic_articles
PARTITIONS = range(3)


class Killed(BaseException):
    """As by a signal: no handler runs on it."""


class Topics:
    """Messages by topic and partition, and a moment at which whoever writes is killed."""

    def __init__(self) -> None:
        self.messages: dict[tuple[str, int], list[DeadLetter]] = defaultdict(list)
        self.writes_left: float = float("inf")
        self.last_arrives = True  # the write in which the writer is killed

    def read_to_end(
        self, _settings: Settings, topic: str, starts: Mapping[int, int] | None = None
    ) -> Iterator[Any]:
        for partition in PARTITIONS:
            messages = list(self.messages[topic, partition])
            for offset in range((starts or {}).get(partition, 0), len(messages)):
                yield SimpleNamespace(
                    partition=partition, offset=offset, **messages[offset]._asdict()
                )

    def ends_of(self, _settings: Settings, topic: str) -> dict[int, int]:
        return {partition: len(self.messages[topic, partition]) for partition in PARTITIONS}

    @contextmanager
    def producer(self, _settings: Settings) -> Iterator["Topics"]:
        yield self

    def send(self, topic: str, *, partition: int | None, **message: Any) -> "Topics":
        if partition is None:
            partition = zlib.crc32(message["key"] or b"") % len(PARTITIONS)
        self.writes_left -= 1
        if self.writes_left >= 0 or self.last_arrives:
            self.messages[topic, partition].append(DeadLetter(**message))
        if self.writes_left < 0:
            raise Killed
        return self

    def get(self, timeout: float) -> None:
        assert timeout > 0

    def bury(self, letter: DeadLetter, partition: int = 0) -> None:
        self.messages[DEAD, partition].append(letter)

    @property
    def published(self) -> list[DeadLetter]:
        return [one for partition in PARTITIONS for one in self.messages[INPUT, partition]]

    def markers(self, partition: int = 0) -> list[Marker]:
        read = (read_marker(one.headers) for one in self.messages[DEAD, partition])
        return [marker for marker in read if marker]


@contextmanager
def in_place_of_a_broker(topics: Topics) -> Iterator[Topics]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay_module, "read_to_end", topics.read_to_end)
        patch.setattr(replay_module, "ends_of", topics.ends_of)
        patch.setattr(replay_module, "producer", topics.producer)
        patch.setattr(replay_module, "SILENCE_SECONDS", 0)
        yield topics


@pytest.fixture
def topics() -> Iterator[Topics]:
    with in_place_of_a_broker(Topics()) as topics:
        yield topics


OFFSETS = itertools.count()


def letter(
    key: bytes | None = b"a-1",
    value: bytes | None = b"{}",
    headers: Headers | None = None,
    reason: Reason = Reason.MISSING_FIELD,
) -> DeadLetter:
    origin = Origin(INPUT, 3, next(OFFSETS))
    return bury(key, value, headers or [], reason=reason, message="why", origin=origin)


def replay_all(max_replays: int = 1, reason: str | None = None) -> list[OpenLetter]:
    log = read_letters(SETTINGS, to_replay=True)
    chosen = [one for one in log.open(reason) if one.state(max_replays) is State.OPEN]
    return list(replay(SETTINGS, log, chosen))


def still_open() -> list[OpenLetter]:
    return read_letters(SETTINGS).open()


def test_a_letter_is_published_as_received_counted_and_named_and_then_settled(
    topics: Topics,
) -> None:
    topics.bury(letter(b"1", b"one", [("a", b"b")]))
    assert [one.letter.key for one in replay_all()] == [b"1"]
    [article] = topics.published
    begins, settled, ends = topics.markers()
    assert (article.key, article.value) == (b"1", b"one")
    assert article.headers == [
        ("a", b"b"),
        (REPLAYS, b"1"),
        (REPLAYED_FROM, b"articles.dead[0]@0"),
        (REPLAYED_BY, begins.about.encode()),
    ]
    assert [begins.kind, ends.kind] == [BEGINS, ENDS]
    assert begins.about == ends.about
    assert settled == Marker(SETTLED, "0")


def test_a_settled_letter_is_neither_open_nor_published_again(topics: Topics) -> None:
    topics.bury(letter())
    replay_all()
    assert still_open() == []
    assert replay_all() == []
    assert len(topics.published) == 1


def test_a_letter_that_only_a_marker_settles_stays_settled(topics: Topics) -> None:
    """Markers without any replay around them: written by an earlier version."""
    topics.bury(letter(b"1"))
    topics.bury(letter(b"2"))
    topics.bury(DeadLetter(b"1", b"", [(SETTLED, b"0")]))
    assert [one.letter.key for one in replay_all()] == [b"2"]


def test_letters_of_one_reason_leave_the_others_open(topics: Topics) -> None:
    topics.bury(letter(b"1"))
    topics.bury(letter(b"2", reason=Reason.TIMEOUT))
    assert [one.letter.key for one in replay_all(reason="timeout")] == [b"2"]
    assert [one.letter.key for one in still_open()] == [b"1"]


def test_a_letter_that_was_replayed_as_often_as_allowed_is_parked(topics: Topics) -> None:
    topics.bury(letter(headers=[(REPLAYS, b"1")]))
    assert replay_all() == []
    [parked] = still_open()
    assert (parked.state(1), parked.state(2)) == (State.PARKED, State.OPEN)
    assert len(replay_all(max_replays=2)) == 1
    assert (REPLAYS, b"2") in topics.published[0].headers


def test_a_letter_without_its_value_is_never_published_as_an_empty_article(topics: Topics) -> None:
    topics.bury(without_value(letter(), 2))
    [kept] = still_open()
    assert kept.state(1) is kept.state(9) is State.NO_VALUE
    assert replay_all() == []


def test_an_article_that_was_buried_twice_is_published_once_and_both_letters_are_settled(
    topics: Topics,
) -> None:
    """A worker that was killed between the burial and the commit reads it again."""
    twice = letter(b"1")
    topics.bury(twice, 0)
    topics.bury(letter(b"2"), 0)
    topics.bury(twice, 1)
    assert [one.letter.key for one in still_open()] == [b"1", b"2"]
    assert [one.partition for one in replay_all()] == [0, 0]
    assert still_open() == []
    topics.bury(twice, 2)
    assert replay_all() == []
    assert len(topics.published) == 2
    settled = [marker for partition in (1, 2) for marker in topics.markers(partition)]
    assert settled == [Marker(SETTLED, "0")] * 2


def test_articles_at_the_same_place_of_two_topics_of_one_name_are_two(topics: Topics) -> None:
    """The input topic was deleted and made anew, the letters were kept."""
    one = letter(b"1", b"one")
    topics.bury(one)
    topics.bury(DeadLetter(b"1", b"other", one.headers))
    assert len(replay_all()) == 2


def test_messages_that_no_worker_has_buried_are_told_apart_by_their_places(
    topics: Topics,
) -> None:
    topics.bury(DeadLetter(b"1", b"{}", []))
    topics.bury(DeadLetter(b"1", b"{}", []))
    assert len(replay_all()) == 2


def test_nothing_is_written_when_there_is_nothing_to_replay(topics: Topics) -> None:
    topics.bury(letter(headers=[(REPLAYS, b"1")]))
    replay_all()
    assert topics.markers() == []


def test_what_fails_again_after_its_replay_is_a_letter_of_its_own(topics: Topics) -> None:
    topics.bury(letter(b"1"))
    replay_all()
    [article] = topics.published
    topics.bury(letter(*article))
    [again] = still_open()
    assert again.failure.replays == 1
    assert len(replay_all(max_replays=2)) == 1
    names = [dict(one.headers)[REPLAYED_FROM] for one in topics.published]
    assert names == [b"articles.dead[0]@0", str(Origin(DEAD, 0, again.offset)).encode()]


LETTERS = 7


def letters_published(topics: Topics) -> Counter[bytes | None]:
    return Counter(article.key for article in topics.published)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.tuples(st.integers(0, 3 * LETTERS), st.booleans()), max_size=6),
    st.integers(1, len(PARTITIONS)),
)
def test_each_letter_is_published_once_wherever_replays_are_killed(
    kills: list[tuple[int, bool]], partitions: int
) -> None:
    """Each kill: after so many writes, and whether the last of them still arrives."""
    with in_place_of_a_broker(Topics()) as topics:
        for number in range(LETTERS):
            topics.bury(letter(f"{number}".encode()), number % partitions)
        for writes, last_arrives in kills:
            topics.writes_left, topics.last_arrives = writes, last_arrives
            try:
                replay_all()
            except Killed:
                listed = {one.letter.key for one in still_open()}
                assert listed.isdisjoint(letters_published(topics))
        topics.writes_left = float("inf")
        replay_all()
        assert letters_published(topics) == {f"{one}".encode(): 1 for one in range(LETTERS)}
        assert read_letters(SETTINGS).unfinished == []
        assert still_open() == []


def test_each_partition_tells_of_the_replays_of_its_letters_and_of_no_other(
    topics: Topics,
) -> None:
    """A partition's oldest records expire first: no letter outlives what is said of it there."""
    topics.bury(letter(), 0)
    topics.bury(letter(), 2)
    replay_all()
    kinds = [[marker.kind for marker in topics.markers(partition)] for partition in PARTITIONS]
    assert kinds == [[BEGINS, SETTLED, ENDS], [], [BEGINS, SETTLED, ENDS]]


def test_after_a_replay_that_ended_the_input_topic_is_not_read(topics: Topics) -> None:
    topics.bury(letter())
    replay_all()
    assert read_letters(SETTINGS).input_ends() == {}


def test_an_article_that_only_claims_to_be_a_replay_settles_nothing(topics: Topics) -> None:
    topics.bury(letter(b"1"))
    topics.bury(letter(b"2"))
    topics.writes_left = 2  # begins, the first letter, and its marker is lost
    topics.last_arrives = False
    with pytest.raises(Killed):
        replay_all()
    forged = [(REPLAYED_FROM, b"articles.dead[0]@1"), (REPLAYED_BY, b"me")]
    topics.messages[INPUT, 0].append(DeadLetter(b"3", b"{}", forged))
    assert [one.letter.key for one in still_open()] == [b"2"]


def test_another_replay_that_is_heard_at_work_is_left_alone(
    topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics.bury(letter(b"1"))
    topics.bury(letter(b"2"))
    topics.bury(begins_marker("other", {INPUT: topics.ends_of(SETTINGS, INPUT)}))
    [first, _] = still_open()

    def meanwhile(_seconds: float) -> None:
        topics.bury(settled_marker(first))

    monkeypatch.setattr("service.replay.time.sleep", meanwhile)
    with pytest.raises(FatalError, match="another replay"):
        replay_all()
    assert topics.published == []


def test_of_two_replays_that_begin_at_the_same_time_the_later_gives_way(topics: Topics) -> None:
    """Both have read the topic before either has begun."""
    topics.bury(letter())
    first, second = (read_letters(SETTINGS, to_replay=True) for _ in range(2))
    at_work = replay(SETTINGS, first, first.open())
    next(at_work)
    with pytest.raises(FatalError, match="another replay"):
        list(replay(SETTINGS, second, second.open()))
    assert list(at_work) == []
    assert len(topics.published) == 1
    assert read_letters(SETTINGS).unfinished == []


def test_letters_that_are_buried_meanwhile_disturb_no_replay(
    topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics.bury(letter(b"1"))
    topics.bury(begins_marker("dead", {INPUT: topics.ends_of(SETTINGS, INPUT)}))
    monkeypatch.setattr("service.replay.time.sleep", lambda _seconds: topics.bury(letter(b"2")))
    assert [one.letter.key for one in replay_all()] == [b"1", b"2"]


@pytest.mark.parametrize(
    ("headers", "marker"),
    [
        ([(SETTLED, b"41")], Marker(SETTLED, "41")),
        ([(BEGINS, b"x")], Marker(BEGINS, "x")),
        ([(ENDS, b"x")], Marker(ENDS, "x")),
        ([("a", b"b")], None),
        ([], None),
        (letter(headers=[(SETTLED, b"41")]).headers, None),
        (letter(headers=[(ENDS, b"x")]).headers, None),
    ],
    ids=["settled", "begins", "ends", "other message", "no headers", "letter", "other letter"],
)
def test_only_a_marker_is_read_as_one_and_no_letter_with_such_a_header(
    headers: Headers, marker: Marker | None
) -> None:
    assert read_marker(headers) == marker


@pytest.mark.parametrize("value", [None, b"", b"[]", b'{"articles": 3}', b'{"articles": {"a": 1}}'])
def test_a_marker_that_cannot_be_read_is_named_with_its_place(
    topics: Topics, value: bytes | None
) -> None:
    topics.bury(letter())
    topics.bury(DeadLetter(b"", value, [(BEGINS, b"x")]))
    with pytest.raises(FatalError, match=r"articles\.dead\[0\]@1: this marker"):
        still_open()


def test_where_several_replays_were_cut_short_the_input_is_read_from_the_first(
    topics: Topics,
) -> None:
    topics.bury(begins_marker("x", {INPUT: {0: 7, 1: 2}}))
    topics.bury(begins_marker("y", {INPUT: {0: 5, 1: 9, 2: 4}, "other": {0: 1}}))
    ends = read_letters(SETTINGS).input_ends()
    assert ends == {INPUT: {0: 5, 1: 2, 2: 4}, "other": {0: 1}}
