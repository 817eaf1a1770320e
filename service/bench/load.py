"""Made-up articles like the sample articles: their lengths, their quotes, other words.

An article is a sample article whose quoted words are drawn anew from the words of all of them, as
many as there were: splitting and scoring cost what they cost, and no quote was seen before.
"""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from seeds import sample_articles
from service.quotes import extract_quotes

WORD = re.compile(r"[^\W\d_]+")
# Words of the five quotes of a probe: the quotes of a sample article, without its longest.
PROBE_QUOTES = (32, 5, 9, 14, 27)
PROBE_SPEAKERS = ("Anna Berg", "Omar Haddad", "Lucía Ferrer", "Piotr Nowak", "Grace Okafor")


@dataclass(frozen=True, slots=True)
class LoadArticle:
    """An article and what must come out of it."""

    id: str
    value: bytes
    quotes: tuple[str, ...]

    @property
    def key(self) -> bytes:
        """The Kafka key."""
        return self.id.encode()


@dataclass(frozen=True, slots=True)
class _Template:
    """A sample article's fields, and where its text says what somebody said."""

    fields: dict[str, str]
    segments: tuple[tuple[int, int], ...]


def make_articles(count: int, *, seed: int, prefix: str = "") -> Iterator[LoadArticle]:
    """`count` articles, each sample article as often as any other; the same for the same seed."""
    templates, words = _templates()
    for number in range(count):
        rng = random.Random(f"{seed}:{number}")
        template = templates[number % len(templates)]
        article_id = f"{prefix}{number}"
        text = _with_other_words(template, rng, words)
        yield _article(template.fields | {"id": article_id, "title": "", "text": text})


def make_probes(count: int, *, seed: int, prefix: str = "probe") -> Iterator[LoadArticle]:
    """`count` articles of five quotes each."""
    _, words = _templates()
    for number in range(count):
        rng = random.Random(f"{seed}:probe:{number}")
        paragraphs = []
        for size, speaker in zip(PROBE_QUOTES, PROBE_SPEAKERS, strict=True):
            said = " ".join(rng.choice(words) for _ in range(size))
            around = " ".join(rng.choice(words) for _ in range(size))
            paragraphs.append(f"“We {said},” {speaker} said on Monday. The {around}.")
        text = "\n\n".join(paragraphs)
        yield _article({"id": f"{prefix}{number}", "source": "Example Wire", "text": text})


def make_long_article(chars: int, *, seed: int, article_id: str) -> LoadArticle:
    """One article of about so many characters: made-up articles one after the other, cut."""
    parts: list[str] = []
    size = 0
    for one in make_articles(chars // 1000 + 5, seed=seed, prefix=article_id):
        paragraphs = json.loads(one.value)["text"].split("\n\n")
        for paragraph in paragraphs:
            # A paragraph that is there twice would be left out by the splitter.
            part = f"{paragraph} That was entry {len(parts)}."
            if parts and size + len(part) > chars:
                return _article({"id": article_id, "text": "\n\n".join(parts)})
            parts.append(part)
            size += len(part) + 2
    return _article({"id": article_id, "text": "\n\n".join(parts)})


def _article(fields: dict[str, str]) -> LoadArticle:
    quotes = tuple(quote.text for quote in extract_quotes(fields["text"]))
    return LoadArticle(fields["id"], json.dumps(fields, ensure_ascii=False).encode(), quotes)


def _with_other_words(template: _Template, rng: random.Random, words: list[str]) -> str:
    text = template.fields["text"]

    def other(found: re.Match[str]) -> str:
        word = rng.choice(words)
        return word.capitalize() if found.group()[0].isupper() else word

    parts = []
    position = 0
    for start, end in template.segments:
        parts += [text[position:start], WORD.sub(other, text[start:end])]
        position = end
    return "".join([*parts, text[position:]])


@cache
def _templates() -> tuple[list[_Template], list[str]]:
    """The sample articles, and all their words that are written small, each as often as it is."""
    lines = sample_articles().read_text(encoding="utf-8").splitlines()
    articles = [json.loads(line) for line in lines]
    templates = [
        _Template(
            {key: value for key, value in fields.items() if isinstance(value, str)},
            tuple(sorted(s for q in extract_quotes(fields["text"]) for s in q.segments)),
        )
        for fields in articles
    ]
    words = [word for fields in articles for word in WORD.findall(fields["text"])]
    return templates, [word for word in words if word.islower()]
