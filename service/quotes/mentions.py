"""Noun phrases that can speak, read leftwards from a verb or rightwards after one.

There is no part-of-speech tagger here: capital letters, the lists in `lexicon` and the bounds of
the sentence decide. A phrase that cannot be read is None, so that no speaker is made of it. Whose
name it is, is not known here.
"""

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from service.quotes.given_names import is_given_name
from service.quotes.lexicon import (
    DESCRIPTIONS,
    DETERMINERS,
    FUNCTION_WORDS,
    HONORIFICS,
    NOT_NAMES,
    ORGANISATION_WORDS,
    PARTICLES,
    QUANTIFIERS,
    ROLE_MODIFIERS,
    ROLES,
    ROLES_AND_NAMES,
    SOURCES,
)
from service.quotes.tokens import QUOTED, WORDS_KNOWN, Tokens, lower

PRONOUNS = frozenset(["he", "she", "they", "it", "i", "we"])
# "he", "he’s", "he'd" -> "he"
PRONOUN_FORMS = {pronoun: pronoun for pronoun in PRONOUNS} | {
    f"{pronoun}{apostrophe}{ending}": pronoun
    for pronoun in PRONOUNS
    for apostrophe in "'’"
    for ending in ("s", "d", "m", "re", "ve", "ll")
}
# A subject of more words than this is a mistake; it also bounds the work at any one quote.
MAX_PHRASE_WORDS = 12
MAX_NOUN_WORDS = 6
TITLES = ROLES | DESCRIPTIONS
MAX_NICKNAME_CHARS = 24
ARTICLES = DETERMINERS - {"that"}
OF_WORDS = frozenset(["of", "for", "from", "at", "with", "in"])


class Kind(Enum):
    """What sort of phrase names the speaker."""

    NAME = "name"  # "Nato Secretary General Jens Stoltenberg", "Moscow"
    PRONOUN = "pronoun"
    NOUN = "noun"  # "the minister", "The Ukrainian military"


@dataclass(frozen=True, slots=True)
class Mention:
    """Tokens `first` to `last`, both inclusive; a NAME without its role starts at `name_first`."""

    first: int
    last: int
    kind: Kind
    name_first: int


def is_possessive(word: str) -> bool:
    """Say whether the word ends as a possessive does."""
    return word.endswith(("'s", "’s", "s'", "s’"))


def pronoun_at(tokens: Tokens, index: int) -> str | None:
    """Return the personal pronoun at this token in lower case, "he" for "he’s" too."""
    return pronoun_of_word(tokens.words[index])


def pronoun_of_word(word: str) -> str | None:
    """Return the personal pronoun that the word is, in lower case."""
    return PRONOUN_FORMS.get(word.lower())


def is_nickname(tokens: Tokens, index: int) -> bool:
    """Say whether a marked span stands inside a name: Ana “Hammer” Morel."""
    if tokens.words[index] != QUOTED or index == tokens.sentence_starts[index]:
        return False
    if tokens.ends[index] - tokens.starts[index] > MAX_NICKNAME_CHARS:
        return False
    inside = index + 1 < tokens.sentence_ends[index]
    return inside and is_given_name(tokens.words[index - 1]) and is_name_word(tokens, index + 1)


def is_name_word(tokens: Tokens, index: int) -> bool:
    """Say whether the token may be part of a name: a capital, and no function word."""
    return may_be_name(tokens.words[index])


@lru_cache(WORDS_KNOWN)
def may_be_name(word: str) -> bool:
    """Say the same of a word."""
    if len(word) == 2 and word[1] == ".":
        return word[0].isupper()  # an initial
    return word[:1].isupper() and lower(word).split("-")[0] not in NOT_NAMES


def mention_ending_at(tokens: Tokens, last: int) -> Mention | None:
    """Read the phrase whose last token is `last`."""
    floor = max(tokens.sentence_starts[last], last - MAX_PHRASE_WORDS)
    if pronoun_at(tokens, last):
        return Mention(last, last, Kind.PRONOUN, last)
    if is_possessive(tokens.words[last]) and is_name_word(tokens, last):
        return None
    first = _modifiers_left(tokens, last, floor)
    if first <= last and any(is_name_word(tokens, i) for i in range(first, last + 1)):
        mention = _split_name(tokens, first, last)
    else:
        mention = _noun_ending_at(tokens, last, floor)
    return _with_owner(tokens, mention, floor) if mention else None


def mention_starting_at(tokens: Tokens, first: int, limit: int) -> Mention | None:
    """Read the phrase whose first token is `first`, before token `limit`."""
    limit = min(limit, tokens.sentence_ends[first] if first < len(tokens.words) else 0)
    limit = min(limit, first + MAX_PHRASE_WORDS)
    if first >= limit:
        return None
    if pronoun_at(tokens, first):
        return Mention(first, first, Kind.PRONOUN, first)
    begin = first + (tokens.lower(first) in ARTICLES)
    last = _name_right(tokens, begin, limit)
    if last >= begin and last + 1 < limit and tokens.words[last + 1] in SOURCES:
        last += 1  # "Military commanders", "The Ukrainian army"
    titled = _titled_name(tokens, begin, last, limit)
    if titled is not None:
        return titled
    if last >= begin and any(is_name_word(tokens, i) for i in range(begin, last + 1)):
        while last > begin and is_possessive(tokens.words[last]):
            last -= 1
        if not is_possessive(tokens.words[last]):
            return _split_name(tokens, begin, last)
    return _noun_starting_at(tokens, first, limit)


