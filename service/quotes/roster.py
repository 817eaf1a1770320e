"""Reads an article once and lists its persons: full names, titles, and where they are named.

A run of capitals is taken for a person's full name when no word of it belongs to an organisation or
a place; for a person that a pronoun can mean only when something more shows it.
"""

from service.quotes.cues import is_cue
from service.quotes.lexicon import (
    BETWEEN,
    FEMALE_HONORIFICS,
    FEMALE_NAMES,
    HONORIFICS,
    MALE_HONORIFICS,
    MALE_NAMES,
    PARTICLES,
    ROLES,
)
from service.quotes.mentions import is_name_word, is_possessive, is_role
from service.quotes.names import (
    MAX_LOOK_BACK,
    Named,
    Names,
    bare,
    like_a_person,
    without_possessive,
)
from service.quotes.tokens import Tokens

SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})
MAX_NAME_WORDS = 4


def collect_names(tokens: Tokens) -> Names:
    """Read the article's names, first the full ones, then every place where a person is named."""
    names = Names()
    runs = list(_capital_runs(tokens))
    for first, last in runs:
        _learn(names, tokens, first, last)
    for first, last in runs:
        _confirm(names, tokens, first, last)
    for first, last in runs:
        _locate(names, tokens, first, last)
    names.positions = [named.token for named in names.named]
    return names


def _capital_runs(tokens: Tokens) -> list[tuple[int, int]]:
    """Return maximal runs of name words, particles between them included, as inclusive bounds."""
    runs: list[tuple[int, int]] = []
    first: int | None = None
    last = -1
    for index in range(len(tokens.words)):
        same_sentence = (
            first is None or tokens.sentence_starts[first] == tokens.sentence_starts[index]
        )
        if is_name_word(tokens, index) and same_sentence:
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


def _name_part(tokens: Tokens, first: int, last: int) -> tuple[int, int]:
    """Cut roles off the front of a run: the bounds of what is left, empty when first > last."""
    for index in range(last, first - 1, -1):
        if is_role(tokens, index):
            return index + 1, last
    return first, last


def _learn(names: Names, tokens: Tokens, first: int, last: int) -> None:
    """Take a full name from a run that looks like a person's."""
    name_first, last = _name_part(tokens, first, last)
    if name_first > last:
        return
    words = without_possessive(tokens.words[name_first : last + 1])
    if bare(words[0]) in HONORIFICS and len(words) > 1:
        pronoun = "she" if bare(words[0]) in FEMALE_HONORIFICS else "he"
        if bare(words[0]) in FEMALE_HONORIFICS | MALE_HONORIFICS:
            names.genders.setdefault(words[-1].casefold(), pronoun)
        words = words[1:]
    if len(words) > 2 and bare(words[-1]) in SUFFIXES:
        words = words[:-1]
    if len(words) > MAX_NAME_WORDS or not like_a_person(words):
        return
    full = " ".join(words)
    _learn_role(names, tokens, name_first, full)
    if len(words) == 1:
        return
    if bare(words[0]) in FEMALE_NAMES | MALE_NAMES:
        names.persons.add(full)
    if full not in names.counts:
        bearers = names.full.setdefault(words[-1].casefold(), [])
        if len(bearers) < MAX_LOOK_BACK:
            bearers.append(full)
        namesakes = names.first_names.setdefault(words[0].casefold(), set())
        if len(namesakes) < MAX_LOOK_BACK:
            namesakes.add(full)
    names.counts[full] = names.counts.get(full, 0) + 1


def _confirm(names: Names, tokens: Tokens, first: int, last: int) -> None:
    """A last name that stands alone, or a full name beside a verb of speech, shows a person."""
    name_first, last = _name_part(tokens, first, last)
    if name_first > last:
        return
    if name_first == last:
        bare = without_possessive([tokens.words[last]])[0].casefold()
        names.persons.update(names.full.get(bare, ()))
    elif last - name_first < MAX_NAME_WORDS and _is_subject_of_cue(tokens, first, last):
        full = " ".join(without_possessive(tokens.words[name_first : last + 1]))
        if full in names.counts:
            names.persons.add(full)


def _learn_role(names: Names, tokens: Tokens, name_first: int, full: str) -> None:
    """Remember the title printed before a full name under its role word."""
    first = name_first
    while first > tokens.sentence_starts[name_first] and name_first - first < 5:
        lower = tokens.lower(first - 1)
        if not (is_name_word(tokens, first - 1) or lower in ROLES):
            break
        first -= 1
    words = tokens.words[first:name_first]
    if words and words[-1].lower() in ROLES:
        holders = names.roles.setdefault(words[-1].lower(), [])
        holder = (frozenset(word.lower() for word in words), full)
        if len(holders) < MAX_LOOK_BACK and holder not in holders:
            holders.append(holder)
        names.persons.add(full)


def _locate(names: Names, tokens: Tokens, first: int, last: int) -> None:
    """Note where a person is named, and whether as a subject."""
    name_first, last = _name_part(tokens, first, last)
    if name_first > last or is_possessive(tokens.words[last]):
        return
    name = names.resolve(tokens.words[name_first : last + 1])
    if names.is_person(name):
        named = Named(last, tokens.paragraphs[last], name, _is_subject(tokens, first, last))
        names.named.append(named)


def _is_subject(tokens: Tokens, first: int, last: int) -> bool:
    """A name is a subject at the start of a sentence or beside a verb of speech."""
    start = tokens.sentence_starts[first]
    return first - start <= 1 or _is_subject_of_cue(tokens, first, last)


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
