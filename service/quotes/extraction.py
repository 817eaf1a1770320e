"""The way from a text to its quotes, one call a stage."""

import itertools
from dataclasses import dataclass

from service.quotes.fragments import is_fragment, is_title, paragraph_words, words_said
from service.quotes.joining import Draft, is_interruption, join_paragraphs
from service.quotes.marks import MarkedParagraph, find_marked
from service.quotes.model import Quote, Speaker
from service.quotes.paragraphs import is_furniture, split_paragraphs
from service.quotes.references import Article, read_article
from service.quotes.speakers import Attribution, attribute
from service.quotes.tokens import Tokens, tokenize


@dataclass(slots=True)
class _Found:
    """A draft with its tokens and what is known of its speaker."""

    draft: Draft
    first_token: int
    last_token: int
    attribution: Attribution | None


def extract_quotes(text: str) -> list[Quote]:
    """Return the quotations of an article's text in order of their first offset.

    Segments are code point offsets into `text` as received, end exclusive. Never raises, whatever
    the text; takes time in proportion to its length.
    """
    marked = _mark_paragraphs(text)
    drafts = join_paragraphs(text, marked)
    tokens = tokenize(text, [(found.paragraph, found.spans) for found in marked])
    article = read_article(text, tokens)
    found = _join_interrupted(article, [_attribute(article, draft) for draft in drafts])
    _carry_speakers(tokens, found)
    return _keep(text, found)


def _mark_paragraphs(text: str) -> list[MarkedParagraph]:
    """Find the marks of every paragraph that is the article's own and no copy of one before it."""
    seen: set[str] = set()
    marked = []
    for paragraph in split_paragraphs(text):
        words = paragraph_words(text, paragraph)
        if words in seen or is_furniture(text, paragraph):
            continue
        if words:
            seen.add(words)
        marked.append(find_marked(text, paragraph))
    return marked


def _attribute(article: Article, draft: Draft) -> _Found:
    first = article.tokens.quote_tokens[draft.first_span]
    last = article.tokens.quote_tokens[draft.last_span]
    return _Found(draft, first, last, attribute(article, first, last))


def _join_interrupted(article: Article, found: list[_Found]) -> list[_Found]:
    """Join “A,” he said. “B.” into one, unless the second part has an attribution of its own."""
    joined: list[_Found] = []
    for following in found:
        previous = joined[-1] if joined else None
        if previous is not None and _interrupted(article, previous, following):
            previous.draft.spans += following.draft.spans
            previous.last_token = following.last_token
        else:
            joined.append(following)
    return joined


def _interrupted(article: Article, previous: _Found, following: _Found) -> bool:
    attribution = previous.attribution
    if attribution is None or attribution.last is None:
        return False
    own = following.attribution
    if own is not None and own.last is not None:
        return False
    quote, after = previous.last_token, following.first_token
    return is_interruption(article.tokens, quote, after, len(article.cues_between(quote, after)))


def _carry_speakers(tokens: Tokens, found: list[_Found]) -> None:
    """Give a quote that stands alone the speaker of the quote right before it."""
    for previous, following in itertools.pairwise(found):
        if following.attribution is None and _carries(tokens, previous, following):
            following.attribution = previous.attribution


def _carries(tokens: Tokens, previous: _Found, following: _Found) -> bool:
    said = previous.attribution
    if said is None:
        return False
    first, last = following.first_token, following.last_token
    alone = tokens.sentence_starts[first] == first and tokens.sentence_ends[last] == last + 1
    if tokens.paragraphs[previous.last_token] == tokens.paragraphs[first]:
        return alone
    paragraph = tokens.paragraphs[first]
    whole = tokens.paragraph_starts[paragraph] == first
    whole = whole and tokens.paragraph_starts[tokens.paragraphs[last] + 1] == last + 1
    return whole and said.direct and tokens.paragraphs[previous.last_token] == paragraph - 1


def _keep(text: str, found: list[_Found]) -> list[Quote]:
    """Make the quotes, without unattributed fragments and without copies."""
    seen: set[str] = set()
    quotes = []
    for one in found:
        words = words_said(text, one.draft.spans)
        speaker = one.attribution.speaker if one.attribution else None
        direct = one.attribution is not None and one.attribution.direct
        if not direct and is_title(text, one.draft.spans[0]):
            continue
        if is_fragment(words):
            if speaker is None and not direct:
                continue
        elif words in seen:
            continue
        seen.add(words)
        quotes.append(_quote(text, one, speaker))
    return quotes


def _quote(text: str, one: _Found, speaker: Speaker | None) -> Quote:
    segments = tuple((span.start, span.end) for span in one.draft.spans)
    said = " ".join(" ".join(text[start:end].split()) for start, end in segments)
    return Quote(said, segments, speaker, one.attribution.cue if one.attribution else None)
