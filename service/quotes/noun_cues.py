"""Nouns that announce speech: “her claim that”, “in a statement”, “Morel’s promise of”."""

from service.quotes.clauses import Subject
from service.quotes.lexicon import words_of_list
from service.quotes.mentions import (
    Kind,
    Mention,
    is_name_word,
    is_possessive,
)
from service.quotes.tokens import QUOTED, Tokens

NOUN_CUES = words_of_list(
    """
    claim claims statement statements comment comments remark remarks promise promises pledge vow
    prediction warning warnings call calls assertion argument contention description declaration
    announcement suggestion question response criticism attack attacks insistence belief view tweet
    tweets message words phrase slogan demand threat threats apology complaint plea proposal charge
    accusation accusations advice answer reply rhetoric boast motto assessment allegation
    allegations admission explanation observation characterization characterisation reference
    references quote quip joke line mantra refrain concession verdict lament diagnosis goal policy
    """
)
# How far before the quote the noun may stand, and its owner before the noun, in tokens.
MAX_NOUN_DISTANCE = 10
MAX_OWNER_DISTANCE = 4
# Between the noun and the words: "claim that “…”", "promise of “…”", not "claims about the “…”".
LINKS = frozenset(
    ["that", ",", "of", "to", "for", "as", "was", "is", "by", ":", "--", "—", "–", QUOTED]
)


def noun_before(tokens: Tokens, quote: int) -> tuple[Subject, int] | None:
    """Return the owner of the noun of speech before the quote, and the noun's token.

    The noun must be linked to the quote by words only: no mark of a clause between them.
    """
    floor = max(tokens.sentence_starts[quote], quote - MAX_NOUN_DISTANCE)
    for noun in range(quote - 1, floor, -1):
        word = tokens.words[noun]
        if word in (",", ";", ":", QUOTED) and noun < quote - 1:
            return None
        if word in NOUN_CUES and tokens.lower(noun + 1) in LINKS:
            owner = _owner(tokens, noun)
            if owner is not None:
                return owner, noun
    return None


def _titled_owner(tokens: Tokens, last: int, floor: int) -> Subject | None:
    """Read "the chief executive’s"."""
    for first in range(last - 1, floor - 1, -1):
        if tokens.lower(first) in ("the", "a", "an"):
            return Subject(Mention(first, last, Kind.NOUN, first))
        if not tokens.words[first].islower():
            return None
    return None


def _owner(tokens: Tokens, noun: int) -> Subject | None:
    """Read “Ana Morel’s repeated claim”: a possessive before the noun and its adjectives."""
    floor = max(tokens.sentence_starts[noun], noun - MAX_OWNER_DISTANCE)
    for index in range(noun - 1, floor - 1, -1):
        word = tokens.words[index]
        if tokens.lower(index) in ("his", "her"):
            return Subject(Mention(index, index, Kind.PRONOUN, index))
        if is_possessive(word) and word.islower():
            return _titled_owner(tokens, index, floor)
        if is_possessive(word) and is_name_word(tokens, index):
            first = index
            while first > floor and is_name_word(tokens, first - 1):
                first -= 1
            return Subject(Mention(first, index, Kind.NAME, first))
        if not word[0].isalpha() or not word.islower():
            return None
    return None
