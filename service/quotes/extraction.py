"""The way from a text to its quotes, one call a stage."""

from service.quotes.clean import CleanText, clean
from service.quotes.dialogue import Spoken, carry_speakers
from service.quotes.fragments import is_fragment, is_said, words_said
from service.quotes.furniture import is_furniture, paragraph_words
from service.quotes.joining import Draft, is_interruption, join_paragraphs
from service.quotes.marks import MarkedParagraph, find_marked
from service.quotes.model import Quote, QuoteKind
from service.quotes.paragraphs import Paragraph, split_paragraphs
from service.quotes.references import Article, read_article
from service.quotes.speakers import attribute
from service.quotes.titles import is_stage_direction, names_a_thing
from service.quotes.tokens import tokenize


def extract_quotes(text: str) -> list[Quote]:
    """Return the quotations of an article's text in order of their first offset.

    Segments are code point offsets into `text` as received, end exclusive. Never raises, whatever
    the text; takes time in proportion to its length.
    """
    cleaned = clean(text)
    marked = _mark_paragraphs(cleaned.text)
    drafts = join_paragraphs(cleaned.text, marked)
    tokens = tokenize(cleaned.text, [(found.paragraph, found.spans) for found in marked])
    article = read_article(cleaned.text, tokens)
    found = [_attribute(article, draft) for draft in drafts if _is_speech(article, draft)]
    found = _join_interrupted(article, found)
    carry_speakers(article, found)
    return [_quote(text, cleaned, one) for one in _keep(article, found)]


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


def _attribute(article: Article, draft: Draft) -> Spoken:
    first = article.tokens.quote_tokens[draft.first_span]
    last = article.tokens.quote_tokens[draft.last_span]
    return Spoken(draft, first, last, attribute(article, first, last))


def _join_interrupted(article: Article, found: list[Spoken]) -> list[Spoken]:
    """Join “A,” he said. “B.” into one, unless the second part has an attribution of its own."""
    joined: list[Spoken] = []
    for following in found:
        previous = joined[-1] if joined else None
        if previous is not None and _interrupted(article, previous, following):
            previous.draft.spans += following.draft.spans
            previous.last_token = following.last_token
        else:
            joined.append(following)
    return joined


def _interrupted(article: Article, previous: Spoken, following: Spoken) -> bool:
    attribution = previous.attribution
    if attribution is None or attribution.last is None:
        return False
    own = following.attribution
    if own is not None and own.last is not None and own.last > following.last_token:
        return False
    quote, after = previous.last_token, following.first_token
    return is_interruption(article.tokens, quote, after, article.cues_between(quote, after))


def _is_speech(article: Article, draft: Draft) -> bool:
    """Take stage directions and the page's lines out of the draft; say whether words are left."""
    several = len(draft.spans) > 1
    draft.spans = [
        span
        for span in draft.spans
        if not is_stage_direction(article.text, span)
        and not (several and is_furniture(article.text, Paragraph(span.start, span.end)))
    ]
    first = article.tokens.quote_tokens[draft.first_span]
    return bool(draft.spans) and not names_a_thing(article, first, draft.spans[0])


def _keep(article: Article, found: list[Spoken]) -> list[Spoken]:
    """Leave out fragments that are nobody's words, and copies."""
    seen: set[str] = set()
    kept = []
    for one in found:
        words = words_said(article.text, one.draft.spans)
        if is_fragment(words):
            if not is_said(article, one.first_token, words, one.attribution):
                continue
        elif words in seen:
            continue
        seen.add(words)
        kept.append(one)
    return kept


def _quote(text: str, cleaned: CleanText, one: Spoken) -> Quote:
    """Make the quote, its segments in offsets of `text`, which was received."""
    spans, said = one.draft.spans, one.attribution
    segments = tuple(cleaned.received(span.start, span.end) for span in spans)
    kind: QuoteKind = "fragment" if is_fragment(words_said(cleaned.text, spans)) else "quote"
    return Quote(
        " ".join(" ".join(text[start:end].split()) for start, end in segments),
        segments,
        said.speaker if said else None,
        said.cue if said else None,
        kind,
    )
