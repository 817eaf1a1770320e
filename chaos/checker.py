"""What had to come out against what did. Pure: knows no broker."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from chaos.articles import NumberedArticle
from chaos.observer import Audit, Seen

KINDS = (
    "missing",
    "unfinished",
    "unknown",
    "out_of_order",
    "two_meanings",
    "committed_too_far",
)
Place = tuple[int, int]  # partition and offset in the input topic


@dataclass
class Verdict:
    """Findings; each list holds examples for people, all but `duplicates` must be empty.

    Args:
        articles: how many were received by the broker.
        quotes: how many different quotes had to come out.
        missing: quotes and dead letters that did not come out of articles that are committed:
            nobody will read these again.
        unfinished: those of articles that are not committed, long after the last fault.
        unknown: what came out of no article.
        out_of_order: articles whose quotes came out in another order than they stand in.
        two_meanings: ids that were given to two quotes.
        committed_too_far: articles that were committed before all of them was delivered.
        duplicates: quotes and dead letters that came out again, by the moment they were seen.
    """

    articles: int = 0
    quotes: int = 0
    missing: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    two_meanings: list[str] = field(default_factory=list)
    committed_too_far: list[str] = field(default_factory=list)
    duplicates: list[float] = field(default_factory=list)

    @property
    def failures(self) -> dict[str, int]:
        """How many findings of each kind that must not be."""
        return {kind: len(getattr(self, kind)) for kind in KINDS}

    @property
    def holds(self) -> bool:
        """The promise was kept."""
        return not any(self.failures.values())


def check(
    articles: Mapping[str, NumberedArticle],
    received: Mapping[Place, str],
    seen: Sequence[Seen],
    audits: Sequence[Audit],
) -> Verdict:
    """Compare.

    Args:
        articles: what was published, by id.
        received: what the broker has, place to id; an article may be there twice when its
            publisher had to try again.
        seen: all that is on the output topics, each partition in its order.
        audits: what was committed at which moment.
    """
    verdict = Verdict(articles=len(set(received.values())))
    expected = {key: _expected(articles[key]) for key in set(received.values())}
    verdict.quotes = sum(len(articles[key].quotes) for key in expected)
    _check_completeness(verdict, expected, seen, _uncommitted(received, audits))
    _check_ids(verdict, seen)
    _check_order(verdict, articles, seen)
    _check_commits(verdict, expected, received, seen, audits)
    verdict.duplicates = _repetitions(received, seen)
    return verdict


def _expected(article: NumberedArticle) -> set[tuple[str, str]]:
    """(text, reason) of all that must come out."""
    if article.reason:
        return {("", article.reason.value)}
    return {(quote, "") for quote in article.quotes}


def _uncommitted(received: Mapping[Place, str], audits: Sequence[Audit]) -> set[str]:
    """Articles above the position that was committed last."""
    committed = audits[-1].committed if audits else {}
    return {
        article
        for (partition, offset), article in received.items()
        if offset >= committed.get(partition, 0)
    }


def _check_completeness(
    verdict: Verdict,
    expected: Mapping[str, set[tuple[str, str]]],
    seen: Iterable[Seen],
    uncommitted: set[str],
) -> None:
    found: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for one in seen:
        found[one.article].add((one.text, one.reason))
    for article in expected.keys() | found.keys():
        wanted = expected.get(article, set())
        absent = [f"{article}: {what}" for what in sorted(wanted - found[article])]
        (verdict.unfinished if article in uncommitted else verdict.missing).extend(absent)
        verdict.unknown += [f"{article}: {what}" for what in sorted(found[article] - wanted)]


def _check_ids(verdict: Verdict, seen: Iterable[Seen]) -> None:
    meanings: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for one in seen:
        if one.id:
            meanings[one.id].add((one.article, one.text))
    verdict.two_meanings = [key for key, places in meanings.items() if len(places) > 1]


def _check_order(
    verdict: Verdict, articles: Mapping[str, NumberedArticle], seen: Iterable[Seen]
) -> None:
    """Whoever drops what he has seen must read each article's quotes as they stand in it."""
    first_seen: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for one in seen:
        if one.id:
            first_seen[one.article].setdefault(one.text)
    for article, texts in first_seen.items():
        order = [quote for quote in articles[article].quotes if quote in texts]
        if order != [text for text in texts if text in order]:
            verdict.out_of_order.append(f"{article}: {list(texts)}")


def _check_commits(
    verdict: Verdict,
    expected: Mapping[str, set[tuple[str, str]]],
    received: Mapping[Place, str],
    seen: Iterable[Seen],
    audits: Iterable[Audit],
) -> None:
    """Below a committed position everything must have been on the output topics already."""
    first: dict[tuple[str, str, str], tuple[str, int, int]] = {}
    for one in seen:
        first.setdefault(
            (one.article, one.text, one.reason), (one.topic, one.partition, one.offset)
        )
    waiting: defaultdict[int, deque[int]] = defaultdict(deque)
    for partition, offset in sorted(received):
        waiting[partition].append(offset)
    for audit in audits:
        for partition, position in audit.committed.items():
            offsets = waiting[partition]
            while offsets and offsets[0] < position:
                article = received[partition, offsets[0]]
                places = [first.get((article, *what)) for what in expected[article]]
                if not all(_is_below(place, audit.ends) for place in places):
                    verdict.committed_too_far.append(f"{article} at {partition}:{offsets[0]}")
                offsets.popleft()


def _is_below(place: tuple[str, int, int] | None, ends: Mapping[tuple[str, int], int]) -> bool:
    return place is not None and place[2] < ends.get((place[0], place[1]), 0)


def _repetitions(received: Mapping[Place, str], seen: Iterable[Seen]) -> list[float]:
    """Moments of all that came out more often than its article is on the input topic."""
    allowed = Counter(received.values())
    counts: Counter[tuple[str, str, str]] = Counter()
    moments = []
    for one in seen:
        what = one.article, one.text, one.reason
        counts[what] += 1
        if counts[what] > allowed[one.article]:
            moments.append(one.moment)
    return moments
