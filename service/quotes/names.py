"""Who is who in one article: full names for last names, persons for pronouns and titles.

Built once an article from the words outside the quotes; every look-up afterwards is bounded.
"""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

from service.quotes.given_names import is_given_name, pronoun_of
from service.quotes.lexicon import (
    DETERMINERS,
    FEMALE_HONORIFICS,
    HONORIFICS,
    MALE_HONORIFICS,
    NOT_NAMES,
    ORGANISATION_WORDS,
)
from service.quotes.mentions import Kind, Mention, pronoun_at
from service.quotes.tokens import WORDS_KNOWN, Tokens

# One office, whoever holds it; and what an abbreviation stands for.
SAME_TITLE = {
    "chairman": "chair", "chairwoman": "chair", "chairperson": "chair",
    "congressman": "representative", "congresswoman": "representative", "rep": "representative",
    "sen": "senator", "gov": "governor", "gen": "general", "lt": "lieutenant", "sgt": "sergeant",
    "col": "colonel", "capt": "captain", "prof": "professor", "dr": "doctor", "det": "detective",
    "supt": "superintendent", "insp": "inspector", "cllr": "councillor", "pres": "president",
}  # fmt: skip
# "the president" is not the vice president, nor the former one.
OTHER_OFFICE = frozenset(["vice", "vice-president", "former", "ex", "deputy", "first"])
# A title looks back at most so many named persons.
MAX_LOOK_BACK = 12
# Two bearers of one name: who was named in full so near is meant, else who stands in the lead.
JUST_BEFORE_TOKENS = 120
LEAD_TOKENS = 60
# Printed so often, "Mr. Hale" is the article's way to name him.
MANY_HONORIFICS = 3
NEVER: Counter[str] = Counter()


@dataclass(frozen=True, slots=True)
class Named:
    """One place where a person is named, tokens `first` to `token`, and in what position."""

    first: int
    token: int
    paragraph: int
    name: str
    subject: bool  # of a clause
    possessive: bool
    introduced: bool  # named in full for the first time


