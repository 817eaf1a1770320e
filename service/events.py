"""Quotes and scores to the events that leave. The JSON Schemas and AsyncAPI come from here."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from models import Classifier, LabelSet
from service.article import Article
from service.quotes import Quote, QuoteKind, extract_quotes

Place = Literal["text", "title"]
Score = Annotated[float, Field(ge=0, le=1)]
Offset = Annotated[int, Field(ge=0)]
Headers = list[tuple[str, bytes]]

EVENT_TYPE = "stancewire.quote.classified.v1"
SPEC_VERSION = "1.0"


class _Frozen(BaseModel):
    # `extra="forbid"` closes the schema, so that a test notices a field that the contract lacks.
    model_config = ConfigDict(frozen=True, extra="forbid")


class ArticleRef(_Frozen):
    """The article a quote stands in, without its text."""

    id: str = Field(description="The id of the article event.")
    title: str | None
    url: str | None
    source: str | None
    published_at: str | None = Field(json_schema_extra={"format": "date-time"})


class SpeakerRef(_Frozen):
    """Who said it."""

    name: str = Field(description='Resolved inside the article: "Jens Stoltenberg".')
    mention: str = Field(description='As printed at the quote: "he".')
    role: str | None = Field(description='When the article gives it: "Nato Secretary General".')


class ModelRef(_Frozen):
    """What judged the quote."""

    name: str
    version: str = Field(description="Digest of the weights.")
    labels: str = Field(description="Digest of the label set: names, hypotheses, thresholds.")


class QuoteEvent(_Frozen):
    """One quotation of one article, with its speaker and its stance."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, serialize_by_alias=True
    )

    id: str = Field(description="Same article id, same place and same words give the same id.")
    article: ArticleRef
    text: str = Field(description="The words said, without the marks; segments joined by a space.")
    segments: list[tuple[Offset, Offset]] = Field(
        description="Offsets in Unicode code points into the received text or title; end exclusive."
    )
    place: Place = Field(alias="in", description="Which field of the article the offsets mean.")
    kind: QuoteKind = Field(description="fragment: fewer than four words, all segments together.")
    speaker: SpeakerRef | None = Field(description="null: nothing in the article tells.")
    cue: str | None = Field(description='The word that attributes the quote: "said".')
    stance: str = Field(description="The winning label, or none.")
    scores: dict[str, Score] = Field(description="One score a label, independent of each other.")
    model: ModelRef
    classified_at: str = Field(json_schema_extra={"format": "date-time"})

    def to_json(self) -> bytes:
        """The event as it is sent: UTF-8 JSON."""
        return self.model_dump_json().encode()


@dataclass(frozen=True, slots=True)
class FoundQuote:
    """A quote and the field of the article that it stands in."""

    place: Place
    quote: Quote


def find_quotes(article: Article) -> list[FoundQuote]:
    """The quotes of the title, then those of the text, each in reading order."""
    title = [FoundQuote("title", quote) for quote in extract_quotes(article.title or "")]
    return title + [FoundQuote("text", quote) for quote in extract_quotes(article.text)]


def build_event(
    article: Article,
    found: FoundQuote,
    *,
    stance: str,
    scores: Mapping[str, float],
    model: ModelRef,
    now: datetime | None = None,
) -> QuoteEvent:
    """Put together what is known of one quote.

    Args:
        article: where it stands.
        found: the quote.
        stance: the winning label or "none".
        scores: label to score, each in [0, 1].
        model: what gave the scores.
        now: time of classification; default: the present.
    """
    quote = found.quote
    speaker = quote.speaker and SpeakerRef(
        name=quote.speaker.name, mention=quote.speaker.mention, role=quote.speaker.role
    )
    return QuoteEvent(
        id=quote_id(article.id, found),
        article=ArticleRef(
            id=article.id,
            title=article.title,
            url=article.url,
            source=article.source,
            published_at=article.published_at,
        ),
        text=quote.text,
        segments=list(quote.segments),
        place=found.place,
        kind=quote.kind,
        speaker=speaker,
        cue=quote.cue,
        stance=stance,
        scores={label: round(score, 4) for label, score in scores.items()},
        model=model,
        classified_at=rfc3339(now or datetime.now(UTC)),
    )


def describe_model(classifier: Classifier) -> ModelRef:
    """What an event says of the classifier; computes a digest, so not for every quote anew."""
    return ModelRef(
        name=classifier.name, version=classifier.version, labels=classifier.labels.version
    )


def build_events(
    article: Article,
    found: Sequence[FoundQuote],
    scores: Sequence[Mapping[str, float]],
    *,
    labels: LabelSet,
    model: ModelRef,
    now: datetime | None = None,
) -> Iterator[QuoteEvent]:
    """The events of one article, all with the same time, made as they are asked for.

    Args:
        article: where the quotes stand.
        found: its quotes.
        scores: label to score, one mapping a quote, in the same order.
        labels: decides which stance the scores mean.
        model: what gave the scores.
        now: time of classification; default: the present.
    """
    now = now or datetime.now(UTC)
    for one, score in zip(found, scores, strict=True):
        yield build_event(
            article, one, stance=labels.decide(score), scores=score, model=model, now=now
        )


def quote_id(article_id: str, found: FoundQuote) -> str:
    """The deterministic id: 128 bits of SHA-256 over article, place, offsets and words, in hex."""
    parts = [article_id, found.place, found.quote.segments, found.quote.text]
    canonical = json.dumps(parts, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]


def cloud_event_headers(event: QuoteEvent, trace: Headers) -> Headers:
    """Kafka headers of a quote event: those of a CloudEvent, and the trace.

    Args:
        event: the event that is sent.
        trace: the trace context of the article's message, as headers.
    """
    own = binary_headers(event.id, EVENT_TYPE, source="/stancewire", time=event.classified_at)
    return [*own, *trace]


def binary_headers(identity: str, event_type: str, *, source: str, time: str) -> Headers:
    """Kafka headers of a CloudEvent 1.0 with JSON in it, in binary content mode.

    Args:
        identity: of the event, unique for its source.
        event_type: what happened.
        source: who tells it, as a URI reference.
        time: when it happened, in RFC 3339.

    Source: CloudEvents Kafka protocol binding 1.0.2, section 3.2.
    """
    return [
        ("ce_specversion", SPEC_VERSION.encode()),
        ("ce_id", identity.encode()),
        ("ce_type", event_type.encode()),
        ("ce_source", source.encode()),
        ("ce_time", time.encode()),
        ("content-type", b"application/json"),
    ]


def rfc3339(moment: datetime) -> str:
    """UTC with milliseconds: 2026-11-21T21:36:00.123Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
