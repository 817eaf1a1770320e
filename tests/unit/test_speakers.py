"""Counts of stances by speaker: windows that roll, syndicated quotes counted once, in any order."""

import json
import random
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.speakers.counts import Said, StanceCounts, Who, prevailing
from service.speakers.reading import MOST_AHEAD_MINUTES, read_quote
from service.speakers.tally import WINDOWS, Tally, Turn

NOW = 29_000_000  # minutes since 1970
HOUR, DAY = 60, 24 * 60
ANNA, HERALD = Who("speaker", "Anna Berg"), Who("source", "Herald")


def said(
    words: str,
    *,
    ago: int = 0,
    stance: str = "sceptical",
    speaker: str | None = "Anna Berg",
    source: str | None = "Herald",
) -> Said:
    return Said(words, stance, speaker, source, NOW - ago)


def tallied(*quotes: Said, now: int = NOW) -> dict[Who, Tally | None]:
    counts = StanceCounts()
    counts.advance(now)
    for quote in quotes:
        counts.add(quote)
    return dict(counts.changes())


def windows(tally: Tally | None) -> dict[str, dict[str, int]]:
    assert tally
    return tally.windows


def test_a_quote_counts_for_its_speaker_and_its_source() -> None:
    tallies = tallied(said("We doubt it"))
    once = {"sceptical": 1}
    assert tallies.keys() == {ANNA, HERALD}
    assert windows(tallies[ANNA]) == windows(tallies[HERALD]) == dict.fromkeys(WINDOWS, once)


@pytest.mark.parametrize(
    ("ago", "counted"),
    [
        (0, ["1h", "24h", "7d"]),
        (HOUR - 1, ["1h", "24h", "7d"]),
        (HOUR, ["24h", "7d"]),
        (DAY - 1, ["24h", "7d"]),
        (DAY, ["7d"]),
        (7 * DAY - 1, ["7d"]),
    ],
)
def test_a_quote_is_in_the_windows_that_reach_back_to_it(ago: int, counted: list[str]) -> None:
    found = windows(tallied(said("We doubt it", ago=ago))[ANNA])
    assert [window for window, counts in found.items() if counts] == counted


def test_a_quote_older_than_the_longest_window_is_not_counted() -> None:
    assert tallied(said("We doubt it", ago=7 * DAY)) == {}


def test_time_alone_changes_a_tally_and_ends_it() -> None:
    counts = StanceCounts()
    counts.advance(NOW)
    counts.add(said("We doubt it", source=None))
    assert len(list(counts.changes())) == 1
    counts.advance(NOW + HOUR - 1)
    assert list(counts.changes()) == []
    counts.advance(NOW + HOUR)
    [(_, after_an_hour)] = counts.changes()
    assert windows(after_an_hour) == {"1h": {}, "24h": {"sceptical": 1}, "7d": {"sceptical": 1}}
    counts.advance(NOW + 7 * DAY)
    assert list(counts.changes()) == [(ANNA, None)]
    assert list(counts.changes()) == []


def test_a_quote_from_a_clock_ahead_of_ours_counts_when_its_minute_comes() -> None:
    counts = StanceCounts()
    counts.advance(NOW)
    counts.add(said("We doubt it", ago=-1, source=None))
    [(_, early)] = counts.changes()
    assert windows(early)["1h"] == {}
    counts.advance(NOW + 1)
    [(_, then)] = counts.changes()
    assert windows(then)["1h"] == {"sceptical": 1}


def test_the_same_words_in_several_papers_count_once_for_the_speaker_and_once_for_each() -> None:
    tallies = tallied(
        said("Two paths are still open", source="Herald"),
        said("Two paths are still open,", source="Courier", ago=5),
        said("two paths  are still open.", source="Herald", ago=9),
    )
    assert windows(tallies[ANNA])["7d"] == {"sceptical": 1}
    assert windows(tallies[HERALD])["7d"] == {"sceptical": 1}
    assert windows(tallies[Who("source", "Courier")])["7d"] == {"sceptical": 1}


def test_the_same_words_of_another_speaker_are_another_quote() -> None:
    tallies = tallied(said("No comment"), said("No comment", speaker="Omar Haddad"))
    assert windows(tallies[ANNA])["7d"] == {"sceptical": 1}
    assert windows(tallies[HERALD])["7d"] == {"sceptical": 2}


def test_a_reprint_does_not_make_a_quote_new_again() -> None:
    tallies = tallied(said("We doubt it", ago=2 * HOUR), said("We doubt it", source="Courier"))
    assert windows(tallies[ANNA])["1h"] == {}
    assert windows(tallies[Who("source", "Courier")])["1h"] == {"sceptical": 1}


def test_a_quote_without_speaker_or_source_counts_where_it_can() -> None:
    assert tallied(said("x", speaker=None)).keys() == {HERALD}
    assert tallied(said("x", source=None)).keys() == {ANNA}
    assert tallied(said("x", speaker=None, source=None)) == {}


def test_who_turned_from_conciliatory_to_threatening_is_told() -> None:
    week = [said(f"Let us talk {n}", stance="conciliatory", ago=3 * DAY) for n in range(3)]
    today = [said(f"They will pay {n}", stance="threatening") for n in range(2)]
    tally = tallied(*week, *today)[ANNA]
    assert tally
    assert tally.turn == Turn(before="conciliatory", now="threatening")


def test_the_same_tone_and_a_single_quote_are_no_turn() -> None:
    week = [said(f"Let us talk {n}", stance="conciliatory", ago=3 * DAY) for n in range(3)]
    once = tallied(*week, said("They will pay", stance="threatening"))[ANNA]
    same = tallied(*week, *[said(f"Talk {n}", stance="conciliatory") for n in range(3)])[ANNA]
    assert once
    assert same
    assert once.turn is same.turn is None


