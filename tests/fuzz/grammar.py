"""Made-up articles: sentences with marks of all kinds, their speakers, furniture and damage.

One grammar for both who draw from it: Hypothesis, which shrinks what fails, and the fuzzer, which
looks for new ways through the code. It makes what is nearly right, because random characters
hardly ever reach the rules behind the first one.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from service.quotes import clauses, coreference, cues, lexicon, noun_cues

# Draws a whole number from 0 up to its argument, exclusive; 0 is the plainest choice.
Choice = TypeVar("Choice")
Pick = Callable[[int], int]

# What a mark is opened and closed with: as it should be, left out, mixed up, misread, as an entity.
MARKS = [
    ("“", "”"), ('"', '"'), ("‘", "’"), ("'", "'"), ("''", "''"), ("«", "»"), ("„", "“"),
    ("“", ""), ("", "”"), ("“", "“"), ("”", "”"), ("“", '"'), ("‘", "'"), ("‘", ""), ("'", ""),
    ("``", "''"), ("“‘", "’”"), ("‘“", "”’"), ("“ ", " ”"), ("“", ".”."), ("(“", "”)"),
    ("&quot;", "&quot;"), ("&#8220;", "&#x201D;"), ("&ldquo;", "&rdquo;"), ("&amp;quot;", "&quot;"),
    ("â€œ", "â€\u009d"), ("â€œ", "â€"), ("â€˜", "â€™"), ("Ã¢â‚¬Å“", "Ã¢â‚¬\u009d"),
    ("“<b>", "</b>”"), ("<q>“", "”</q>"),
]  # fmt: skip
PEOPLE = [
    "Ana Morel", "Tom Hale", "Mr. Hale", "Mrs Morel", "Morel", "he", "she", "He", "They", "it",
    "the minister", "The prime minister", "President Ana Morel", "Nordia", "a spokesman for Hale",
    "Nordia’s Foreign Minister Tom Hale", "Ana Morel, the mayor of Port Ann,", "officials",
    "Sen. Tom Hale (R-Port Ann)", "the Harbour Board", "Hale and Morel", "who", "Tom Hale Jr.",
    "MOREL", "HALE", "Dr. O’Neil-Hale", "van der Hale", "Ana", "her mother", "another critic",
    "Ana\u00a0Morel", "Ana\nMorel", "Éloïse Çelik", "Москва", "Ana Morel of the Harbour Times",
]  # fmt: skip
CUES = [
    "said", "says", "told reporters", "added", "wrote", "asked", "adding", "saying", "claimed that",
    "has repeatedly called it", "did not say", "warned on Monday", "tweeted", "went on to say",
    "praised", "denied", "quips", "according to", "was", "’s claim that", "in a statement",
    "lashed out at", "Says", "said, laughing,", "and said", "reportedly believes",
]  # fmt: skip
WORDS = [
    "we", "go up now", "the boats came in", "never", "it", "don’t", "'90s", "sailors’", "will", ",",
    "Ana Morel said", "no", "U.S.", "6'2\"", "—", "…", "...", "?", "!", "(", ")", "[sic]", ":", ";",
    "‘again’", "“no”", "I", "Word", "\n", "\n\n", "\u2028", "\u00a0", "rock 'n' roll", "100%",
    "@hale", "😀", "𝒷", "e\u0301", "\u200b", "\ud800", "\x00", "中文", "&amp;", "â€”", "<br>",
    "http://a.example/b",
]  # fmt: skip
ENDS = [",", ".", "", "?", "!", " ,", "…", " —", ";", ":"]
FURNITURE = [
    "READ MORE: Hale 'never' paid", "Advertisement", "Related: “The Long Show”", "Source link",
    "Copyright © 2022 Port Ann Times. All rights reserved.", "CopyrightÂ©",
    "Sign up for our letter", "PORT ANN (Reuters) -", "MOREL:", "HALE: “", "Photo: Ana Morel", "•",
    "By Tom Hale", "| Menu |", "<p>", "Follow @hale on Twitter",
    "‘Never again’: Hale on the pier", "Morel: ‘No’", "***",
]  # fmt: skip
# Every word that a rule asks for by a list, in plain letters, with a capital, in capitals.
LISTS = [
    sorted(words)
    for module in (lexicon, cues, clauses, coreference, noun_cues)
    for words in vars(module).values()
    if isinstance(words, frozenset) and all(isinstance(word, str) for word in words)
]
CASES: list[Callable[[str], str]] = [str, str.capitalize, str.upper, "{}, ".format, "{}’s".format]
BREAKS = ["\n\n", "\n", " ", "\r\n", "", "\u2028", "\n \n", "\x0b", "\x85", "<br/>", "</p><p>"]
# Where its person (0), verb (1), quote (2) and a second quote (3) stand in a sentence.
ORDERS = [
    "{2} {1} {0}.", "{2} {0} {1}.", "{0} {1}: {2}", "{0} {1} {2}.", "{0}: {2}", "{2}", "{0} {1}.",
    "{2} {0} {1}. {3}", "{2} {1} {0}, {3}", "{0} {1} {2} and {3}.", "{2} — {0}",
    "{2}, {1} {0}, {3}.", "According to {0}, {2}.", "{2}, according to {0}.",
    "{0}, who {1} {2}, {1}: {3}", "{2}{3}",
    "In {2} {0} {1} that {3}", "But {0} was {2}, {1} {0}", "{0}’s {2} {1}.", "{2} ― {0}, {3}",
    "({0} {1} {2})", "{0} {1} {0} {1} {2}", "{2} {2}", "Asked about {2}, {0} {1} {3}",
]  # fmt: skip


def article(pick: Pick) -> str:
    """Return a text of up to eight sentences and lines of furniture."""
    return "".join(_line(pick) + _one(pick, BREAKS) for _ in range(pick(9)))


def soup(pick: Pick) -> str:
    """Return words, marks and names in no order, some of them many times over."""
    pieces = [*WORDS, *PEOPLE, *CUES, *ENDS, *BREAKS, *FURNITURE, *(mark for mark, _ in MARKS)]
    text = ""
    for _ in range(pick(25)):
        piece = _one(pick, pieces) if pick(3) else _listed(pick)
        text += (piece + _one(pick, ["", " "])) * (1, 1, 1, 3, 40)[pick(5)]
    return text


def _line(pick: Pick) -> str:
    if pick(6) == 5:
        return _one(pick, FURNITURE)
    order = _one(pick, ORDERS)
    return order.format(_person(pick), _one(pick, CUES), _marked(pick), _marked(pick))


def _person(pick: Pick) -> str:
    if pick(4) < 3:
        return _one(pick, PEOPLE)
    return " ".join(_listed(pick) for _ in range(1 + pick(4)))


def _listed(pick: Pick) -> str:
    return _one(pick, CASES)(_one(pick, _one(pick, LISTS)))


def _marked(pick: Pick) -> str:
    opener, closer = _one(pick, MARKS)
    words = " ".join(_one(pick, WORDS) for _ in range(pick(7)))
    return f"{opener}{words}{_one(pick, ENDS)}{closer}"


def _one(pick: Pick, choices: Sequence[Choice]) -> Choice:
    return choices[pick(len(choices))]
