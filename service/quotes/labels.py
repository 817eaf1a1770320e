"""Names printed as labels, with no verb: transcripts, headlines, signatures behind a dash."""

from service.quotes.clauses import Subject
from service.quotes.lexicon import words_of_list
from service.quotes.mentions import Kind, mention_ending_at, mention_starting_at
from service.quotes.model import Speaker
from service.quotes.paragraphs import TRANSCRIPT_LABEL
from service.quotes.references import Article, printed, speaker_of
from service.quotes.tokens import Tokens

# Stand before a headline's colon and speak as little as the page's name does.
RUBRICS = words_of_list(
    """
    exclusive breaking watch video poll opinion analysis update live photos review editorial listen
    interview latest fact check explainer comment profile obituary recap preview podcast gallery
    """
)
# A headline's colon stands so near its beginning, when a name is all that is before it.
MAX_LABEL_TOKENS = 4
# And the words quoted in a headline so near its colon.
MAX_HEADLINE_TOKENS = 40


def name_before_colon(article: Article, last: int, start: int) -> Speaker | None:
    """Read X: “…” where X, up to token `last`, is all that stands before the colon."""
    mention = mention_ending_at(article.tokens, last)
    if mention is None or mention.kind is not Kind.NAME or mention.first > start + 1:
        return None
    return speaker_of(article, Subject(mention))


def transcript_label(article: Article, quote: int) -> Speaker | None:
    """Read “MOREL: …”, a label in capitals inside the marks."""
    found = TRANSCRIPT_LABEL.match(article.text, article.tokens.starts[quote])
    if found is None:
        return None
    label = found.group(1)
    name = article.names.resolve(label.split(), quote)
    return Speaker(label.title() if name == label else name, label, None)


def headline_name(article: Article, quote: int) -> Speaker | None:
    """Read a headline's “Ana Morel Scolds Bank Chief: ‘…’” and “Morel: It Is ‘…’”.

    That is a sentence with a colon before the quote, of the article's first paragraph or with the
    name at its very beginning.
    """
    tokens = article.tokens
    start = tokens.sentence_starts[quote]
    near = range(quote - 1, max(start, quote - MAX_HEADLINE_TOKENS), -1)
    colon = next((i for i in near if tokens.words[i] == ":"), None)
    if colon is None:
        return None
    if colon <= start + MAX_LABEL_TOKENS:
        label = name_before_colon(article, colon - 1, start)
        known = label and article.names.is_person(label.name)
        if known or (label and tokens.paragraphs[quote] == 0 and _may_speak(label)):
            return label
    if tokens.paragraphs[quote] > 0:
        return None
    return person_at(article, start, colon) or _only_person(article, start, colon)


def _may_speak(label: Speaker) -> bool:
    return not any(word.lower() in RUBRICS for word in label.name.split())


def person_at(article: Article, first: int, end: int) -> Speaker | None:
    """Return the person whose name, in full or last name alone, begins at token `first`."""
    for last in range(min(first + MAX_LABEL_TOKENS, end) - 1, first - 1, -1):
        words = article.tokens.words[first : last + 1]
        if not all(word[0].isalpha() for word in words):
            continue
        name = article.names.resolve(words, last)
        if article.names.is_person(name) and (len(words) == 1 or name == " ".join(words)):
            return Speaker(name, printed(article, first, last), None)
    return None


def _only_person(article: Article, first: int, end: int) -> Speaker | None:
    people = article.names.named_between(first, end)
    if len({named.name for named in people}) != 1:
        return None
    named = people[0]
    return Speaker(named.name, printed(article, named.first, named.token), None)


def signature(article: Article, first: int, end: int) -> Speaker | None:
    """Read “…” ― Martha Smith: a name alone behind a dash, which ends before token `first`."""
    mention = mention_starting_at(article.tokens, first, end)
    if mention is None or mention.kind is not Kind.NAME:
        return None
    return (
        speaker_of(article, Subject(mention)) if _is_alone(article.tokens, mention.last) else None
    )


def _is_alone(tokens: Tokens, last: int) -> bool:
    following = last + 1
    return following >= tokens.sentence_ends[last] - 1 or tokens.words[following] in (",", "(")
