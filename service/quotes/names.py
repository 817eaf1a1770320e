"""Who is who in one article: full names for last names, persons for pronouns and titles.

Built once an article from the words outside the quotes; every look-up afterwards is bounded.
"""

from bisect import bisect_left
from dataclasses import dataclass, field

from service.quotes.lexicon import (
    FEMALE_HONORIFICS,
    FEMALE_NAMES,
    HONORIFICS,
    MALE_HONORIFICS,
    MALE_NAMES,
    NOT_NAMES,
    ORGANISATION_WORDS,
)
from service.quotes.mentions import Kind, Mention
from service.quotes.tokens import Tokens

# "the president" is not the vice president, nor the former one.
OTHER_OFFICE = frozenset(["vice", "vice-president", "former", "ex", "deputy", "first"])
# A pronoun looks back at most so many named persons and paragraphs.
MAX_LOOK_BACK = 12
MAX_PARAGRAPHS_BACK = 3


@dataclass(frozen=True, slots=True)
class Named:
    """One place where a person is named: its last token, and whether as a clause's subject."""

    token: int
    paragraph: int
    name: str
    subject: bool


@dataclass(slots=True)
class Names:
    """The persons of one article."""

    # last name -> full names, first met first
    full: dict[str, list[str]] = field(default_factory=dict)
    # full name -> times printed in full
    counts: dict[str, int] = field(default_factory=dict)
    first_names: dict[str, set[str]] = field(default_factory=dict)
    # "minister" -> [({"foreign", "minister"}, "Dmytro Kuleba")]
    roles: dict[str, list[tuple[frozenset[str], str]]] = field(default_factory=dict)
    # full names that something shows to be a person's
    persons: set[str] = field(default_factory=set)
    # last name -> "he" or "she", from honorifics
    genders: dict[str, str] = field(default_factory=dict)
    named: list[Named] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)

    def resolve(self, words: list[str]) -> str:
        """Return the full name the article gives for these words, or the words themselves."""
        core = [word for word in words if bare(word) not in HONORIFICS] or words
        if "of" in core[2:] and like_a_person(core[: core.index("of")]):
            core = core[: core.index("of")]  # "Ana Lucia Morel of North Haven"
        name = " ".join(without_possessive(core))
        if len(core) > 1:
            return name
        candidates = self.full.get(core[0].casefold(), [])
        honorific = bare(words[0])
        if len(candidates) > 1 and honorific in FEMALE_HONORIFICS | MALE_HONORIFICS:
            wanted = "she" if honorific in FEMALE_HONORIFICS else "he"
            candidates = [c for c in candidates if self.gender(c) in (wanted, None)] or candidates
        if candidates:
            return max(candidates, key=lambda full: self.counts[full])
        first_name_of = self.first_names.get(core[0].casefold(), set()) & self.persons
        return next(iter(first_name_of)) if len(first_name_of) == 1 else name

    def is_person(self, name: str) -> bool:
        """Say whether the name is a full name of this article's, or known by an honorific."""
        return name in self.persons or name.split()[-1].casefold() in self.genders

    def gender(self, name: str) -> str | None:
        """Return "he" or "she" where the article or the given name tells, else None."""
        words = name.split()
        told = self.genders.get(words[-1].casefold())
        first = bare(words[0])
        if len(words) > 1 and first in FEMALE_NAMES:
            return "she"
        if len(words) > 1 and first in MALE_NAMES:
            return "he"
        return told

    def last_person(self, pronoun: str, token: int, tokens: Tokens) -> str | None:
        """Return the person last named as a subject before `token` whom the pronoun can mean."""
        paragraph = tokens.paragraphs[token]
        position = bisect_left(self.positions, token)
        fallback = None
        for named in reversed(self.named[max(0, position - MAX_LOOK_BACK) : position]):
            if paragraph - named.paragraph > MAX_PARAGRAPHS_BACK:
                break
            if self.gender(named.name) not in (None, pronoun):
                continue
            if named.subject:
                return named.name
            fallback = fallback or named.name
        return fallback

    def holder(self, title: list[str], token: int, tokens: Tokens) -> str | None:
        """Return who was introduced with this title ("the minister"), None if several were."""
        wanted = {word.lower() for word in title}
        holders = {
            self.resolve([name]) if " " not in name else name
            for role, name in self.roles.get(title[-1].lower(), [])
            if wanted <= role and not (role - wanted) & OTHER_OFFICE
        }
        if len(holders) == 1:
            return next(iter(holders))
        position = bisect_left(self.positions, token)
        for named in reversed(self.named[max(0, position - MAX_LOOK_BACK) : position]):
            if tokens.paragraphs[token] - named.paragraph <= 1 and named.subject:
                return named.name if named.name in holders else None
        return None


def mention_words(tokens: Tokens, mention: Mention) -> list[str]:
    """Return the words of the mention's name, without its role."""
    return tokens.words[mention.name_first : mention.last + 1]


def resolve_mention(names: Names, tokens: Tokens, mention: Mention) -> str | None:
    """Return the name the mention stands for; None for a pronoun that stands for nobody known."""
    words = mention_words(tokens, mention)
    if mention.kind is Kind.PRONOUN:
        pronoun = words[0].lower()
        if pronoun in ("he", "she"):
            return names.last_person(pronoun, mention.first, tokens)
        return None
    if mention.kind is Kind.NAME:
        return names.resolve(words)
    if words[0].lower() == "the" and len(words) > 1:
        holder = names.holder(words[1:], mention.first, tokens)
        if holder is not None:
            return holder
    return None


def like_a_person(words: list[str]) -> bool:
    """Say whether none of the words belongs to an organisation or place."""
    return (
        not any(bare(word) in ORGANISATION_WORDS or word[0].isdigit() for word in words)
        and bare(words[0]) not in NOT_NAMES
    )


def bare(word: str) -> str:
    """Return the word in lower case, without an abbreviation's dot."""
    return word.casefold().rstrip(".")


def without_possessive(words: list[str]) -> list[str]:
    """Return the words, the last one without its possessive ending."""
    last = words[-1]
    if last.endswith(("'s", "’s")):
        last = last[:-2]
    return [*words[:-1], last.rstrip("'’")]