@dataclass(slots=True)
class Names:
    """The persons of one article."""

    # last name -> full names, first met first
    full: dict[str, list[str]] = field(default_factory=dict)
    # last name -> where it is printed in full: (token, as a subject, full name), ascending
    full_places: dict[str, list[tuple[int, bool, str]]] = field(default_factory=dict)
    # full name -> times printed in full
    counts: dict[str, int] = field(default_factory=dict)
    first_names: dict[str, set[str]] = field(default_factory=dict)
    # "minister" -> [({"foreign", "minister"}, "Dmytro Kuleba")]
    roles: dict[str, list[tuple[frozenset[str], str]]] = field(default_factory=dict)
    # full name -> the role words it is printed with
    titles: dict[str, set[str]] = field(default_factory=dict)
    # full names that something shows to be a person's
    persons: set[str] = field(default_factory=set)
    # last name -> how often an honorific says "he" and "she"
    honorifics: dict[str, Counter[str]] = field(default_factory=dict)
    named: list[Named] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    # full name -> "he" or "she", for whom no name or honorific tells it
    told_by_pronouns: dict[str, str] = field(default_factory=dict)
    # token of a "he", a title or a quote -> the person meant
    # who the article says it is by
    author: str | None = None
    references: dict[int, str] = field(default_factory=dict)

    def resolve(self, words: list[str], token: int) -> str:
        """Return the full name the article gives for these words, or the words themselves.

        `token` is where they stand: of two bearers of a name the one named in full last is meant.
        """
        core = [word for word in words if bare(word) not in HONORIFICS] or words
        if "of" in core[2:] and like_a_person(core[: core.index("of", 2)]):
            core = core[: core.index("of", 2)]  # "Ana Lucia Morel of North Haven"
        core = without_possessive(core)
        name = " ".join(core)
        bearers = self.full.get(core[-1].casefold(), [])
        if len(core) > 1:
            longer = [full for full in bearers if full.endswith(f" {name}")]
            if len(longer) == 1 and name not in self.persons:
                return longer[0]
            return name
        wanted = pronoun_of_honorific(bare(words[0]))
        told = {wanted} if wanted else set()
        if len(words) == 1:
            printed = self.honorifics.get(core[0].casefold(), NEVER)
            told = {pronoun for pronoun, times in printed.items() if times >= MANY_HONORIFICS}
        if told:  # "Mr. Hale" is not Mary Hale; nor is "Hale" where only "Mr. Hale" is printed
            bearers = [full for full in bearers if self.gender(full) in {*told, None}]
        if bearers:
            return self._last_named(bearers, core[0].casefold(), token)
        first_name_of = self.first_names.get(core[0].casefold(), set()) & self.persons
        return next(iter(first_name_of)) if len(first_name_of) == 1 else name

    def _last_named(self, bearers: list[str], last_name: str, token: int) -> str:
        """Choose among bearers of one last name.

        That is the one named in full just before, else the one whom the article begins with, else
        the one named in full last, each time as a subject rather than not.
        """
        if len(bearers) == 1:
            return bearers[0]
        places = self.full_places[last_name]
        end = bisect_left(places, (token + 1,))
        before = [
            place for place in places[max(0, end - MAX_LOOK_BACK) : end] if place[2] in bearers
        ]
        subjects = [place for place in before if place[1]]
        if subjects and token - subjects[-1][0] <= JUST_BEFORE_TOKENS:
            return subjects[-1][2]
        first = places[0]
        if first[0] < LEAD_TOKENS and first[1] and first[2] in bearers:
            return first[2]
        if before:
            return (subjects or before)[-1][2]
        return max(bearers, key=lambda full: self.counts[full])

    def namesake(self, name: str, pronoun: str) -> str | None:
        """Return another bearer of the last name whom the pronoun can mean."""
        for other in self.full.get(name.split()[-1].casefold(), ()):
            if other != name and self.gender(other) == pronoun:
                return other
        return None

    def named_between(self, first: int, end: int) -> list[Named]:
        """Return the first few places of persons from token `first` up to `end`, exclusive."""
        start = bisect_left(self.positions, first)
        return self.named[start : min(bisect_left(self.positions, end), start + MAX_LOOK_BACK)]

    def is_person(self, name: str) -> bool:
        """Say whether the name is a full name of this article's, or known by an honorific."""
        return name in self.persons or name.split()[-1].casefold() in self.honorifics

    def gender(self, name: str) -> str | None:
        """Return "he" or "she" where the article or the given name tells, else None."""
        words = name.split()
        given = pronoun_of(words[0]) if len(words) > 1 else None
        told = self.honorifics.get(words[-1].casefold(), NEVER)
        honorific = next(iter(told)) if len(told) == 1 else None
        return given or honorific or self.told_by_pronouns.get(name)

    def holder(self, title: list[str], token: int, tokens: Tokens) -> str | None:
        """Return who was introduced with this title ("the minister"), None if several were."""
        wanted = {SAME_TITLE.get(word.lower(), word.lower()) for word in title}
        head = SAME_TITLE.get(title[-1].lower(), title[-1].lower())
        holders = {
            self.resolve([name], token) if " " not in name else name
            for role, name in self.roles.get(head, [])
            if (wanted <= role or role <= wanted) and not (role ^ wanted) & OTHER_OFFICE
        }
        holders = {name for name in holders if " " in name or self.is_person(name)}
        if len(holders) == 1:
            return next(iter(holders))
        position = bisect_left(self.positions, token)
        for named in reversed(self.named[max(0, position - MAX_LOOK_BACK) : position]):
            if tokens.paragraphs[token] - named.paragraph <= 1 and named.subject:
                return named.name if named.name in holders else None
        return None


def mention_words(tokens: Tokens, mention: Mention) -> list[str]:
    """Return the words of the mention's name, without its role."""
    return tokens.name_words(mention.name_first, mention.last)


def resolve_mention(names: Names, tokens: Tokens, mention: Mention) -> str | None:
    """Return the name the mention stands for; None for a pronoun that stands for nobody known."""
    words = mention_words(tokens, mention)
    if mention.kind is Kind.PRONOUN:
        if pronoun_at(tokens, mention.first) in ("i", "we"):
            return names.author if words[0] == "I" else None
        return names.references.get(mention.first)
    if mention.kind is Kind.NAME:
        return names.resolve(words, mention.last)
    words = [word.lower() for word in words]
    end = words.index("of") if "of" in words else len(words)
    return names.references.get(mention.first + end - 1) if words[0] in DETERMINERS else None


def like_a_person(words: list[str]) -> bool:
    """Say whether none of the words belongs to an organisation or place."""
    if bare(words[0]) in NOT_NAMES:
        return False
    named = len(words) > 1 and is_given_name(words[0])  # "Bill Hale", though a bill is a law
    return not any(bare(word) in ORGANISATION_WORDS or word[0].isdigit() for word in words[named:])


def pronoun_of_honorific(honorific: str) -> str | None:
    """Return "she" or "he" for "mrs", "sir" and the like."""
    if honorific in FEMALE_HONORIFICS:
        return "she"
    return "he" if honorific in MALE_HONORIFICS else None


@lru_cache(WORDS_KNOWN)
def bare(word: str) -> str:
    """Return the word in lower case, without an abbreviation's dot."""
    return word.casefold().rstrip(".")


def without_possessive(words: list[str]) -> list[str]:
    """Return the words, the last one without its possessive ending."""
    last = words[-1]
    if last.endswith(("'s", "’s")):
        last = last[:-2]
    return [*words[:-1], last.rstrip("'’")]
