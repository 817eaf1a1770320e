"""What happens to an article between the two topics, but for the scoring.

Bytes to quotes, and quotes with scores to messages: blocking functions, for any thread. They know
no Kafka client.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models import Classifier
from models.classifier import EncodedText
from service.article import Article, parse_article
from service.errors import InvalidArticle, Reason
from service.events import (
    FoundQuote,
    Headers,
    build_events,
    cloud_event_headers,
    describe_model,
    find_quotes,
)
from service.settings import Settings

OutMessage = tuple[str, bytes | None, bytes | None, Headers]  # topic, key, value, headers

ROOM_FOR_KEY_AND_HEADERS = 4096


@dataclass(frozen=True, slots=True)
class SplitArticle:
    """An article, its quotes, and these as the network reads them."""

    article: Article
    found: list[FoundQuote]
    texts: list[EncodedText]


@dataclass(frozen=True, slots=True)
class Processed:
    """What goes out for an article, and how many quotes of each stance that is."""

    messages: list[OutMessage]
    stances: Mapping[str, int]


NOTHING = Processed([], {})


class Stages:
    """The stages of one worker.

    Args:
        settings: limits and topic names.
        classifier: reads the quotes' texts; says what scores mean.
    """

    def __init__(self, settings: Settings, classifier: Classifier) -> None:
        self._settings = settings
        self._classifier = classifier
        self._model = describe_model(classifier)

    def split(self, value: bytes | None) -> SplitArticle:
        """Decode an article, find its quotes, and encode their texts.

        Raises:
            InvalidArticle: it cannot be read.
        """
        article = parse_article(value, max_chars=self._settings.max_article_chars)
        found = find_quotes(article)
        return SplitArticle(
            article, found, self._classifier.encode([one.quote.text for one in found])
        )

    def encode(
        self, split: SplitArticle, scores: Sequence[Mapping[str, float]], received: Headers
    ) -> Processed:
        """One message a quote, in reading order.

        Args:
            split: the article.
            scores: one mapping a quote, in the same order.
            received: headers of the article's message.

        Raises:
            InvalidArticle: one is too large; then none may be sent, an article's quotes are
                delivered all or none.
        """
        labels = self._classifier.labels
        events = build_events(split.article, split.found, scores, labels=labels, model=self._model)
        topic, key = self._settings.topic_quotes, split.article.id.encode()
        limit = self._settings.max_message_bytes
        messages: list[OutMessage] = []
        for event in events:
            value = event.to_json()
            if len(value) > limit - ROOM_FOR_KEY_AND_HEADERS:
                text = f"the event of quote {event.id} has {len(value)} bytes, limit {limit}"
                raise InvalidArticle(Reason.EVENT_TOO_LARGE, text)
            messages.append((topic, key, value, cloud_event_headers(event, received)))
        return Processed(messages, Counter(event.stance for event in events))
