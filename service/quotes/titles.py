"""Marked words that name a thing: works, programmes, nicknames, stage directions, crossheads.

They are nobody's words, whoever the sentence around them is about, and however many they are. A new
trap of this kind is a word in one of the lists.
"""

import re

from service.quotes.lexicon import DETERMINERS, FUNCTION_WORDS, words_of_list
from service.quotes.marks import Marked
from service.quotes.mentions import is_name_word, is_possessive
from service.quotes.noun_cues import NOUN_CUES
from service.quotes.references import Article
from service.quotes.tokens import QUOTED, WORD, Tokens

TITLE_MAX_WORDS = 8
NICKNAME_MAX_WORDS = 3
# As long as this, a title's words have a capital; "of" and "with" have none.
LONG_WORD_CHARS = 4
HEADLINE_MIN_LONG_WORDS = 2
MAX_WORDS_LOOKED_AT = 40
MAX_ADJECTIVES = 2

# Nouns that have a title beside them, in capitals: the show “Harbour Nights”.
WORKS = words_of_list(
    """
    show song book film series program programme magazine broadcast hit album movie play poem
    podcast host documentary commentary column essay op-ed anthem hymn ballad single track drama
    comedy sitcom musical opera novel memoir thriller bestseller painting exhibition exhibit game
    app website blog newsletter newspaper tabloid bill act legislation law clip video trailer
    episode segment sequel franchise cartoon comic ad commercial
    """
)
# Stand between such a thing and its title, or before a title alone: on “Harbour Nights”.
BEFORE_TITLE = words_of_list("on of in from for during at")
# Say outright that a name follows, in capitals or not.
NAMING = words_of_list(
    """
    titled entitled named nicknamed nickname so-called codenamed pseudonym moniker
    """
)
# A box labelled “…” bears a name; a claim that was labelled “…” was judged.
LABELLED = frozenset(["labeled", "labelled", "marked"])
PASSIVE = words_of_list("is are was were be been being")
# "A goal of “Peace and Bread”" holds words somebody goes about with, no title.
SLOGANS = NOUN_CUES | words_of_list("goal aim policy theme idea notion doctrine agenda motto")
STAGE_DIRECTION = re.compile(r"[(\[][^()\[\]]*[)\]][\W_]*")


def names_a_thing(article: Article, quote: int, span: Marked) -> bool:
    """Say whether the marks of the token `quote`, with `span` between them, hold a name."""
    return (
        _is_named(article.tokens, quote)
        or _is_in_apposition(article.tokens, quote)
        or _is_nickname(article, quote, span)
        or _is_crosshead(article, quote, span)
        or _is_title(article, quote, span)
    )


def is_stage_direction(text: str, span: Marked) -> bool:
    """Say whether all the words are in brackets: “(Applause.)”."""
    return STAGE_DIRECTION.fullmatch(text, span.start, span.end) is not None


def in_headline(tokens: Tokens, index: int) -> bool:
    """Say whether the sentence is a headline: capitals throughout, or a first line with no stop."""
    first, end = tokens.sentence_starts[index], tokens.sentence_ends[index]
    if tokens.paragraphs[index] == 0 and tokens.words[end - 1] not in (".", QUOTED):
        return True
    words = tokens.words[first : min(end, first + MAX_WORDS_LOOKED_AT)]
    long_words = [word for word in words if word.isalpha() and len(word) > LONG_WORD_CHARS]
    return len(long_words) >= HEADLINE_MIN_LONG_WORDS and not any(w.islower() for w in long_words)


def _is_named(tokens: Tokens, quote: int) -> bool:
    """Read the man nicknamed “…”, known as the “…”."""
    before = word_before(tokens, quote)
    if before is None:
        return False
    earlier = tokens.lower(before - 1) if before > tokens.sentence_starts[quote] else ""
    word = tokens.lower(before)
    if word in LABELLED:
        return earlier not in PASSIVE
    return word in NAMING or (word == "as" and earlier == "known")


