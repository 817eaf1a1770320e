"""A quote event to what is counted of it."""

from pydantic import AwareDatetime, BaseModel, ValidationError

from service.speakers.counts import Said

MOST_AHEAD_MINUTES = 10
"""An article from further in the future than that has a wrong date."""


class _Speaker(BaseModel):
    name: str


class _Article(BaseModel):
    source: str | None = None
    published_at: AwareDatetime | None = None


class _Quote(BaseModel):
    """The fields that are counted: events of later versions may have more."""

    text: str
    stance: str
    speaker: _Speaker | None = None
    article: _Article


def read_quote(value: bytes, sent_ms: int) -> Said | None:
    """What a quote event says.

    Args:
        value: the message's value.
        sent_ms: the message's timestamp, in milliseconds since 1970. It stands in for a date of
            publication that the article does not give, or that lies in the future.

    Returns:
        None if it is not a quote event: a topic may hold whatever others have written.
    """
    try:
        quote = _Quote.model_validate_json(value)
    except ValidationError:
        return None
    return Said(
        words=quote.text,
        stance=quote.stance,
        speaker=quote.speaker.name if quote.speaker else None,
        source=quote.article.source,
        minute=_minute(quote.article, sent_ms // 60_000),
    )


def _minute(article: _Article, sent: int) -> int:
    if article.published_at is None:
        return sent
    published = int(article.published_at.timestamp()) // 60
    return published if published <= sent + MOST_AHEAD_MINUTES else sent
