"""Whom "he", "her", "the coach" and a quote that stands alone mean: each place, in reading order.

Such a place goes to the person who stands out most right before it: subjects before others, the
near before the far, the one just introduced before one long known. The weights were set by hand;
that each of them points the right way matters more than its size.
"""

import re
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from service.quotes.clauses import cue_at
from service.quotes.cues import is_direct
from service.quotes.lexicon import (
    BETWEEN,
    DESCRIPTIONS,
    GENDERED_NOUNS,
    ORGANISATION_WORDS,
    ROLE_MODIFIERS,
    ROLES,
    SOURCES,
)
from service.quotes.mentions import (
    is_name_word,
    is_possessive,
    mention_starting_at,
    pronoun_of_word,
)
from service.quotes.names import SAME_TITLE, Named, Names
from service.quotes.noun_cues import NOUN_CUES
from service.quotes.tokens import QUOTED, WORDS_KNOWN, Tokens, lower

# One looks back at most so many places and paragraphs.
MAX_LOOK_BACK = 16
MAX_PARAGRAPHS_BACK = 5

PER_SENTENCE = -1.0
PER_PARAGRAPH = -0.3
SUBJECT = 1.5
SPEAKER = 0.5  # beside a verb of speech
POSSESSIVE = -0.7
TOPIC = 0.3  # a possessive that begins the sentence
OWNER = 0.5  # was "his" or "her"
INTRODUCED = 1.0  # named in full for the first time
GENDER_KNOWN = 0.4
UNKNOWN_TITLE = -1.5  # may be somebody named whom the article gives the title nowhere
NAMESAKE = -0.5  # the last name was taken for its other bearer's

POSSESSIVE_PRONOUNS = {"his": "he", "her": "she"}
UNNAMED_DETERMINERS = frozenset(["my", "our", "his", "her", "their", "a", "an", "another", "one"])
# "a", "an elderly", "the former deputy": so many words may stand before the noun.
MAX_MODIFIERS = 3
NOUNS = DESCRIPTIONS | GENDERED_NOUNS.keys()
# Seldom the one whom the article is about.
SPEAK_FOR_OTHERS = frozenset(
    ["spokesman", "spokeswoman", "spokesperson", "aide", "adviser", "advisor", "lawyer", "source"]
)
DEFINITE = frozenset(["the"])
INDEFINITE = frozenset(["a", "an", "another", "one"])
NO_PERSONS = SOURCES | ORGANISATION_WORDS | NOUN_CUES
AGE = re.compile(r"\d+-year-old$")


@dataclass(frozen=True, slots=True)
class _Place:
    """A person at one place, with what speaks for being meant soon after."""

    name: str
    gender: str | None
    sentence: int  # its number
    paragraph: int
    weight: float


class _Sort(Enum):
    """What a word can mean, whatever stands around it."""

    HE = "he"
    SHE = "she"
    QUOTED = "quoted"
    TITLE = "title"
    PERSON_IF_SAID = "person if said"  # "the dinner lady said"


@lru_cache(WORDS_KNOWN)
def _sort_of(word: str) -> _Sort | None:
    """Sort a word; None for one that means nobody. Nearly every word is one, and seen before."""
    pronoun = _pronoun(word)
    if pronoun:
        return _Sort(pronoun)
    if _head(word) in ROLES or word in NOUNS or AGE.match(word):
        return _Sort.TITLE
    if word == QUOTED:
        return _Sort.QUOTED
    person = word.islower() and not word.endswith("s") and word not in NO_PERSONS
    return _Sort.PERSON_IF_SAID if person else None


