"""The stages without Kafka, for the command line: the same functions that the worker calls."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from models import Classifier
from service.article import Article, parse_article
from service.events import QuoteEvent, build_events, describe_model, find_quotes
from service.quotes import extract_quotes

if TYPE_CHECKING:
    from models.explain import Explainer

TEXTS_AT_ONCE = 256  # results appear in such portions


def process_article(article: Article, classifier: Classifier) -> list[QuoteEvent]:
    """Quote events of one article."""
    found = find_quotes(article)
    scores = classifier.score([one.quote.text for one in found])
    model = describe_model(classifier)
    return list(build_events(article, found, scores, labels=classifier.labels, model=model))


def extract_article(value: bytes) -> dict[str, Any]:
    """Quotes of an article's text, as `stancewire extract` prints them.

    Args:
        value: JSON object with "text" and "id" or "article_id".

    Raises:
        InvalidArticle: it is no such object.
    """
    article = parse_article(_with_id(value), max_chars=len(value))
    return {
        "article_id": article.id,
        "quotes": [
            {
                "text": quote.text,
                "segments": [article.text[start:end] for start, end in quote.segments],
                "offsets": [list(segment) for segment in quote.segments],
                "speaker": quote.speaker.name if quote.speaker else None,
                "mention": quote.speaker.mention if quote.speaker else None,
                "role": quote.speaker.role if quote.speaker else None,
                "cue": quote.cue,
                "kind": quote.kind,
            }
            for quote in extract_quotes(article.text)
        ],
    }


def classify_texts(
    classifier: Classifier, objects: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """The same objects plus "stance" and "scores", in order."""
    for start in range(0, len(objects), TEXTS_AT_ONCE):
        part = objects[start : start + TEXTS_AT_ONCE]
        scores = classifier.score([one["text"] for one in part])
        for one, score in zip(part, scores, strict=True):
            rounded = {label: round(value, 4) for label, value in score.items()}
            yield {**one, "stance": classifier.labels.decide(score), "scores": rounded}


def explained(
    results: Iterable[dict[str, Any]], explainer: "Explainer"
) -> Iterator[dict[str, Any]]:
    """What `classify_texts` gives plus "explanation", in order."""
    for result in results:
        explanation = explainer.explain([result["text"]])[0]
        yield {**result, "explanation": explanation.as_dict()}


def _with_id(value: bytes) -> bytes:
    """Benchmarks call the id "article_id"."""
    try:
        fields = json.loads(value)
    except (ValueError, RecursionError):
        return value  # parse_article says what is wrong
    if not isinstance(fields, dict) or "id" in fields or "article_id" not in fields:
        return value
    return json.dumps({**fields, "id": str(fields["article_id"])}).encode()