def _titled_name(tokens: Tokens, begin: int, last: int, limit: int) -> Mention | None:
    """Read "GOP gubernatorial hopeful Ana Morel": a capital, plain words, a title, the name."""
    title = last + 1
    while title < min(limit, last + MAX_NOUN_WORDS) and tokens.words[title].islower():
        if tokens.words[title] in TITLES:
            named = title + 2 < limit and is_given_name(tokens.words[title + 1])
            if named and is_name_word(tokens, title + 1) and is_name_word(tokens, title + 2):
                end = _name_right(tokens, title + 1, limit)
                return Mention(begin, end, Kind.NAME, title + 1)
        if tokens.words[title].endswith(("ed", "s")) or not _is_plain_word(tokens, title):
            return None
        title += 1
    return None


def _modifiers_left(tokens: Tokens, last: int, floor: int) -> int:
    """Return where a run of name words, roles and their modifiers that ends at `last` begins."""
    first = last + 1
    while first > floor and _belongs_to_name(tokens, first - 1):
        first -= 1
    while first <= last and (tokens.lower(first) in PARTICLES | {"of", QUOTED}):
        first += 1
    return first


def _belongs_to_name(tokens: Tokens, index: int) -> bool:
    lower = tokens.lower(index)
    if is_name_word(tokens, index) or lower in ROLES or lower in ROLE_MODIFIERS:
        return True
    if is_nickname(tokens, index):
        return True
    inside = index + 1 < len(tokens.words) and is_name_word(tokens, index + 1)
    return inside and (lower in PARTICLES or (lower in ("of", "for") and _of_name(tokens, index)))


def _of_name(tokens: Tokens, index: int) -> bool:
    """Say whether "of" or "for" is inside a name: "Secretary of State", "Institute for Peace"."""
    if tokens.lower(index) == "for":
        return index > 0 and tokens.lower(index - 1) in ORGANISATION_WORDS
    return index > 0 and tokens.words[index - 1][:1].isupper()


def _name_right(tokens: Tokens, begin: int, limit: int) -> int:
    last = begin - 1
    while last + 1 < limit and _belongs_to_name(tokens, last + 1):
        last += 1
    while last >= begin and tokens.lower(last) in ROLE_MODIFIERS and tokens.words[last].islower():
        last -= 1
    if last >= begin and tokens.words[last] == QUOTED:
        last -= 1
    return last


def _split_name(tokens: Tokens, first: int, last: int) -> Mention | None:
    """Cut "Ukrainian Foreign Minister Dmytro Kuleba" after its last role word.

    A phrase that ends with a role or names an organisation is a NOUN with nothing to cut.
    """
    if first > last:
        return None  # "Van", a particle and no more
    name_first = first
    for index in range(first, last + 1):
        if is_role(tokens, index) or is_possessive(tokens.words[index]):
            name_first = index + 1
            if name_first < last - 1 and tokens.lower(name_first) == "of":
                name_first = max(name_first + 2, last - 1)
    if name_first <= last and tokens.lower(name_first) in ROLE_MODIFIERS:
        while name_first < last and tokens.words[name_first].islower():
            name_first += 1
    role_only = name_first > last
    if name_first == first or role_only:
        first = name_first = _with_article(tokens, first)
    if role_only or not is_name_word(tokens, last):
        return Mention(first, last, Kind.NOUN, first)
    if first == last and tokens.lower(last) in ROLE_MODIFIERS - SOURCES:
        return None  # "Democratic"
    if tokens.lower(last) in ORGANISATION_WORDS and name_first > first:
        name_first = first  # "Britain’s Defence Ministry"
    return Mention(first, last, Kind.NAME, name_first)


def is_role(tokens: Tokens, index: int) -> bool:
    """Say whether the token is a title or an occupation, not the family name King or Judge."""
    lower = tokens.lower(index)
    if lower not in ROLES_AND_NAMES or index == tokens.sentence_starts[index]:
        return lower in ROLES
    before = tokens.lower(index - 1)
    is_family_name = before in HONORIFICS or (
        is_name_word(tokens, index - 1)
        and before not in ROLES | ROLE_MODIFIERS
        and not (index + 1 < tokens.sentence_ends[index] and is_name_word(tokens, index + 1))
    )
    return not is_family_name


def _with_article(tokens: Tokens, first: int) -> int:
    """Take in the article of "the Kremlin", "The New York Times"."""
    has_article = first > tokens.sentence_starts[first] and tokens.lower(first - 1) in ARTICLES
    return first - 1 if has_article else first


