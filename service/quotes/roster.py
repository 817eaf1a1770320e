"""Reads an article once and lists its persons: full names, titles, and where they are named.

A run of capitals is taken for a person's full name when no word of it belongs to an organisation or
a place; for a person that a pronoun can mean only when something more shows it.
"""

from collections import Counter

from service.quotes.cues import CUE_FORMS, is_cue
from service.quotes.given_names import is_given_name
from service.quotes.lexicon import (
    BETWEEN,
    FUNCTION_WORDS,
    GENDERED_NOUNS,
    HONORIFICS,
    ORGANISATION_WORDS,
    PARTICLES,
    ROLE_MODIFIERS,
    words_of_list,
)
from service.quotes.mentions import (
    is_name_word,
    is_nickname,
    is_possessive,
    is_role,
    may_be_name,
)
from service.quotes.names import (
    MAX_LOOK_BACK,
    Named,
    Names,
    bare,
    like_a_person,
    pronoun_of_honorific,
    without_possessive,
)
from service.quotes.offices import learn_apposition, learn_title
from service.quotes.tokens import Tokens

SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})
MAX_NAME_WORDS = 4
MAX_SPOUSE_DISTANCE = 8
# A longer run of capitals is a heading. Each run is read several times over.
MAX_RUN_WORDS = 30
# "Presidential Debates" is nobody's name.
MODIFIERS = ROLE_MODIFIERS | ORGANISATION_WORDS
MAX_BYLINE_PARAGRAPH = 4
CLAUSE_OPENERS = words_of_list(
    """
    that and but when while as because if after before since whether where what how so though
    although which whom for
    """
)


def collect_names(tokens: Tokens) -> Names:
    """Read the article's names, first the full ones, then every place where a person is named."""
    names = Names()
    runs = [run for run in _capital_runs(tokens) if run[1] - run[0] < MAX_RUN_WORDS]
    for first, last in runs:
        _learn(names, tokens, first, last)
        _learn_spouse(names, tokens, first, last)
    for first, last in runs:
        _confirm(names, tokens, first, last)
    names.author = _byline(tokens, runs)
    met: set[str] = set()
    for first, last in runs:
        _locate(names, tokens, first, last, met)
    names.positions = [named.token for named in names.named]
    return names


def _byline(tokens: Tokens, runs: list[tuple[int, int]]) -> str | None:
    """Read "By Ana Morel", a paragraph of its own near the beginning."""
    for first, last in runs:
        if tokens.paragraphs[first] > MAX_BYLINE_PARAGRAPH:
            break
        start = tokens.paragraph_starts[tokens.paragraphs[first]]
        alone = (
            first == start + 1 and tokens.paragraph_starts[tokens.paragraphs[first] + 1] <= last + 3
        )
        if alone and tokens.lower(start) == "by" and last > first:
            return " ".join(tokens.words[first : last + 1])
    return None


def _capital_runs(tokens: Tokens) -> list[tuple[int, int]]:
    """Return maximal runs of name words, particles between them included, as inclusive bounds."""
    runs: list[tuple[int, int]] = []
    first: int | None = None
    last = -1
    for index, word in enumerate(tokens.words):
        if first is None and not may_be_name(word):
            continue
        same_sentence = (
            first is None or tokens.sentence_starts[first] == tokens.sentence_starts[index]
        )
        if first is not None and index - first >= 2 and _is_headline_verb(tokens.words[index]):
            runs.append((first, last))
            first = None
        elif first is not None and is_nickname(tokens, index):
            continue
        elif is_name_word(tokens, index) and same_sentence:
            first = index if first is None else first
            last = index
            if is_possessive(tokens.words[index]):
                runs.append((first, last))
                first = None
        elif first is not None and not (same_sentence and tokens.lower(index) in PARTICLES):
            runs.append((first, last))
            first = index if is_name_word(tokens, index) else None
            last = index
    if first is not None:
        runs.append((first, last))
    return runs


def _is_headline_verb(word: str) -> bool:
    """Say whether "Ana Morel Calls" has a verb for its last word."""
    return word.istitle() and word.endswith("s") and word.lower() in CUE_FORMS


def _name_part(tokens: Tokens, first: int, last: int) -> tuple[int, int]:
    """Cut roles off the front of a run: the bounds of what is left, empty when first > last."""
    for index in range(last, first - 1, -1):
        if is_role(tokens, index):
            first = index + 1
            break
    if first < last - 1 and not like_a_person(tokens.words[first : last + 1]):
        for index in range(first + 1, last):  # "State Ana Morel", of "Secretary of State Ana Morel"
            if is_given_name(tokens.words[index]) and like_a_person(tokens.words[index : last + 1]):
                return index, last
    return first, last