@pytest.mark.parametrize(
    ("stances", "expected"),
    [
        ({}, None),
        ({"none": 9}, None),
        ({"none": 9, "sceptical": 2}, "sceptical"),
        ({"sceptical": 1}, None),
        ({"sceptical": 2, "threatening": 2}, None),
        ({"sceptical": 2, "threatening": 3}, "threatening"),
    ],
)
def test_a_stance_prevails_when_it_was_taken_most_often(
    stances: dict[str, int], expected: str | None
) -> None:
    assert prevailing(Counter(stances)) == expected


QUOTES = st.builds(
    Said,
    words=st.sampled_from(["a", "A!", "b", "c d", "C  D."]),
    stance=st.sampled_from(["sceptical", "threatening", "none"]),
    speaker=st.sampled_from([None, "x", "y"]),
    source=st.sampled_from([None, "p", "q"]),
    minute=st.integers(NOW - 8 * DAY, NOW + 2),
)


@given(st.lists(QUOTES, max_size=30), st.randoms(use_true_random=False))
def test_counts_are_those_of_a_plain_count_in_any_order(
    quotes: list[Said], rng: random.Random
) -> None:
    shuffled = [*quotes, *quotes[::2]]  # some come again
    rng.shuffle(shuffled)
    assert {who: windows(tally) for who, tally in tallied(*shuffled).items()} == plainly(quotes)


def plainly(quotes: list[Said]) -> dict[Who, dict[str, dict[str, int]]]:
    """The same by its definition, slowly."""
    first: dict[tuple[Who, str, str], tuple[int, str]] = {}
    for quote in quotes:
        if quote.minute <= NOW - 7 * DAY:
            continue
        words = "".join(quote.words.casefold().split()).strip("!.")
        for who in (quote.speaker and Who("speaker", quote.speaker),
                    quote.source and Who("source", quote.source)):  # fmt: skip
            if who:
                key = who, quote.speaker or "", words
                new = quote.minute, quote.stance
                first[key] = min(first.get(key, new), new)
    result: dict[Who, dict[str, dict[str, int]]] = {}
    for (who, _, _), (minute, stance) in first.items():
        counts = result.setdefault(who, {window: {} for window in WINDOWS})
        for window, length in WINDOWS.items():
            if NOW - length < minute <= NOW:
                counts[window][stance] = counts[window].get(stance, 0) + 1
    return result


@given(st.lists(QUOTES, max_size=20), st.integers(0, 9 * DAY))
def test_a_ledger_that_went_on_knows_the_same_as_one_that_begins_anew(
    quotes: list[Said], minutes: int
) -> None:
    counts = StanceCounts()
    counts.advance(NOW)
    for quote in quotes:
        counts.add(quote)
    known = dict(counts.changes())
    counts.advance(NOW + minutes)
    known |= dict(counts.changes())
    went_on = {who: tally.windows for who, tally in known.items() if tally}
    anew = tallied(*quotes, now=NOW + minutes)
    assert went_on == {who: windows(tally) for who, tally in anew.items()}


def test_memory_is_given_back_when_its_time_is_over() -> None:
    counts = StanceCounts()
    counts.advance(NOW)
    for n in range(1_000):
        counts.add(said(f"Point {n}", speaker=f"Speaker {n}"))
    list(counts.changes())
    counts.advance(NOW + 8 * DAY)
    list(counts.changes())
    assert [*counts._counted, *counts._printed, *counts._due] == []


def event(**changed: Any) -> bytes:
    article = {"id": "a", "source": "Herald", "published_at": "2026-11-23T08:00:30+01:00"}
    fields = {"text": "We doubt it", "stance": "sceptical", "article": article}
    return json.dumps(fields | {"speaker": {"name": "Anna Berg", "role": None}} | changed).encode()


SENT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SENT_MS = int(SENT.timestamp() * 1000)


def test_an_event_counts_at_the_minute_of_its_articles_publication() -> None:
    minute = int(datetime(2026, 11, 23, 7, 0, tzinfo=UTC).timestamp()) // 60
    expected = Said("We doubt it", "sceptical", "Anna Berg", "Herald", minute)
    assert read_quote(event(), SENT_MS) == expected


@pytest.mark.parametrize("published", [None, "2026-11-24T09:00:00Z", "9999-12-31T23:59:59Z"])
def test_without_a_likely_date_it_counts_when_it_was_sent(published: str | None) -> None:
    found = read_quote(event(article={"source": None, "published_at": published}), SENT_MS)
    assert found
    assert found.minute == SENT_MS // 60_000


def test_a_date_a_little_ahead_is_believed() -> None:
    found = read_quote(event(article={"published_at": "2026-11-23T09:09:00Z"}), SENT_MS)
    assert found
    assert found.minute == SENT_MS // 60_000 + MOST_AHEAD_MINUTES - 1


@pytest.mark.parametrize(
    "value",
    [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"{}", event(text=None), event(text=7),
     event(article=None), event(speaker="Anna"), event(article={"published_at": "noon"})],
)  # fmt: skip
def test_what_is_no_quote_event_is_passed_over(value: bytes) -> None:
    assert read_quote(value, SENT_MS) is None


def test_a_tally_is_the_same_whenever_it_was_written() -> None:
    early, late = tallied(said("x"))[ANNA], tallied(said("x"), now=NOW + 1)[ANNA]
    assert early
    assert late
    assert early.updated_at != late.updated_at
    assert early.says_the_same(late)
    assert not early.says_the_same(None)
    assert not early.says_the_same(tallied(said("x", ago=HOUR))[ANNA])
