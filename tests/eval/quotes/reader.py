"""Reads the evaluation articles.

Gold is written inside the text, so that the two cannot drift apart; the README beside this file has
the format.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE / "articles"
# Folders by the name of their set; of the blind set nobody looks at the misses.
SETS = {"traps": FOLDER, "ordinary": HERE / "ordinary", "blind": HERE / "blind"}
BLIND = "blind"

SEGMENT = re.compile(r"\{(?P<who>\w+|-)(?P<flags>[?+=]?)\|(?P<words>[^{}]+)\}")
ESCAPE = re.compile(r"\\u([0-9a-f]{4})")
HEADER_END = "\n---\n"

Span = tuple[int, int]


@dataclass(frozen=True)
class Gold:
    """One quote as a careful reader marks it.

    `places` has one entry a segment, and each entry one span a printing of the same words: a
    caption that repeats a quote adds a place to its segment, not a quote. `speakers` are the names
    that count as right, the best first; None among them means that naming nobody is right.
    """

    places: list[list[Span]]
    words: list[str]
    speakers: tuple[str | None, ...]
    optional: bool

    @property
    def kind(self) -> str:
        return kind_of(" ".join(self.words))


@dataclass
class Article:
    """An article, its traps (an ordinary one's kind of page) and its gold in reading order."""

    name: str
    traps: tuple[str, ...]
    about: str
    text: str
    quotes: list[Gold] = field(default_factory=list)


def kind_of(words: str) -> str:
    """Four words make a quote; fewer are a fragment."""
    return "quote" if len(re.findall(r"\S*\w\S*", words)) >= 4 else "fragment"


def read_articles(folder: Path = FOLDER) -> list[Article]:
    return [
        parse(path.stem, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.txt"))
    ]


def parse(name: str, source: str) -> Article:
    header, _, body = source.partition(HEADER_END)
    fields = dict(line.split(": ", 1) for line in header.split("\n") if ": " in line)
    people = dict(line.split(" = ", 1) for line in header.split("\n") if " = " in line)
    traps = fields.get("traps") or fields["page"]
    article = Article(name, tuple(traps.split(", ")), fields["about"], "")
    speakers: dict[str, tuple[str | None, ...]] = {
        key: tuple(None if one == "null" else one for one in names.split(" | "))
        for key, names in people.items()
    }
    speakers["-"] = (None,)
    # Escapes stand for characters that editors hide or drop.
    marked = ESCAPE.sub(lambda match: chr(int(match[1], 16)), body.strip("\n"))
    last: dict[str, Gold] = {}
    end = 0
    for match in SEGMENT.finditer(marked):
        article.text += marked[end : match.start()]
        start = len(article.text)
        article.text += match["words"]
        end = match.end()
        _place(article, last, speakers, match, (start, len(article.text)))
    article.text += marked[end:]
    if set("{}") & set(article.text):
        raise ValueError(f"{name}: markup that cannot be read")
    return article


def _place(
    article: Article,
    last: dict[str, Gold],
    speakers: dict[str, tuple[str | None, ...]],
    match: re.Match[str],
    span: Span,
) -> None:
    who, flag, words = match["who"], match["flags"], match["words"]
    if flag == "+":
        last[who].places.append([span])
        last[who].words.append(words)
    elif flag == "=":
        _printed_before(article, words).append(span)
    else:
        last[who] = Gold([[span]], [words], speakers[who], optional=flag == "?")
        article.quotes.append(last[who])


def _printed_before(article: Article, words: str) -> list[Span]:
    for quote in article.quotes:
        for places, printed in zip(quote.places, quote.words, strict=True):
            if _bare(printed) == _bare(words):
                return places
    raise ValueError(f"{article.name}: nothing printed before like {words!r}")


def _bare(words: str) -> str:
    return " ".join(re.findall(r"\w+", words.casefold()))
