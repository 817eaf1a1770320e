"""What happens to an article between the two topics, but for the scoring.

Bytes to quotes, and quotes with scores to messages: blocking functions, for any thread. They know
no Kafka client.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice

from models import Classifier
from models.classifier import EncodedText
from service.article import Article, parse_article
from service.errors import InvalidArticle, Reason
from service.events import (
    FoundQuote,
    Headers,
    QuoteEvent,
    build_events,
    cloud_event_headers,
    describe_model,
    find_quotes,
)
from service.settings import Settings

OutMessage = tuple[str, bytes | None, bytes | None, Headers]  # topic, key, value, headers

ROOM_FOR_KEY_AND_HEADERS = 4096
CHUNK_BYTES = 1024**2
"""Messages of a long article are made and sent in portions of about so many bytes."""


@dataclass(frozen=True, slots=True)
class SplitArticle:
    """An article, its quotes, and these as the network reads them."""

    article: Article
    found: list[FoundQuote]
    texts: list[EncodedText]


@dataclass(slots=True)
class Chunk:
    """Messages that go out together, how many quotes of each stance they are, and their bytes."""

    messages: list[OutMessage]
    stances: Counter[str]
    size: int


@dataclass(frozen=True, slots=True)
class Processed:
    """What goes out for an article.

    Args:
        first: all of it, as a rule.
        rest: makes what does not fit into one chunk, as it is asked for; blocks.
    """

    first: Chunk
    rest: Iterator[Chunk] | None


NOTHING = Processed(Chunk([], Counter(), 0), None)


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
        self, split: SplitArticle, scores: Sequence[Mapping[str, float]], trace: Headers
    ) -> Processed:
        """One message a quote, in reading order.

        An article's quotes are delivered all or none, so that all sizes must be known before the
        first is sent. Where there is more than one chunk, the others are made twice: nothing but
        their size is kept, or memory would have no bound.

        Args:
            split: the article.
            scores: one mapping a quote, in the same order.
            trace: context that the events carry on, as headers.

        Raises:
            InvalidArticle: an event is too large, or all of them together are.
        """
        make = partial(self._chunks, split, scores, trace, datetime.now(UTC))
        first, total = NOTHING.first, 0
        for chunk in make():
            first = first if total else chunk
            total += chunk.size
            if total > self._settings.max_output_bytes:
                raise self._too_much(split, total)
        return Processed(first, None if total == first.size else islice(make(), 1, None))

    def _chunks(
        self,
        split: SplitArticle,
        scores: Sequence[Mapping[str, float]],
        trace: Headers,
        now: datetime,
    ) -> Iterator[Chunk]:
        events = build_events(
            split.article,
            split.found,
            scores,
            labels=self._classifier.labels,
            model=self._model,
            now=now,
        )
        topic, key = self._settings.topic_quotes, split.article.id.encode()
        chunk = Chunk([], Counter(), 0)
        for event in events:
            value = self._encoded(event)
            if chunk.size and chunk.size + len(value) > CHUNK_BYTES:
                yield chunk
                chunk = Chunk([], Counter(), 0)
            chunk.messages.append((topic, key, value, cloud_event_headers(event, trace)))
            chunk.stances[event.stance] += 1
            chunk.size += len(value)
        if chunk.messages:
            yield chunk

    def _encoded(self, event: QuoteEvent) -> bytes:
        value = event.to_json()
        limit = self._settings.max_message_bytes
        if len(value) > limit - ROOM_FOR_KEY_AND_HEADERS:
            text = f"the event of quote {event.id} has {len(value)} bytes, limit {limit}"
            raise InvalidArticle(Reason.EVENT_TOO_LARGE, text)
        return value

    def _too_much(self, split: SplitArticle, size: int) -> InvalidArticle:
        return InvalidArticle(
            Reason.EVENT_TOO_LARGE,
            f"the events of {len(split.found)} quotes have {size} bytes or more, "
            f"the limit is {self._settings.max_output_bytes} (max_output_bytes)",
        )