class _Reader:
    """Goes through an article once; `resolved` holds token -> person."""

    def __init__(self, names: Names, tokens: Tokens) -> None:
        self.names = names
        self.tokens = tokens
        self.resolved: dict[int, str] = {}
        self.recent: deque[_Place] = deque(maxlen=MAX_LOOK_BACK)
        self.sentence = -1

    def read(self) -> dict[int, str]:
        """Visit every token in order."""
        named = iter(self.names.named)
        following = next(named, None)
        starts, words = self.tokens.sentence_starts, self.tokens.words
        for token, word in enumerate(words):
            if starts[token] == token:
                self.sentence += 1
            while following is not None and following.token == token:
                self._add_named(following)
                following = next(named, None)
            sort = _sort_of(word)
            if sort is None:
                continue
            if sort is _Sort.QUOTED:
                if self._opens_paragraph(token):
                    self._resolve(token, None, weight=None)
            elif sort is _Sort.TITLE:
                self._resolve_description(token)
            elif sort is _Sort.PERSON_IF_SAID:
                if words[token + 1 : token + 2] in (["said"], ["says"]):
                    self._resolve_description(token)
            else:
                self._resolve_pronoun(token, sort.value)
        return self.resolved

    def _resolve_pronoun(self, token: int, pronoun: str) -> None:
        if self.tokens.lower(token) in POSSESSIVE_PRONOUNS:
            self._resolve(token, pronoun, weight=OWNER)
        else:
            self._resolve(token, pronoun, SUBJECT + SPEAKER * _speaks(self.tokens, token, token))

    def _resolve(self, token: int, pronoun: str | None, weight: float | None) -> None:
        """Find the person; with a weight the place itself counts for what follows."""
        name = self._best(pronoun, self.tokens.paragraphs[token])
        if name is not None:
            self.resolved[token] = name
            if weight is not None:
                self._add(name, pronoun or self.names.gender(name), token, weight)

    def _add(self, name: str, gender: str | None, token: int, weight: float) -> None:
        paragraph = self.tokens.paragraphs[token]
        self.recent.append(_Place(name, gender, self.sentence, paragraph, weight))

    def _add_named(self, named: Named) -> None:
        weight = SUBJECT * named.subject
        if named.possessive:  # "Morel’s answer was short" makes her a topic all the same
            begins = named.first == self.tokens.sentence_starts[named.first]
            weight += TOPIC if begins else POSSESSIVE
        weight += INTRODUCED * named.introduced
        weight += SPEAKER * _speaks(self.tokens, named.first, named.token)
        self._add(named.name, self.names.gender(named.name), named.token, weight)

    def _add_unnamed(self, noun: int) -> None:
        """Note "my mother", "an elderly man": somebody the article gives no name."""
        gender = GENDERED_NOUNS.get(self.tokens.words[noun])
        first = self._determiner(noun, UNNAMED_DETERMINERS if gender else INDEFINITE)
        if first is None:
            return
        mention = mention_starting_at(self.tokens, first, self.tokens.sentence_ends[noun])
        if mention is None or mention.name_first > noun or mention.last < noun:
            return
        if self._name_follows(mention.last + 1) or self.tokens.words[first - 1] == ",":
            return  # "his mother, Ana Morel", "Ana Morel, his mother"
        name = " ".join(self.tokens.words[first : mention.last + 1])
        holder = None
        if self.tokens.lower(first) not in INDEFINITE:  # "her nephew", whom the article names
            holder = self.names.holder([self.tokens.words[noun]], noun, self.tokens)
        if holder is not None:
            self.resolved[noun] = name = holder
        self._add(name, gender, noun, self._weight(first, noun))

    def _resolve_description(self, noun: int) -> None:
        """Read "the coach" as whoever is introduced as coach, or else as who stands out."""
        first = self._determiner(noun, DEFINITE)
        if first is None:
            self._add_unnamed(noun)
            return
        if self._name_follows(noun + 1):
            return
        title = [_head(word) for word in self.tokens.words[first + 1 : noun + 1]]
        weight = self._weight(first, noun)
        owned = any(is_possessive(word) for word in self.tokens.words[first:noun])
        name = self._unnamed_before(title[-1], self.tokens.paragraphs[noun])
        if name is None and not owned:
            name = self.names.holder(title, noun, self.tokens)
        name = name or self._without_title(title[-1], noun)
        if name is not None:
            self.resolved[noun] = name
            self._add(name, self.names.gender(name), noun, weight)
        elif weight > 0:
            name = " ".join(self.tokens.words[first : noun + 1])
            self._add(name, None, noun, weight + UNKNOWN_TITLE)

    def _without_title(self, head: str, noun: int) -> str | None:
        """Return who stands out, unless he is known to hold another title than this."""
        unnamed = self._unnamed_before(head, None)
        if unnamed is not None or head in SPEAK_FOR_OTHERS:
            return unnamed
        paragraph, pronoun = self.tokens.paragraphs[noun], GENDERED_NOUNS.get(head)
        named = self.names.is_person
        head = SAME_TITLE.get(head, head)
        name = self._best(
            pronoun, paragraph, lambda name: named(name) and head in self._titles(name, head)
        ) or self._best(pronoun, paragraph, named)
        if name is None:
            return None
        described = head in DESCRIPTIONS or AGE.match(head) or head not in ROLES
        return name if described or not self.names.titles.get(name) else None

    def _unnamed_before(self, head: str, paragraph: int | None) -> str | None:
        """Return "a diplomat" for "the diplomat", of one paragraph or of all that is near."""
        for place in reversed(self.recent):
            words = place.name.lower().split()
            near = paragraph in (None, place.paragraph)
            if near and words[0] in INDEFINITE and head in words:
                return place.name
        return None

    def _titles(self, name: str, default: str) -> set[str]:
        return self.names.titles.get(name) or {default}

    def _determiner(self, noun: int, determiners: frozenset[str]) -> int | None:
        floor = max(self.tokens.sentence_starts[noun], noun - 1 - MAX_MODIFIERS)
        capitals = 1  # "the Ohio senator"
        for index in range(noun - 1, floor - 1, -1):
            if self.tokens.lower(index) in determiners:
                return index
            title = self.tokens.lower(index) in ROLES | ROLE_MODIFIERS
            owner = is_possessive(self.tokens.words[index])  # "The Lions’ coach"
            capitals -= is_name_word(self.tokens, index) and not (title or owner)
            plain = self.tokens.words[index].islower() or self.tokens.words[index].istitle()
            if capitals < 0 or not (title or owner or plain):
                return None
        return None

    def _name_follows(self, index: int) -> bool:
        words = self.tokens.words
        while index < len(words) and (words[index] == "," or AGE.match(words[index])):
            index += 1
        return index < len(words) and is_name_word(self.tokens, index)

    def _weight(self, first: int, last: int) -> float:
        speaks = _speaks(self.tokens, first, last)
        begins = first == self.tokens.sentence_starts[first]
        return SUBJECT * (speaks or begins) + SPEAKER * speaks

    def _opens_paragraph(self, token: int) -> bool:
        return self.tokens.paragraph_starts[self.tokens.paragraphs[token]] == token

    def _best(
        self, pronoun: str | None, paragraph: int, may_be: Callable[[str], bool] | None = None
    ) -> str | None:
        """Return who stands out of those whom the pronoun can mean and `may_be` lets pass."""
        best_name, best_score = None, float("-inf")
        for place in self.recent:
            if paragraph - place.paragraph > MAX_PARAGRAPHS_BACK:
                continue
            name, score = place.name, place.weight
            if may_be and not may_be(name):
                continue
            if pronoun and place.gender not in (None, pronoun):
                namesake = self.names.namesake(name, pronoun)
                if namesake is None:
                    continue
                name, score = namesake, score + NAMESAKE
            score += GENDER_KNOWN * (place.gender is not None)
            score += PER_SENTENCE * (self.sentence - place.sentence)
            score += PER_PARAGRAPH * (paragraph - place.paragraph)
            if score >= best_score:
                best_name, best_score = name, score
        return best_name


