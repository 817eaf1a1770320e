"""Small changes that must not change a stance: names, case, quotation marks, attribution.

Training sees quotes with such changes at random; the behavioural tests make the same changes and
look at what happens to the scores.
"""

import random
import re
import tomllib
from functools import cache
from pathlib import Path

_NAMES = Path(__file__).parent / "names.toml"
_ATTRIBUTIONS = (
    ", the minister said.",
    ", she told reporters.",
    ", he added.",
    ", a spokeswoman said on Tuesday.",
    ", according to the statement.",
    ", they said in a letter.",
    ", the coach told the club's website.",
    ", said one resident.",
    ", the company said in an email.",
    ", he wrote.",
)


def vary(text: str, rng: random.Random) -> str:
    """`text` with none, one or several changes; about a third of the texts stay as they are."""
    if rng.random() < 0.4:
        text = swap_names(text, rng)
    if rng.random() < 0.3:
        text = curly(text) if "'" in text or '"' in text else straight(text)
    if rng.random() < 0.3:
        text = end_otherwise(text, rng)
    draw = rng.random()
    if draw < 0.06:
        return f"“{text}”" if rng.random() < 0.5 else f'"{text}"'
    if draw < 0.12:
        return text.lower()
    if draw < 0.19:
        return attribute(text, rng)
    return text


def end_otherwise(text: str, rng: random.Random) -> str:
    """`text` without its full stop, with a comma for it, or with one that it lacked."""
    if text.endswith("."):
        return text.rstrip(".") + ("," if rng.random() < 0.3 else "")
    return text + "." if text[-1:].isalnum() else text


def attribute(text: str, rng: random.Random) -> str:
    """`text` followed by who said it, as a sloppy splitter would leave it."""
    return text.rstrip(".,") + rng.choice(_ATTRIBUTIONS)


def curly(text: str) -> str:
    """`text` with typographic apostrophes."""
    return text.replace("'", "’")


def straight(text: str) -> str:
    """`text` with typewriter apostrophes and marks."""
    return text.translate({ord("’"): "'", ord("‘"): "'", ord("“"): '"', ord("”"): '"'})


def swap_names(text: str, rng: random.Random) -> str:
    """`text` with every country, its people, its capital and every known surname exchanged.

    The same name gets the same replacement throughout the text.
    """
    places, surnames = _names()
    chosen: dict[int, int] = {}
    given: dict[str, str] = {}

    def replace(match: re.Match[str]) -> str:
        name = match.group()
        if name in _surname_set():
            return given.setdefault(name, rng.choice(surnames))
        row, column = _place_index()[name]
        return places[chosen.setdefault(row, rng.randrange(len(places)))][column]

    return _pattern().sub(replace, text)


@cache
def _names() -> tuple[list[list[str]], list[str]]:
    """Rows of country, adjective, capital; and surnames."""
    content = tomllib.loads(_NAMES.read_text(encoding="utf-8"))
    return content["places"], content["surnames"]


@cache
def _place_index() -> dict[str, tuple[int, int]]:
    places, _ = _names()
    return {name: (r, c) for r, row in enumerate(places) for c, name in enumerate(row)}


@cache
def _surname_set() -> frozenset[str]:
    return frozenset(_names()[1])


@cache
def _pattern() -> re.Pattern[str]:
    names = sorted([*_place_index(), *_surname_set()], key=len, reverse=True)
    return re.compile(r"\b(?:" + "|".join(map(re.escape, names)) + r")\b")
