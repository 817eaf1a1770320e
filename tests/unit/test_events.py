"""Quotes and scores to events: their shape, their ids, their headers."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from service.article import Article
from service.contracts import quote_schema
from service.events import (
    FoundQuote,
    ModelRef,
    QuoteEvent,
    build_event,
    cloud_event_headers,
    find_quotes,
    quote_id,
    rfc3339,
)
from service.quotes import Quote, Speaker

SCHEMA = Draft202012Validator(quote_schema())
MODEL = ModelRef(name="keywords", version="c5a0c40e8900", labels="30638908d7ca")
ARTICLE = Article(
    id="a-1",
    text="“We doubt it,” Ana Morel, the minister, said. “Very much.”",
    title="“We will never talk,” minister says",
    url="https://example.org/1",
    source="Example",
    published_at="2026-11-21T21:36:00Z",
)
SCORES = {"sceptical": 0.93, "conciliatory": 0.08, "threatening": 0.02}
QUOTE = Quote("We doubt it, Very much.", ((1, 13), (47, 57)), None, "said", "quote")
FOUND = FoundQuote("text", QUOTE)
NOW = datetime(2026, 11, 21, 21, 36, 0, 123_999, tzinfo=UTC)


def event_of(found: FoundQuote = FOUND, **changed: Any) -> QuoteEvent:
    """An event; no test sees one that the published schema refuses."""
    given = {"stance": "sceptical", "scores": SCORES, "model": MODEL, "now": NOW, **changed}
    event = build_event(ARTICLE, found, **given)
    SCHEMA.validate(json.loads(event.to_json()))
    return event


def test_event_has_the_fields_of_the_contract_in_its_order() -> None:
    quote = replace(QUOTE, speaker=Speaker("Ana Morel", "she", "minister"))
    event = json.loads(event_of(FoundQuote("text", quote)).to_json())
    assert list(event.items()) == [
        ("id", quote_id("a-1", FOUND)),
        (
            "article",
            {
                "id": "a-1",
                "title": "“We will never talk,” minister says",
                "url": "https://example.org/1",
                "source": "Example",
                "published_at": "2026-11-21T21:36:00Z",
            },
        ),
        ("text", "We doubt it, Very much."),
        ("segments", [[1, 13], [47, 57]]),
        ("in", "text"),
        ("kind", "quote"),
        ("speaker", {"name": "Ana Morel", "mention": "she", "role": "minister"}),
        ("cue", "said"),
        ("stance", "sceptical"),
        ("scores", SCORES),
        ("model", {"name": "keywords", "version": "c5a0c40e8900", "labels": "30638908d7ca"}),
        ("classified_at", "2026-11-21T21:36:00.123Z"),
    ]


def test_event_is_sent_as_utf_8_without_escapes() -> None:
    assert "“We will never talk,”".encode() in event_of().to_json()


def test_a_fragment_is_told_from_a_quote() -> None:
    fragment = FoundQuote("text", replace(QUOTE, text="Very much.", kind="fragment"))
    assert json.loads(event_of(fragment).to_json())["kind"] == "fragment"


def test_unknown_speaker_and_cue_are_null_and_not_left_out() -> None:
    event = json.loads(event_of(FoundQuote("text", replace(QUOTE, cue=None))).to_json())
    assert event["speaker"] is None
    assert event["cue"] is None


def test_what_the_article_does_not_say_is_null_and_not_left_out() -> None:
    event = build_event(
        Article(id="a", text=""), FOUND, stance="none", scores=SCORES, model=MODEL, now=NOW
    )
    sent = json.loads(event.to_json())
    SCHEMA.validate(sent)
    assert sent["article"] == {
        "id": "a", "title": None, "url": None, "source": None, "published_at": None
    }  # fmt: skip


def test_scores_are_rounded_to_four_digits() -> None:
    assert event_of(scores={"sceptical": 2 / 3}).scores == {"sceptical": 0.6667}


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan"), float("inf")])
def test_score_outside_0_to_1_never_leaves(score: float) -> None:
    with pytest.raises(ValidationError):
        event_of(scores={"sceptical": score})


def test_classified_at_is_the_present_unless_told() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    said = datetime.fromisoformat(event_of(now=None).classified_at)
    assert before <= said <= datetime.now(UTC)


def test_moments_are_utc_with_milliseconds() -> None:
    in_delhi = datetime(2026, 11, 22, 3, 6, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert rfc3339(in_delhi) == "2026-11-21T21:36:00.000Z"


def test_schema_refuses_a_field_that_it_does_not_know() -> None:
    event = json.loads(event_of().to_json())
    assert not SCHEMA.is_valid({**event, "mood": "grim"})


def test_quotes_of_the_title_come_before_those_of_the_text() -> None:
    found = find_quotes(ARTICLE)
    assert [one.place for one in found] == ["title", "text"]


def test_segments_are_slices_of_the_field_that_in_names() -> None:
    for found in find_quotes(ARTICLE):
        event = event_of(found)
        field = {"text": ARTICLE.text, "title": ARTICLE.title or ""}[event.place]
        assert " ".join(field[start:end] for start, end in event.segments) == event.text


def test_article_without_quotes_and_without_title_yields_nothing() -> None:
    assert find_quotes(Article(id="a", text="Nobody said a word.")) == []


def test_quote_id_is_what_it_was_when_consumers_stored_it() -> None:
    # This value is public: changing the id makes every replay a duplicate.
    assert quote_id("a-1", FOUND) == "c1fd80e1847933eb3f55a33d6a818c95"


def test_speaker_cue_and_kind_do_not_change_the_id() -> None:
    quote = replace(QUOTE, speaker=Speaker("Ana Morel", "she", None), cue=None, kind="fragment")
    assert quote_id("a-1", FoundQuote("text", quote)) == quote_id("a-1", FOUND)


ANY_TEXT = st.text(st.characters(), max_size=20)  # lone surrogates too
OFFSETS = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6))
FOUND_QUOTES = st.builds(
    FoundQuote,
    st.sampled_from(["text", "title"]),
    st.builds(
        Quote,
        ANY_TEXT,
        st.lists(OFFSETS, max_size=3).map(tuple),
        st.none(),
        st.none(),
        st.sampled_from(["quote", "fragment"]),
    ),
)


@given(ANY_TEXT, FOUND_QUOTES)
def test_same_article_place_offsets_and_words_give_the_same_id(
    article: str, found: FoundQuote
) -> None:
    again = FoundQuote(found.place, replace(found.quote))
    assert quote_id(article, found) == quote_id(article, again)
    assert len(quote_id(article, found)) == 32


@given(ANY_TEXT, FOUND_QUOTES, ANY_TEXT, FOUND_QUOTES)
def test_any_difference_in_article_place_offsets_or_words_changes_the_id(
    article: str, found: FoundQuote, other_article: str, other: FoundQuote
) -> None:
    assume(article != other_article)
    assume(found.quote.text != other.quote.text)
    assume(found.quote.segments != other.quote.segments)
    there: FoundQuote = replace(found, place="text" if found.place == "title" else "title")
    changed = [
        (other_article, found),
        (article, there),
        (article, replace(found, quote=replace(found.quote, segments=other.quote.segments))),
        (article, replace(found, quote=replace(found.quote, text=other.quote.text))),
    ]
    ids = {quote_id(article, found), *(quote_id(*one) for one in changed)}
    assert len(ids) == 1 + len(changed)


def test_headers_are_cloud_events_in_binary_mode() -> None:
    event = event_of()
    assert dict(cloud_event_headers(event, [])) == {
        "ce_specversion": b"1.0",
        "ce_id": event.id.encode(),
        "ce_type": b"stancewire.quote.classified.v1",
        "ce_source": b"/stancewire",
        "ce_time": b"2026-11-21T21:36:00.123Z",
        "content-type": b"application/json",
    }


def test_the_trace_stands_behind_the_event_s_own_headers() -> None:
    trace = [("traceparent", b"00-4bf9-00f0-01"), ("tracestate", b"a=1")]
    headers = cloud_event_headers(event_of(), trace)
    assert headers == [*cloud_event_headers(event_of(), []), *trace]
