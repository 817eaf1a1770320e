"""What happens to an article between the two topics, but for the scoring."""

import json
import tracemalloc
from collections import Counter
from typing import Any

import pytest

from models import load_classifier
from service.errors import InvalidArticle, Reason
from service.events import Headers, describe_model, quote_id
from service.settings import Settings
from service.stages import (
    CHUNK_BYTES,
    ROOM_FOR_KEY_AND_HEADERS,
    OutMessage,
    Processed,
    SplitArticle,
    Stages,
)

CLASSIFIER = load_classifier("keywords")
TEXT = "“We doubt their figures,” Ana Morel, the minister, said. “Talks are possible,” he said."
TITLE = "“We will strike back,” minister says"
SCORES = [
    {"sceptical": 0.9, "conciliatory": 0.1, "threatening": 0.1},
    {"sceptical": 0.1, "conciliatory": 0.9, "threatening": 0.1},
    {"sceptical": 0.9, "conciliatory": 0.1, "threatening": 0.1},
]


def stages(**changed: Any) -> Stages:
    return Stages(Settings(**changed), CLASSIFIER)


def article(**fields: Any) -> bytes:
    return json.dumps({"id": "a-1", "text": TEXT, "title": TITLE, **fields}).encode()


def split(**fields: Any) -> SplitArticle:
    return stages().split(article(**fields))


def encoded(one: SplitArticle, trace: Headers | None = None, **changed: Any) -> Processed:
    scores = [SCORES[number % 3] for number in range(len(one.found))]
    return stages(**changed).encode(one, scores, trace or [])


def all_messages(result: Processed) -> list[OutMessage]:
    later = [message for chunk in result.rest or () for message in chunk.messages]
    return result.first.messages + later


MANY = 3_000


def long_article(**fields: Any) -> SplitArticle:
    text = " ".join(f"“We doubt the count of pier {n},” Ana Morel said." for n in range(MANY))
    return split(**{"text": text, "title": None, **fields})


def test_an_article_is_split_into_the_quotes_of_its_title_and_its_text() -> None:
    found = split().found
    assert [(one.place, one.quote.text) for one in found] == [
        ("title", "We will strike back,"),
        ("text", "We doubt their figures,"),
        ("text", "Talks are possible,"),
    ]


def test_each_quotes_text_is_encoded_in_the_quotes_order() -> None:
    one = split()
    assert [text.text for text in one.texts] == [found.quote.text for found in one.found]
    assert one.texts == CLASSIFIER.encode([found.quote.text for found in one.found])


def test_an_article_without_quotes_has_no_texts_and_no_messages() -> None:
    one = split(text="Nobody spoke.", title=None)
    assert (one.found, one.texts) == ([], [])
    result = stages().encode(one, [], [])
    assert (result.first.messages, dict(result.first.stances), result.rest) == ([], {}, None)


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b"\xff", b'{"id": "a-1"}'], ids=repr)
def test_what_is_no_article_is_refused(value: bytes | None) -> None:
    with pytest.raises(InvalidArticle):
        stages().split(value)


def test_an_article_that_is_too_long_is_refused() -> None:
    with pytest.raises(InvalidArticle):
        stages(max_article_chars=len(TEXT) - 1).split(article())
    assert stages(max_article_chars=len(TEXT)).split(article()).found


def test_each_quote_becomes_one_message_in_reading_order() -> None:
    one = split()
    result = stages().encode(one, SCORES, []).first
    assert [(topic, key) for topic, key, _, _ in result.messages] == [("quotes", b"a-1")] * 3
    events = [json.loads(value or b"") for _, _, value, _ in result.messages]
    assert [event["id"] for event in events] == [quote_id("a-1", found) for found in one.found]
    assert [event["text"] for event in events] == [text.text for text in one.texts]
    assert [event["scores"] for event in events] == SCORES


def test_messages_go_to_the_topic_that_is_set_under_the_articles_id() -> None:
    one = split(id="ä/1")
    result = stages(topic_quotes="said").encode(one, SCORES, []).first
    assert {(topic, key) for topic, key, _, _ in result.messages} == {("said", "ä/1".encode())}