def _noun_ending_at(tokens: Tokens, last: int, floor: int) -> Mention | None:
    """Read "The ministry of defence", "his spokesperson": words back to a determiner."""
    if not _is_plain_word(tokens, last):
        return None
    first = last
    while first > floor and last - first < MAX_NOUN_WORDS and _is_plain_word(tokens, first - 1):
        first -= 1
    if first > tokens.sentence_starts[last] and tokens.lower(first - 1) in DETERMINERS:
        return Mention(first - 1, last, Kind.NOUN, first - 1)
    if first > tokens.sentence_starts[last] and is_possessive(tokens.words[first - 1]):
        first -= 1
        while first > floor and is_name_word(tokens, first) and is_name_word(tokens, first - 1):
            first -= 1
        return Mention(first, last, Kind.NOUN, first)
    at_clause_start = first == tokens.sentence_starts[last] or not tokens.words[first - 1].isalpha()
    if tokens.lower(last) in SOURCES and (at_clause_start or last - first < 2):
        return Mention(first, last, Kind.NOUN, first)
    return None


def _is_plain_word(tokens: Tokens, index: int) -> bool:
    word = tokens.words[index]
    lower = tokens.lower(index)
    if word == QUOTED or not word[0].isalnum() or is_possessive(word):
        return False
    return lower == "of" or lower not in FUNCTION_WORDS | DETERMINERS


def _noun_starting_at(tokens: Tokens, first: int, limit: int) -> Mention | None:
    """Read "a spokesman for the mayor", "officials": a determiner or source, and plain words."""
    begin = first + (tokens.lower(first) in DETERMINERS)
    last = begin - 1
    while last + 1 < min(limit, begin + MAX_NOUN_WORDS) and _is_noun_word(tokens, last + 1):
        last += 1
        following = tokens.lower(last + 1) if last + 1 < limit else ""
        if tokens.lower(last) in QUANTIFIERS:
            continue
        if tokens.words[last] in SOURCES and following not in SOURCES and following not in OF_WORDS:
            break  # the verb comes next
    if last < begin:
        return None
    named = _name_at_end(tokens, begin, last, limit)
    if named is not None:
        return named
    if begin == first and not any(tokens.lower(i) in SOURCES for i in range(begin, last + 1)):
        return None
    return Mention(first, last, Kind.NOUN, first)


def _name_at_end(tokens: Tokens, begin: int, last: int, limit: int) -> Mention | None:
    """Read "talk radio host Ana Morel": plain words, then a name of two words or more."""
    while last + 1 < limit and is_name_word(tokens, last + 1):
        last += 1
    name_first = last + 1
    while name_first > begin and is_name_word(tokens, name_first - 1):
        name_first -= 1
    if name_first == begin or last - name_first < 1 or is_possessive(tokens.words[last]):
        return None
    return Mention(begin, last, Kind.NAME, name_first)


def _is_noun_word(tokens: Tokens, index: int) -> bool:
    word = tokens.words[index]
    if word != QUOTED and word[0].isalnum() and is_possessive(word):
        return True
    return _is_plain_word(tokens, index)


def _with_owner(tokens: Tokens, mention: Mention, floor: int) -> Mention:
    """Read "a spokesman for Tom Hale" as the spokesman: look left over a preposition once."""
    preposition = mention.first - 1
    if mention.kind is Kind.PRONOUN or preposition - 1 < floor:
        return mention
    if tokens.lower(preposition) in OF_WORDS and _is_person_before(tokens, preposition - 1):
        first = _modifiers_left(tokens, preposition - 1, floor)
        return _split_name(tokens, first, preposition - 1) or mention
    if tokens.lower(preposition) not in OF_WORDS | {"on"}:
        return mention
    if tokens.lower(preposition - 1) not in SOURCES:
        head = _noun_ending_at(tokens, preposition - 1, floor)
        if head is None or tokens.lower(head.first) not in ("a", "an", "one", "another"):
            return mention
        return Mention(head.first, mention.last, Kind.NOUN, head.first)
    head_last = preposition - 1
    first = _modifiers_left(tokens, head_last, floor)
    noun = _noun_ending_at(tokens, head_last, floor)
    if noun is not None:
        first = min(first, noun.first)
    first = _with_article(tokens, min(first, head_last))
    return Mention(first, mention.last, Kind.NOUN, first)


def _is_person_before(tokens: Tokens, last: int) -> bool:
    """Say whether a title or given name and a name end here ("Mr. Hale of the Sailors Club")."""
    if not is_name_word(tokens, last):
        return False
    if not is_name_word(tokens, last - 1):
        return is_given_name(tokens.words[last])  # "Hannah in Northport"
    return (
        not is_possessive(tokens.words[last])
        and tokens.lower(last) not in ORGANISATION_WORDS | ROLES
        and tokens.lower(last - 1) not in ORGANISATION_WORDS
    )