def _learn(names: Names, tokens: Tokens, first: int, last: int) -> None:
    """Take a full name from a run that looks like a person's."""
    name_first, last = _name_part(tokens, first, last)
    if name_first > last:
        return
    words = without_possessive(tokens.name_words(name_first, last))
    if bare(words[0]) in HONORIFICS and len(words) > 1:
        pronoun = pronoun_of_honorific(bare(words[0]))
        if pronoun:
            names.honorifics.setdefault(words[-1].casefold(), Counter())[pronoun] += 1
        words = words[1:]
    if len(words) > 2 and bare(words[-1]) in SUFFIXES:
        words = words[:-1]
    if len(words) > MAX_NAME_WORDS or not like_a_person(words):
        return
    full = " ".join(words)
    learn_title(names, tokens, name_first, full)
    if len(words) == 1:
        return
    learn_apposition(names, tokens, first, last, full)
    if is_given_name(words[0]):
        names.persons.add(full)
    if full not in names.counts:
        longer = [
            one for one in names.full.get(words[-1].casefold(), ()) if one.endswith(f" {full}")
        ]
        if longer:  # "Lucia Morel" once "Ana Lucia Morel" is known
            names.persons.update(longer)
            return
    _add_full_name(names, words, last, _is_subject(tokens, first, last))


def _add_full_name(names: Names, words: list[str], token: int, subject: bool) -> None:
    full, last_name = " ".join(words), words[-1].casefold()
    if full not in names.counts:
        bearers = names.full.setdefault(last_name, [])
        if len(bearers) < MAX_LOOK_BACK:
            bearers.append(full)
        namesakes = names.first_names.setdefault(words[0].casefold(), set())
        if len(namesakes) < MAX_LOOK_BACK:
            namesakes.add(full)
    names.counts[full] = names.counts.get(full, 0) + 1
    names.full_places.setdefault(last_name, []).append((token, subject, full))


def _learn_spouse(names: Names, tokens: Tokens, first: int, last: int) -> None:
    """Read "Tom Hale and his wife, Rose": she is Rose Hale."""
    kin = first - 1 - (first > 0 and tokens.words[first - 1] == ",")
    floor = max(tokens.sentence_starts[first], kin - MAX_SPOUSE_DISTANCE)
    if first != last or kin - 1 < floor or tokens.words[kin] not in GENDERED_NOUNS:
        return
    if tokens.lower(kin - 1) not in ("his", "her"):
        return
    for index in range(kin - 2, floor - 1, -1):
        if tokens.words[index].casefold() in names.full:
            words = [tokens.words[first], tokens.words[index]]
            _add_full_name(names, words, first, subject=False)
            names.persons.add(" ".join(words))
            return


def _confirm(names: Names, tokens: Tokens, first: int, last: int) -> None:
    """A last name that stands alone, or a full name beside a verb of speech, shows a person."""
    name_first, last = _name_part(tokens, first, last)
    if name_first > last:
        return
    if name_first < last and last + 1 < len(tokens.words) and tokens.words[last + 1] == ":":
        names.persons.add(names.resolve(tokens.name_words(name_first, last), last))
    if name_first == last:
        name = without_possessive([tokens.words[last]])[0]
        bearers = names.full.get(name.casefold(), ())
        names.persons.update(full for full in bearers if bare(full.split()[0]) not in MODIFIERS)
        if not bearers and is_given_name(name) and _is_subject_of_cue(tokens, first, last):
            names.persons.add(name)  # "Melanie said", of whom the article gives no more
    elif last - name_first < MAX_NAME_WORDS and _is_subject_of_cue(tokens, first, last):
        full = names.resolve(tokens.name_words(name_first, last), last)
        if full in names.counts and bare(full.split()[0]) not in MODIFIERS:
            names.persons.add(full)


def _locate(names: Names, tokens: Tokens, first: int, last: int, met: set[str]) -> None:
    """Note where a person is named, and in what position."""
    name_first, last = _name_part(tokens, first, last)
    if name_first > last:
        return
    name = names.resolve(tokens.name_words(name_first, last), last)
    if not names.is_person(name):
        return
    introduced = name_first < last and name not in met
    met.add(name)
    names.named.append(
        Named(
            first,
            last,
            tokens.paragraphs[last],
            name,
            subject=_is_subject(tokens, first, last),
            possessive=is_possessive(tokens.words[last]),
            introduced=introduced,
        )
    )


def _is_subject(tokens: Tokens, first: int, last: int) -> bool:
    """A name is a subject at a clause's start with a verb behind it, or beside a verb of speech."""
    start, end = tokens.sentence_starts[first], tokens.sentence_ends[last]
    if is_possessive(tokens.words[last]):
        return False
    if first - start <= 1 or _is_subject_of_cue(tokens, first, last):
        return True
    opens_clause = (
        tokens.lower(first - 1) in CLAUSE_OPENERS or not tokens.words[first - 1].isalnum()
    )
    if not opens_clause or last + 1 >= end:
        return False
    after = tokens.words[last + 1]
    return after in BETWEEN or (after.islower() and after not in FUNCTION_WORDS)


def _is_subject_of_cue(tokens: Tokens, first: int, last: int) -> bool:
    before = first - 1
    while before > tokens.sentence_starts[first] and first - before < 4:
        if not (is_possessive(tokens.words[before]) or is_role(tokens, before)):
            break
        before -= 1
    beside = [before] if before >= 0 else []
    following = last + 1
    while following < tokens.sentence_ends[last] and following - last < 4:
        beside.append(following)
        if tokens.lower(following) not in BETWEEN:
            break
        following += 1
    return any(is_cue(tokens.words[i], after_capital=False) for i in beside)
