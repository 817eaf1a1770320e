"""Subjects of verbs of speech, inside one sentence. Knows phrases and cues, not whose they are."""

from dataclasses import dataclass

from service.quotes.cues import (
    HEADLINE_NOUNS,
    PHRASES,
    is_bare,
    is_cue,
    is_participle,
    may_be_cue,
)
from service.quotes.lexicon import (
    AUXILIARIES,
    BETWEEN,
    DETERMINERS,
    FUNCTION_WORDS,
    INFINITIVE_MARKERS,
    ROLE_MODIFIERS,
    SOURCES,
    WEEKDAYS,
    words_of_list,
)
from service.quotes.mentions import (
    Kind,
    Mention,
    is_name_word,
    mention_ending_at,
    mention_starting_at,
    pronoun_at,
)
from service.quotes.tokens import QUOTED, Tokens

# An apposition ("X, the minister of … , said") or a remark in brackets may hold so many tokens.
MAX_APPOSITION_TOKENS = 30
MAX_COMMAS = 5
MAX_PLAIN_PHRASE = 3
# Introductory words before the subject: "Speaking after the talks, X said".
MAX_INTRODUCTION_TOKENS = 30
PREPOSITIONS = words_of_list(
    """
    in on at by to from through against outside inside near across around over under into during of
    for with along behind between
    """
)
AT_PLACE = frozenset(["in", "at", "near", "outside"])
# Letters behind a name: "Ana Morel, KC, who defends …".
POSTNOMINALS = frozenset(
    ["KC", "QC", "MP", "MSP", "MEP", "TD", "OBE", "CBE", "MBE", "PhD", "MD", "CEO"]
)
CONNECTIVES = frozenset(
    ["but", "and", "so", "yet", "still", "also", "meanwhile", "however", "then", "instead", "later"]
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A verb's subject, and the title an apposition gives him as token bounds, inclusive."""

    mention: Mention
    apposition: tuple[int, int] | None = None


def cue_at(tokens: Tokens, index: int) -> bool:
    """Say whether the token is a verb of speech, not a noun like it ("Russia’s claims")."""
    if not may_be_cue(tokens.words[index]):
        return False
    before = tokens.words[index - 1] if index > tokens.sentence_starts[index] else ""
    following = tokens.words[index + 1] if index + 1 < tokens.sentence_ends[index] else ""
    if (tokens.words[index], following) in PHRASES:
        return True
    if not is_cue(tokens.words[index], after_capital=before[:1].isupper()):
        return False
    if is_bare(tokens.words[index]) and not _takes_bare_verb(before.lower()):
        pair = index - 2 > tokens.sentence_starts[index] and tokens.words[index - 2] == "and"
        if not (pair and before[:1].isupper()):  # "Morel and Hale call"
            return False
    if before.lower() in ROLE_MODIFIERS and tokens.words[index] in HEADLINE_NOUNS:
        return False  # "Republican claims"
    if before.lower() in ("of", "in", "for", "with") and not is_participle(tokens.words[index]):
        return False
    return before.lower() not in DETERMINERS and not before.endswith(("'s", "’s"))


def _takes_bare_verb(before: str) -> bool:
    """Say whether "critics say", "they say", "did not say" or "to say" begins with this word."""
    return (
        before in INFINITIVE_MARKERS
        or before in ("they", "who", "not", "also", "often")
        or (before in SOURCES and before.endswith(("s", "men", "police", "people")))
    )


def leans_on_earlier(tokens: Tokens, cue: int) -> bool:
    """Say whether a participle or infinitive takes its subject from an earlier verb."""
    before = tokens.lower(cue - 1) if cue > tokens.sentence_starts[cue] else ""
    if is_participle(tokens.words[cue]):
        own = _skip_between(tokens, cue - 1, tokens.sentence_starts[cue])  # "Ana later gushing"
        return before not in AUXILIARIES and not (own >= 0 and is_name_word(tokens, own))
    return is_bare(tokens.words[cue]) and before in INFINITIVE_MARKERS


def subject_before(tokens: Tokens, cue: int) -> Subject | None:
    """Return the subject left of the verb, also over an apposition or a relative "who"."""
    start = tokens.sentence_starts[cue]
    index = _skip_between(tokens, cue - 1, start)
    if index < start:
        return None
    word = tokens.words[index]
    if word in (",", "–", "—", "-", "--", "―"):
        return _subject_over_apposition(tokens, index, start)
    if word == ")":
        index = _before_bracket(tokens, index, start)
    elif tokens.lower(index) in ("who", "which"):
        index -= 1
        if index > start and tokens.words[index] == ",":
            index -= 1
    elif tokens.lower(index) == "and" or is_participle(word):
        return None
    if index < start:
        return None
    mention = mention_ending_at(tokens, index)
    if mention is None or _noun_before_plural(tokens, mention, cue):
        return None
    behind_preposition = tokens.lower(mention.first - 1) in PREPOSITIONS
    if mention.kind is Kind.NOUN and behind_preposition and mention.first - 1 > start:
        head = sentence_subject(tokens, mention.first - 1)  # "Protesters in the streets chanted"
        if head and head.mention.kind is not Kind.PRONOUN:
            return head
    return Subject(_with_companion(tokens, mention, start))


def _with_companion(tokens: Tokens, mention: Mention, start: int) -> Mention:
    """Read "The US and its allies" as one: no speaker is made of the second alone."""
    before = mention.first - 2
    if before < start or tokens.lower(mention.first - 1) != "and":
        return mention
    other = mention_ending_at(tokens, before)
    if other is None or other.kind is Kind.PRONOUN or not _opens_clause(tokens, other.first, start):
        return mention
    return Mention(other.first, mention.last, Kind.NOUN, other.first)


def _noun_before_plural(tokens: Tokens, mention: Mention, cue: int) -> bool:
    """Say whether "his past references" is a phrase of its own, not a subject with its verb."""
    plural = mention.kind is Kind.NOUN and tokens.words[cue].endswith("s")
    return plural and tokens.lower(mention.last) not in SOURCES


def sentence_subject(tokens: Tokens, index: int) -> Subject | None:
    """Return the phrase the sentence of token `index` begins with, after any introduction."""
    start, end = tokens.sentence_starts[index], tokens.sentence_ends[index]
    last_start = min(end, start + MAX_INTRODUCTION_TOKENS)
    while start < last_start and (
        tokens.lower(start) in CONNECTIVES or not tokens.words[start][0].isalnum()
    ):
        if tokens.words[start] == QUOTED:
            return None
        start += 1
    if (
        start < end
        and tokens.lower(start) in FUNCTION_WORDS - DETERMINERS
        and not pronoun_at(tokens, start)
    ):
        start = _after_introduction(tokens, start, min(end, start + MAX_INTRODUCTION_TOKENS))
    mention = mention_starting_at(tokens, start, index) if start < end else None
    named = _named_next(tokens, mention, index) if mention else None
    if mention is None or (named is None and _is_clause(tokens, mention)):
        return None
    return Subject(named or mention)


def _is_clause(tokens: Tokens, mention: Mention) -> bool:
    """Say whether "Their romance drew millions" was read for a noun phrase."""
    if mention.kind is not Kind.NOUN or mention.last - mention.first < MAX_PLAIN_PHRASE:
        return False
    words = range(mention.first, mention.last + 1)
    return not any(tokens.lower(index) in SOURCES for index in words)


def _named_next(tokens: Tokens, mention: Mention, end: int) -> Mention | None:
    """Read "Her old partner at the bank, Ana Morel, praised" as Ana Morel."""
    at_comma = tokens.words[mention.last + 1 : mention.last + 2] == [","]
    if mention.kind is Kind.PRONOUN or (at_comma and mention.kind is Kind.NAME):
        return None
    for comma in range(mention.last + 1, min(end - 1, mention.last + MAX_COMMAS)):
        if tokens.words[comma] == "," and is_name_word(tokens, comma + 1):
            named = mention_starting_at(tokens, comma + 1, end)
            if named and named.kind is Kind.NAME:
                return Mention(mention.first, named.last, Kind.NAME, named.name_first)
            return None
        plain = tokens.words[comma].islower() and not tokens.words[comma].endswith("ed")
        if not (plain or is_name_word(tokens, comma)):
            return None
    return None


def _after_introduction(tokens: Tokens, start: int, end: int) -> int:
    """Return where the clause begins behind "On Monday," or “On the programme “…”,”."""
    for index in range(start, end):
        if tokens.words[index] in (",", QUOTED):
            return index + 1
    return end


def _skip_between(tokens: Tokens, index: int, start: int) -> int:
    """Go left over auxiliaries, adverbs and days: "X has repeatedly", "X on Tuesday"."""
    steps = 0
    while index >= start and steps < 8:
        lower = tokens.lower(index)
        adverb = (
            lower.endswith("ly")
            and tokens.words[index].islower()
            and lower not in ("family", "ally")
        )
        day = lower in ("on", "last", "this") and tokens.lower(index + 1) in WEEKDAYS
        if not (lower in BETWEEN or adverb or day or lower.endswith(("n't", "n’t"))):
            break
        index -= 1
        steps += 1
    return index


def _before_bracket(tokens: Tokens, index: int, start: int) -> int:
    floor = max(start, index - MAX_APPOSITION_TOKENS)
    while index > floor and tokens.words[index] != "(":
        index -= 1
    return index - 1


def _subject_over_apposition(tokens: Tokens, comma: int, start: int) -> Subject | None:
    """Find whom the words before this comma describe: the phrase before an earlier comma.

    Of several commas the one whose phrase opens the clause is taken, else the nearest to a name.
    """
    mark = tokens.words[comma]
    nearest: Subject | None = None
    seen = 0
    for index in range(comma - 1, max(start, comma - MAX_APPOSITION_TOKENS) - 1, -1):
        if tokens.words[index] == QUOTED or seen == MAX_COMMAS:
            break
        if tokens.words[index] not in (mark, ",") or index == start:
            continue
        seen += 1
        subject = _described(tokens, index, comma, start)
        if subject is None:
            continue
        if _opens_clause(tokens, subject.mention.first, start):
            return subject
        if nearest is None and subject.mention.kind is Kind.NAME:
            nearest = subject
    return nearest


def _outside_place(tokens: Tokens, mention: Mention, start: int) -> Mention:
    """Read "The report on the clinic in Northport, …, says" as the report."""
    before = mention.first - 1
    if mention.kind is not Kind.NAME or before <= start or tokens.lower(before) not in AT_PLACE:
        return mention
    head = sentence_subject(tokens, before)
    plain = (
        head and head.mention.kind is Kind.NOUN and _opens_clause(tokens, head.mention.first, start)
    )
    return head.mention if head and plain else mention


def _described(tokens: Tokens, index: int, comma: int, start: int) -> Subject | None:
    last = index - 1
    if tokens.words[last] in POSTNOMINALS or tokens.words[last].isdigit():
        return None
    if tokens.words[last] == ")":
        last = _before_bracket(tokens, last, start)
    mention = mention_ending_at(tokens, last) if last >= start else None
    if mention is None or mention.kind is Kind.PRONOUN:
        return None
    mention = _outside_place(tokens, mention, start)
    title_first = index + 1
    if mention.kind is Kind.NOUN and is_name_word(tokens, title_first):
        named = mention_starting_at(tokens, title_first, comma)  # "Another critic, Ana Morel,"
        if named and named.kind is Kind.NAME:
            return Subject(Mention(mention.first, named.last, Kind.NAME, named.name_first))
    relative = tokens.lower(title_first) in FUNCTION_WORDS - DETERMINERS
    is_title = title_first < comma and not relative and not tokens.words[title_first].isdigit()
    return Subject(mention, (title_first, comma - 1) if is_title else None)


def _opens_clause(tokens: Tokens, first: int, start: int) -> bool:
    if first <= start:
        return True
    before = tokens.words[first - 1]
    if before == "," and not is_name_word(tokens, first):
        return False  # one apposition after another: "X, the minister of …, a member of …, said"
    return before in (QUOTED, ",", ":", ";", "—", "–", "--") or tokens.lower(
        first - 1
    ) in CONNECTIVES | {"as"}


def subject_after(tokens: Tokens, first: int, limit: int) -> Subject | None:
    """Return an inverted verb's subject ("said X, the minister"), from token `first`."""
    mention = mention_starting_at(tokens, first, limit)
    if mention is None or mention.kind is Kind.PRONOUN:
        return None
    return Subject(mention, _apposition_after(tokens, mention.last + 1, limit))


def _apposition_after(tokens: Tokens, index: int, limit: int) -> tuple[int, int] | None:
    end = min(limit, index + MAX_APPOSITION_TOKENS)
    if index + 1 >= end or tokens.words[index] != ",":
        return None
    opens_title = tokens.lower(index + 1) in DETERMINERS or is_name_word(tokens, index + 1)
    last = index
    while last + 1 < end and tokens.words[last + 1] not in (",", ".", ";", ":", QUOTED):
        last += 1
    return (index + 1, last) if opens_title and last > index else None
