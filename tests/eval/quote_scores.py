"""Scores quotes and speakers against the evaluation articles.

    python -m tests.eval.quote_scores                   what was missed, then the totals, by set
    python -m tests.eval.quote_scores --set ordinary    of one set only
    python -m tests.eval.quote_scores --blind FOLDER    of a folder, nothing but the totals

The unit is the segment, so that joining an interrupted quote costs and gains nothing; whether
segments were joined as they should be is a number of its own.
"""

import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from service.quotes import Quote, extract_quotes
from tests.eval.quotes.reader import BLIND, SETS, Article, Gold, kind_of, read_articles

Extract = Callable[[str], Sequence[Quote]]

# A name is the same name with and without them; the product reports them as the role.
COURTESY = {"a", "an", "the", "mr", "mrs", "ms", "miss", "mx", "dr", "sir", "dame", "prof"}


@dataclass(frozen=True)
class Pair:
    """A wanted segment and the one found in its place; either may be missing, never both."""

    article: Article
    gold: Gold | None
    got: Quote | None
    words: str

    @property
    def exact(self) -> bool:
        return self.gold is not None and self.got is not None

    @property
    def kind(self) -> str:
        if self.gold is not None:
            return self.gold.kind
        return kind_of(self.got.text if self.got else "")

    @property
    def named(self) -> str | None:
        return self.got.speaker.name if self.got and self.got.speaker else None

    @property
    def right(self) -> bool:
        """Found exactly, and said by whom the article says."""
        if self.gold is None or self.got is None:
            return False
        return any(same_name(self.named, name) for name in self.gold.speakers)


@dataclass(frozen=True)
class Scores:
    """Every share in [0, 1].

    `speaker_strict` is the share of right names among exactly found segments whose speaker is
    known. `attributed_f1` is the measure of the product: exact words and the right speaker, or
    rightly none.
    """

    wanted: int
    found: int
    precision: float
    recall: float
    f1: float
    speaker_strict: float
    attributed_f1: float


def same_name(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return one is other
    return folded(one) == folded(other)


def folded(name: str) -> list[str]:
    words = re.findall(r"[^\W_]+", re.sub(r"['’]", "", name.casefold()))
    while len(words) > 1 and words[0] in COURTESY:
        words = words[1:]
    return words


def pair_up(article: Article, quotes: Iterable[Quote]) -> list[Pair]:
    """Pair found segments with wanted ones of the same offsets, each wanted one once.

    Optional gold is neither wanted nor held against the finder: it yields no pairs.
    """
    places = {
        place: (gold, index)
        for gold in article.quotes
        for index, spans in enumerate(gold.places)
        for place in spans
    }
    taken: set[tuple[int, int]] = set()
    pairs = []
    for quote in quotes:
        for start, end in quote.segments:
            words = article.text[start:end]
            gold, index = places.get((start, end), (None, 0))
            if gold is not None and (id(gold), index) not in taken:
                taken.add((id(gold), index))
                if not gold.optional:
                    pairs.append(Pair(article, gold, quote, words))
            else:
                pairs.append(Pair(article, None, quote, words))
    return pairs + [
        Pair(article, gold, None, words)
        for gold in article.quotes
        for index, words in enumerate(gold.words)
        if not gold.optional and (id(gold), index) not in taken
    ]


def score(pairs: Sequence[Pair]) -> Scores:
    wanted = sum(pair.gold is not None for pair in pairs)
    found = sum(pair.got is not None for pair in pairs)
    exact = [pair for pair in pairs if pair.exact]
    told = [pair for pair in exact if pair.gold and pair.gold.speakers[0] is not None]
    right = sum(pair.right for pair in exact)
    return Scores(
        wanted=wanted,
        found=found,
        precision=_share(len(exact), found),
        recall=_share(len(exact), wanted),
        f1=_share(2 * len(exact), wanted + found),
        speaker_strict=_share(sum(pair.right for pair in told), len(told)),
        attributed_f1=_share(2 * right, wanted + found),
    )


def joined(pairs: Sequence[Pair]) -> float:
    """The share of quotes of several segments that came out as one quote of just these segments."""
    several = {id(pair.gold) for pair in pairs if pair.gold and len(pair.gold.words) > 1}
    whole = {
        id(pair.gold)
        for pair in pairs
        if pair.gold and pair.got and same_quote(pair.gold, pair.got)
    }
    return _share(len(whole & several), len(several))


def same_quote(gold: Gold, got: Quote) -> bool:
    """Does it have the segments that are wanted, all of them and no others?"""
    return len(gold.places) == len(got.segments) and all(
        (start, end) in spans for (start, end), spans in zip(got.segments, gold.places, strict=True)
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def measure(articles: Iterable[Article], extract: Extract = extract_quotes) -> list[Pair]:
    return [pair for article in articles for pair in pair_up(article, extract(article.text))]


def totals(pairs: Sequence[Pair]) -> dict[str, Scores]:
    """Scores of everything, of quotes proper and of fragments."""
    by_kind = {"all": list(pairs)}
    for kind in ("quote", "fragment"):
        by_kind[kind] = [pair for pair in pairs if pair.kind == kind]
    return {kind: score(chosen) for kind, chosen in by_kind.items()}


def _miss(pair: Pair) -> str | None:
    if pair.right:
        return None
    named = pair.named or "nobody"
    expected = (pair.gold.speakers[0] if pair.gold else None) or "nobody"
    if pair.got is None:
        return f"missed       [{expected}] {pair.words!r}"
    if pair.gold is None:
        return f"not wanted   [{named}] {pair.words!r}"
    return f"speaker      [{expected}] got [{named}] {pair.words!r}"


def print_misses(articles: Sequence[Article], pairs: Sequence[Pair]) -> None:
    for article in articles:
        misses = [_miss(pair) for pair in pairs if pair.article is article and not pair.right]
        if misses:
            print(f"\n{article.name}  ({', '.join(article.traps)})")
            print(*(f"  {miss}" for miss in misses), sep="\n")


def print_totals(pairs: Sequence[Pair]) -> None:
    print(f"\n{'':10}wanted  found  precision  recall     F1  speaker  attributed F1")
    for kind, one in totals(pairs).items():
        print(
            f"{kind:10}{one.wanted:6}{one.found:7}{one.precision:11.3f}{one.recall:8.3f}"
            f"{one.f1:7.3f}{one.speaker_strict:9.3f}{one.attributed_f1:15.3f}"
        )
    print(f"joined as one quote  {joined(pairs):.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Scores quotes and speakers.")
    parser.add_argument("--set", choices=SETS, help="one set instead of all that are present")
    parser.add_argument("--blind", type=Path, metavar="FOLDER", help="only the totals of a folder")
    given = parser.parse_args()
    if given.blind:
        folders = {BLIND: given.blind}
    else:
        folders = {given.set: SETS[given.set]} if given.set else SETS
    for name, folder in folders.items():
        articles = read_articles(folder)
        if not articles:
            continue
        pairs = measure(articles)
        print(f"\n== {name}: {len(articles)} articles")
        if name != BLIND:
            print_misses(articles, pairs)
        print_totals(pairs)


if __name__ == "__main__":
    main()
