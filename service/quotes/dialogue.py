"""Who says a quote that no words attribute: whoever spoke before it, or answers, or stands out.

Newspapers leave out "he said" when the reader knows who goes on, and in an exchange when two people
take turns.
"""

import itertools
from dataclasses import dataclass, replace

from service.quotes.fragments import words_said
from service.quotes.joining import Draft
from service.quotes.model import Speaker
from service.quotes.references import Article
from service.quotes.speakers import Attribution

# A quote may go on behind so many paragraphs of narration.
MAX_PARAGRAPHS_BETWEEN = 3
MAX_PARAGRAPHS_TO_OTHER = 6
# A turn of an exchange is a quote and little more, in tokens.
MAX_TURN = 12
# A headline, the line below it and a caption may repeat what is said further down.
MAX_HEADLINE_QUOTES = 5


@dataclass(slots=True)
class Spoken:
    """A draft with its tokens and what is known of its speaker."""

    draft: Draft
    first_token: int
    last_token: int
    attribution: Attribution | None
    turn: bool = False  # in an exchange, told by its place alone


def carry_speakers(article: Article, quotes: list[Spoken]) -> None:
    """Give the quotes that have no attribution one where other quotes tell."""
    for index, quote in enumerate(quotes):
        if quote.attribution is None:
            quote.attribution = _carried(article, quotes, index)
    for quote in quotes[:MAX_HEADLINE_QUOTES]:
        if _speaker_name(quote) is None:
            quote.attribution = _repeated_below(article, quotes, quote) or quote.attribution


def _repeated_below(article: Article, quotes: list[Spoken], quote: Spoken) -> Attribution | None:
    """Read a headline’s words where the article gives them with their speaker."""
    words = words_said(article.text, quote.draft.spans)
    for other in quotes[: MAX_HEADLINE_QUOTES * 10]:
        if _speaker_name(other) and words in words_said(article.text, other.draft.spans):
            return other.attribution
    return None


def _carried(article: Article, quotes: list[Spoken], index: int) -> Attribution | None:
    quote = quotes[index]
    previous = quotes[index - 1] if index else None
    if not _is_sentence(article, quote):
        return None
    gap = _gap(article, previous, quote)
    if previous is not None and gap == 0:
        return previous.attribution
    if not _is_paragraph(article, quote):
        return None
    if previous is not None and gap == 1 and previous.attribution and previous.attribution.direct:
        return _answer(article, quotes, index) or previous.attribution
    return _goes_on(article, quotes, index)


def _answer(article: Article, quotes: list[Spoken], index: int) -> Attribution | None:
    """Return the other one of two who take turns, when it is his."""
    previous, other = quotes[index - 1], _other_speaker(article, quotes, index)
    if other is None:
        return None
    span = previous.draft.spans[-1]
    asked = article.text.endswith("?", span.start, span.end)
    turns = quotes[index - 2] if index > 1 else None
    exchange = (
        turns is not None
        and turns.attribution is not None
        and turns.attribution.speaker == other.speaker
        and _gap(article, turns, previous) == 1
        and _is_short(article, previous)
    )
    if not (asked or exchange or previous.turn):
        return None
    quotes[index].turn = True
    return replace(other, direct=True)


def _other_speaker(article: Article, quotes: list[Spoken], index: int) -> Attribution | None:
    """Return the last attribution before the previous quote's that names somebody else, if near."""
    said = _speaker_name(quotes[index - 1])
    for earlier in itertools.islice(reversed(quotes[max(0, index - 5) : index - 1]), 4):
        if _gap(article, earlier, quotes[index - 1]) > MAX_PARAGRAPHS_TO_OTHER:
            return None
        if said and _speaker_name(earlier) not in (None, said):
            return earlier.attribution
    return None


def _speaker_name(quote: Spoken) -> str | None:
    found = quote.attribution
    return found.speaker.name if found and found.speaker else None


def _goes_on(article: Article, quotes: list[Spoken], index: int) -> Attribution | None:
    """Take the person who stands out before a quote that is a paragraph of its own."""
    name = article.names.references.get(quotes[index].first_token)
    if name is None:
        return None
    return Attribution(Speaker(name, name, None), None, direct=False)


def _gap(article: Article, earlier: Spoken | None, later: Spoken) -> int:
    """Return how many paragraphs the later quote stands behind the earlier one."""
    if earlier is None:
        return MAX_PARAGRAPHS_BETWEEN
    paragraphs = article.tokens.paragraphs
    return paragraphs[later.first_token] - paragraphs[earlier.last_token]


def _is_sentence(article: Article, quote: Spoken) -> bool:
    tokens = article.tokens
    begins = tokens.sentence_starts[quote.first_token] == quote.first_token
    return begins and tokens.sentence_ends[quote.last_token] == quote.last_token + 1


def _is_paragraph(article: Article, quote: Spoken) -> bool:
    tokens = article.tokens
    first, last = tokens.paragraphs[quote.first_token], tokens.paragraphs[quote.last_token]
    begins = tokens.paragraph_starts[first] == quote.first_token
    return begins and tokens.paragraph_starts[last + 1] == quote.last_token + 1


def _is_short(article: Article, quote: Spoken) -> bool:
    """Say whether the quote's paragraph has no more than an exchange's turn has."""
    tokens = article.tokens
    paragraph = tokens.paragraphs[quote.first_token]
    return tokens.paragraph_starts[paragraph + 1] - tokens.paragraph_starts[paragraph] <= MAX_TURN