def test_events_name_the_model_and_the_stance() -> None:
    messages = all_messages(stages().encode(split(), SCORES, []))
    events = [json.loads(value or b"") for _, _, value, _ in messages]
    model = describe_model(CLASSIFIER)
    assert all(event["model"]["version"] == model.version for event in events)
    assert [event["stance"] for event in events] == ["sceptical", "conciliatory", "sceptical"]


def test_quotes_are_counted_by_stance() -> None:
    stances = stages().encode(split(), SCORES, []).first.stances
    assert dict(stances) == {"sceptical": 2, "conciliatory": 1}


def test_the_trace_of_the_article_goes_on_with_its_quotes() -> None:
    trace = [("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    for _, _, _, headers in all_messages(encoded(split(), trace)):
        assert headers[-1:] == trace


def test_an_event_that_is_too_large_lets_none_of_the_articles_go() -> None:
    one = split(source="x" * 65_536)
    values = [value or b"" for _, _, value, _ in all_messages(encoded(one))]
    limit = max(map(len, values)) + ROOM_FOR_KEY_AND_HEADERS
    assert len(all_messages(encoded(one, max_message_bytes=limit))) == 3
    with pytest.raises(InvalidArticle) as caught:
        stages(max_message_bytes=limit - 1).encode(one, SCORES, [])
    assert caught.value.reason is Reason.EVENT_TOO_LARGE


@pytest.mark.parametrize("number", [0, 2, 4])
def test_another_number_of_scores_than_of_quotes_is_an_error(number: int) -> None:
    with pytest.raises(ValueError, match="zip"):
        stages().encode(split(), (SCORES * 2)[:number], [])


def test_what_fits_into_one_chunk_is_made_once() -> None:
    result = encoded(split())
    assert len(result.first.messages) == 3
    assert result.rest is None


def test_a_long_article_goes_out_in_chunks_in_reading_order() -> None:
    one = long_article(source="x" * 500)
    result = encoded(one)
    assert result.rest is not None
    chunks = [result.first, *result.rest]
    assert len(chunks) > 2
    for chunk in chunks:
        assert 0 < chunk.size == sum(len(value or b"") for _, _, value, _ in chunk.messages)
        assert chunk.size <= CHUNK_BYTES
    events = [json.loads(value or b"") for chunk in chunks for _, _, value, _ in chunk.messages]
    assert [event["id"] for event in events] == [quote_id("a-1", found) for found in one.found]
    assert len({event["classified_at"] for event in events}) == 1
    total = sum((chunk.stances for chunk in chunks), Counter())
    assert total == {"sceptical": MANY * 2 // 3, "conciliatory": MANY // 3}


def test_an_event_larger_than_a_chunk_has_one_of_its_own() -> None:
    result = encoded(split(source="x" * CHUNK_BYTES))
    assert result.rest is not None
    assert [len(chunk.messages) for chunk in (result.first, *result.rest)] == [1, 1, 1]


def test_a_last_event_that_is_too_large_is_found_before_the_first_chunk_is_handed_out() -> None:
    before = long_article()
    one = split(
        text=f"{before.article.text}\n\n“We doubt {'it ' * 30_000}so,” she said.", title=None
    )
    assert len(one.found) == MANY + 1
    with pytest.raises(InvalidArticle, match="limit 65536") as caught:
        encoded(one, max_message_bytes=65_536)
    assert caught.value.reason is Reason.EVENT_TOO_LARGE


def test_the_output_of_an_article_is_bounded_whatever_its_fields_repeat() -> None:
    one = long_article(title="x" * 10_000)
    size = sum(len(value or b"") for _, _, value, _ in all_messages(encoded(one)))
    assert len(all_messages(encoded(one, max_output_bytes=size))) == MANY
    with pytest.raises(InvalidArticle, match=r"3000 quotes .*max_output_bytes") as caught:
        encoded(one, max_output_bytes=size - 1)
    assert caught.value.reason is Reason.EVENT_TOO_LARGE


def test_memory_for_the_output_does_not_grow_with_it() -> None:
    one = long_article(title="x" * 10_000)
    tracemalloc.start()
    try:
        result = encoded(one)
        size = result.first.size + sum(chunk.size for chunk in result.rest or ())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 30 * CHUNK_BYTES
    assert peak < 5 * CHUNK_BYTES