def resolve_references(names: Names, tokens: Tokens) -> dict[int, str]:
    """Return the person for pronouns, titles and quotes at a paragraph's start, where one is found.

    Keys are tokens, of a title its noun. Reads twice: of whom no name tells the gender, the
    pronouns of the first reading do.
    """
    resolved = _Reader(names, tokens).read()
    told = Counter((name, _pronoun(tokens.words[token])) for token, name in resolved.items())
    for (name, pronoun), times in told.items():
        other = "she" if pronoun == "he" else "he"
        if names.gender(name) is None and pronoun and times > 2 * told[name, other]:
            names.told_by_pronouns[name] = pronoun
    return _Reader(names, tokens).read() if names.told_by_pronouns else resolved


def _head(word: str) -> str:
    """Return a title's word in lower case and without a possessive ending."""
    return word.lower().removesuffix("'s").removesuffix("’s")


def _pronoun(word: str) -> str | None:
    """Return "he" or "she" for a pronoun that means one person, in whatever case."""
    pronoun = pronoun_of_word(word)
    if pronoun in ("he", "she"):
        return pronoun
    return POSSESSIVE_PRONOUNS.get(lower(word))


def _speaks(tokens: Tokens, first: int, last: int) -> bool:
    """Say whether a verb of speech stands right before or behind these tokens."""
    start, end = tokens.sentence_starts[first], tokens.sentence_ends[last]
    after = last + 1
    while after < end - 1 and tokens.lower(after) in BETWEEN and after - last < 4:
        after += 1
    if after < end and cue_at(tokens, after):
        return True
    return first > start and cue_at(tokens, first - 1) and is_direct(tokens.words[first - 1])