def _is_in_apposition(tokens: Tokens, quote: int) -> bool:
    """Read Hale’s latest column, “we need piers,” is long: a title, though without capitals."""
    work, first = quote - 2, tokens.sentence_starts[quote]
    if work <= first or tokens.words[quote - 1] != "," or tokens.lower(work) not in WORKS:
        return False
    if tokens.sentence_ends[quote] <= quote + 1 or tokens.lower(quote + 1) not in PASSIVE:
        return False
    owners = tokens.words[max(first, work - MAX_ADJECTIVES - 1) : work]
    return any(is_possessive(word) or word.lower() in ("his", "her") for word in owners)


def _is_nickname(article: Article, quote: int, span: Marked) -> bool:
    """Read Tom “Big Fish” Hale: marks between the words of a name."""
    tokens = article.tokens
    first, end = tokens.sentence_starts[quote], tokens.sentence_ends[quote]
    return (
        first < quote < end - 1
        and is_name_word(tokens, quote - 1)
        and is_name_word(tokens, quote + 1)
        and not is_possessive(tokens.words[quote - 1])
        and 0 < _title_words(article.text, span) <= NICKNAME_MAX_WORDS
        and article.text[span.end - 1].isalnum()
        and not in_headline(tokens, quote)
    )


def _is_crosshead(article: Article, quote: int, span: Marked) -> bool:
    """Say whether the marks are all of a paragraph and hold capitals: a line between sections."""
    tokens = article.tokens
    paragraph = tokens.paragraphs[quote]
    alone = tokens.paragraph_starts[paragraph] == quote
    alone = alone and tokens.paragraph_starts[paragraph + 1] == quote + 1
    return alone and paragraph > 0 and _title_words(article.text, span) >= 3


def _is_title(article: Article, quote: int, span: Marked) -> bool:
    """Say whether words in capitals follow what a title follows, in a sentence without capitals."""
    tokens = article.tokens
    words = _title_words(article.text, span)
    start = tokens.sentence_starts[quote]
    if not words or quote == start:
        return False
    if _beside_work(tokens, quote):
        return True
    if words < 2 or in_headline(tokens, quote):
        return False
    if is_possessive(tokens.words[quote - 1]) or _last_word(article.text, span) in WORKS:
        return True
    before = word_before(tokens, quote)
    return (
        before is not None
        and tokens.lower(before) in BEFORE_TITLE
        and not (before > start and _announces(article, before - 1))
    )


def _beside_work(tokens: Tokens, quote: int) -> bool:
    """Read the show “…” · her show, “…” · a clip of “…” · the “…” radio show."""
    start, end = tokens.sentence_starts[quote], tokens.sentence_ends[quote]
    before = quote - 1
    if before > start and tokens.words[before] in (",", "of"):
        before -= 1
    after = [tokens.lower(i) for i in range(quote + 1, min(end, quote + 3))]
    return (before >= start and tokens.lower(before) in WORKS) or any(w in WORKS for w in after)


def _announces(article: Article, index: int) -> bool:
    """Say whether the word makes "of" and "for" lead to speech: a call for “…”, his vow of “…”."""
    return article.tokens.lower(index) in SLOGANS or bool(article.cues_between(index, index + 1))


def word_before(tokens: Tokens, quote: int) -> int | None:
    """Return the token before the marks in their sentence, articles and numbers left out."""
    index, start = quote - 1, tokens.sentence_starts[quote]
    while index >= start and (tokens.lower(index) in DETERMINERS or tokens.words[index].isdigit()):
        index -= 1
    return index if index >= start and tokens.words[index] != QUOTED else None


def _title_words(text: str, span: Marked) -> int:
    """Return how many words there are if they are printed as a title's are, else 0."""
    words = WORD.findall(text, span.start, min(span.end, span.start + 100))
    if not 0 < len(words) <= TITLE_MAX_WORDS or words[0][0].islower():
        return 0
    long_words = [word for word in words if _takes_capital(word)]
    return len(words) if long_words and not any(word[0].islower() for word in long_words) else 0


def _last_word(text: str, span: Marked) -> str:
    """Return the “Act” of “Safe Piers Act,” in lower case."""
    words = WORD.findall(text, max(span.start, span.end - 30), span.end)
    return words[-1].casefold() if words else ""


def _takes_capital(word: str) -> bool:
    return word[0].isdigit() or (
        len(word) >= LONG_WORD_CHARS and word.casefold() not in FUNCTION_WORDS
    )
