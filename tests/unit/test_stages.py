"""What happens to an article between the two topics, but for the scoring."""

import json
from typing import Any

import pytest

from models import load_classifier
from service.errors import InvalidArticle, Reason
from service.events import describe_model, quote_id
from service.settings import Settings
from service.stages import ROOM_FOR_KEY_AND_HEADERS, SplitArticle, Stages

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
    assert (result.messages, dict(result.stances)) == ([], {})


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
    result = stages().encode(one, SCORES, [])
    assert [(topic, key) for topic, key, _, _ in result.messages] == [("quotes", b"a-1")] * 3
    events = [json.loads(value or b"") for _, _, value, _ in result.messages]
    assert [event["id"] for event in events] == [quote_id("a-1", found) for found in one.found]
    assert [event["text"] for event in events] == [text.text for text in one.texts]
    assert [event["scores"] for event in events] == SCORES


def test_messages_go_to_the_topic_that_is_set_under_the_articles_id() -> None:
    one = split(id="ä/1")
    result = stages(topic_quotes="said").encode(one, SCORES, [])
    assert {(topic, key) for topic, key, _, _ in result.messages} == {("said", "ä/1".encode())}


def test_events_name_the_model_and_the_stance() -> None:
    events = [
        json.loads(value or b"") for _, _, value, _ in stages().encode(split(), SCORES, []).messages
    ]
    model = describe_model(CLASSIFIER)
    assert all(event["model"]["version"] == model.version for event in events)
    assert [event["stance"] for event in events] == ["sceptical", "conciliatory", "sceptical"]


def test_quotes_are_counted_by_stance() -> None:
    assert dict(stages().encode(split(), SCORES, []).stances) == {
        "sceptical": 2, "conciliatory": 1
    }  # fmt: skip


def test_headers_of_the_article_go_on_with_its_quotes() -> None:
    received = [("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    for _, _, _, headers in stages().encode(split(), SCORES, received).messages:
        names = dict(headers)
        assert names["traceparent"] == received[0][1]
        assert "ce_id" in names


def test_an_event_that_is_too_large_lets_none_of_the_articles_go() -> None:
    one = split(source="x" * 65_536)
    values = [value or b"" for _, _, value, _ in stages().encode(one, SCORES, []).messages]
    limit = max(map(len, values)) + ROOM_FOR_KEY_AND_HEADERS
    assert len(stages(max_message_bytes=limit).encode(one, SCORES, []).messages) == 3
    with pytest.raises(InvalidArticle) as caught:
        stages(max_message_bytes=limit - 1).encode(one, SCORES, [])
    assert caught.value.reason is Reason.EVENT_TOO_LARGE


@pytest.mark.parametrize("number", [0, 2, 4])
def test_another_number_of_scores_than_of_quotes_is_an_error(number: int) -> None:
    with pytest.raises(ValueError, match="zip"):
        stages().encode(split(), (SCORES * 2)[:number], [])
