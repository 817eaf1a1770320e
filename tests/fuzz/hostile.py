"""Texts that cost time: one thing over and over, or two that stay in each other's way.

Each shape makes a text of about the size asked for, in characters. Time must grow in proportion to
the text (`benchmarks/quotes_speed.py` measures it up to three times what the service takes, the
unit tests to the size at which a quadratic step shows).
"""

import random
from collections.abc import Callable

Shape = Callable[[int], str]


def _repeated(*parts: str) -> Shape:
    """Fill an equal share of the text with each part; "{n}" in it becomes a running number."""
    return lambda size: "".join(_fill(part, size // len(parts)) for part in parts)


def _fill(part: str, size: int) -> str:
    if "{n}" not in part:
        return part * (size // len(part))
    pieces: list[str] = []
    length = 0
    while length < size:
        pieces.append(part.replace("{n}", str(len(pieces))))
        length += len(pieces[-1])
    return "".join(pieces)


def _random_unicode(size: int) -> str:
    rng = random.Random(20261122)
    ranges = [(0x20, 0x7F), (0xA0, 0x250), (0x2010, 0x2030), (0x400, 0x500), (0x1F300, 0x1F700)]
    picked = rng.choices(ranges, weights=[8, 2, 3, 1, 1], k=size)
    return "".join(chr(rng.randrange(first, end)) for first, end in picked)


SHAPES: dict[str, Shape] = {
    # one thing over and over
    "straight double marks": _repeated('"'),
    "curly openers": _repeated("“"),
    "curly pairs": _repeated("“”"),
    "apostrophes": _repeated("'"),
    "single marks": _repeated("‘’"),
    "plural possessives in single marks": _repeated("‘sailors’ boots "),
    "nested marks": _repeated("“‘a"),
    "feet and inches": _repeated("6'2\" "),
    "tiny quotes": _repeated('"a" '),
    "one paragraph of prose": _repeated(
        "“We will rebuild pier {n},” Ana Morel said on Monday. The mayor, who came later, doubted "
        "“every word of it” and left. "
    ),
    "prose": _repeated("“We will rebuild pier {n},” Ana Hale{n} said.\n\nShe left.\n\n"),
    "paragraphs that only open": _repeated("“one two three four {n}\n"),
    "capitalised words": _repeated("Hale Morel "),
    "given names and roles": _repeated("Ana State "),
    "one run of capitals": _repeated("A"),
    "one word": _repeated("a"),
    "random Unicode": _random_unicode,
    "newlines": _repeated("\n"),
    "lines of a character": _repeated("a\n"),
    "labelled turns": _repeated("HALE: we go up to pier {n} now\n"),
    "labelled quotes": _repeated("HALE{n}: “We go up to pier {n} now”\n"),
    "said": _repeated("said "),
    "verbs and quotes": _repeated("saying “a b c {n}” "),
    "verbs before open quotes": _repeated("tweeted tweeted tweeted “no” “no” “no” “"),
    "a verb among openers": _repeated("quips “““““““They“““lord, dame, “““““““““"),
    "names and commas": _repeated("Ana Morel, "),
    "appositions": _repeated("Ana Morel, the minister of state, "),
    "many persons": _repeated("President Ana Hale{n} said. "),
    "one title, many persons": _repeated("Minister Hale{n} left. “Pier {n} it is,” he said. "),
    "colons": _repeated("a: "),
    "pronouns": _repeated("he she "),
    "pronouns that speak": _repeated("He said “we go to pier {n}”. "),
    "groups that speak": _repeated("It said “we go to pier {n}”. They said. "),
    "brackets": _repeated("(["),
    "closing brackets": _repeated(") "),
    "dashes": _repeated("— - "),
    "full stops": _repeated("."),
    "auxiliaries": _repeated("had "),
    "entities": _repeated("&quot;a "),
    "open tags": _repeated("<a "),
    "misread marks": _repeated("â€œ"),
    # one thing before another, as many of each
    "openers before closers": _repeated("“", "”"),
    "single openers before closers": _repeated("‘", "’ "),
    "brackets before quotes": _repeated("(", "saying “a b c {n}” "),
    "connectives before quotes": _repeated("but ", "saying “a b c {n}” "),
    "colon, then quotes": lambda size: "Ana Morel says: " + _fill("no, “a b c {n}” ", size),
    "auxiliaries before quotes": _repeated("had ", "said “a b c {n}” "),
    "a long word, then quotes": lambda size: (
        f"The {'é' * (size // 2)} group, {_fill('saying “a b c {n}” ', size // 2)}"
    ),
    "white space in a phrase": lambda size: (
        f"The{' ' * (size // 2)}group, {_fill('saying “a b c {n}” ', size // 2)}"
    ),
    "symbols in a phrase": lambda size: (
        f"The {'☃' * (size // 2)} group, {_fill('saying “a b c {n}” ', size // 2)}"
    ),
    "a long name, then quotes": lambda size: (
        f"A{'a' * (size // 2)} Hale said it. {_fill('Hale said “a b c {n}”. ', size // 2)}"
    ),
    "names without end, then pronouns": lambda size: (
        f"Mr {_fill('Hale Morel ', size // 2)}left. {_fill('He said “a b c {n}”. ', size // 2)}"
    ),
}
