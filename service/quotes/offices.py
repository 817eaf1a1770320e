"""Which title or occupation an article gives whom: "Senator Hale", "Ana Morel, the coach"."""

from service.quotes.lexicon import GENDERED_NOUNS, ROLES
from service.quotes.mentions import is_name_word
from service.quotes.names import MAX_LOOK_BACK, SAME_TITLE, Names, bare
from service.quotes.tokens import Tokens

MAX_APPOSITION_WORDS = 9
# "Ana Morel, who coaches the side" is the coach.
AGENTS = {
    "coaches": "coach", "edits": "editor", "leads": "leader", "led": "leader", "chairs": "chair",
    "owns": "owner", "runs": "boss", "heads": "head", "manages": "manager", "teaches": "teacher",
    "drives": "driver", "directs": "director", "directed": "director", "founded": "founder",
    "flies": "pilot", "farms": "farmer", "captains": "captain", "represents": "lawyer",
    "defended": "lawyer", "studies": "researcher", "hosts": "host", "presents": "presenter",
}  # fmt: skip


def learn_title(names: Names, tokens: Tokens, name_first: int, full: str) -> None:
    """Remember the title printed before a full name under its role word."""
    first = name_first
    while first > tokens.sentence_starts[name_first] and name_first - first < 5:
        lower = tokens.lower(first - 1)
        if not (is_name_word(tokens, first - 1) or lower in ROLES):
            break
        first -= 1
    words = tokens.words[first:name_first]
    if words and bare(words[-1]) in ROLES:
        _add_role(names, [word.lower() for word in words], full)


def learn_apposition(names: Names, tokens: Tokens, first: int, last: int, full: str) -> None:
    """Remember "Ana Morel, the mayor", "Ana Morel, who coaches", "Her coach, Ana Morel"."""
    end = min(tokens.sentence_ends[last], last + 2 + MAX_APPOSITION_WORDS)
    words: list[str] = []
    if last + 3 < end and tokens.words[last + 1] == ",":
        relative = tokens.lower(last + 2) == "who"
        agent = AGENTS.get(tokens.words[last + 3], "")
        words = [agent] if relative else _words_to_role(tokens, last + 2, end)
    before = first - 2
    if not words and before >= tokens.sentence_starts[first] and tokens.words[first - 1] == ",":
        words = [tokens.words[before]]  # "Her coach, Ana Morel"
    if words and (words[-1] in ROLES or words[-1] in GENDERED_NOUNS):
        _add_role(names, words, full)


def _words_to_role(tokens: Tokens, first: int, end: int) -> list[str]:
    words: list[str] = []
    for index in range(first, end):
        word = tokens.lower(index)
        if word in ROLES or word in GENDERED_NOUNS:
            return [*words, word]
        ends = not tokens.words[index][0].isalnum() or word in ("of", "and", "who", "said")
        if ends and not (words and words[-1].isdigit()):  # "Ana Morel, 52, the mayor"
            return []
        words.append(word)
    return []


def _add_role(names: Names, words: list[str], full: str) -> None:
    words = [SAME_TITLE.get(bare(word), word) for word in words]
    names.titles.setdefault(full, set()).add(words[-1])
    holders = names.roles.setdefault(words[-1], [])
    holder = (frozenset(words), full)
    if len(holders) < MAX_LOOK_BACK and holder not in holders:
        holders.append(holder)
    names.persons.add(full)
