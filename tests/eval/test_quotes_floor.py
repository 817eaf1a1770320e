"""The quality gate of quotes and speakers: they may get better, never worse than the floors.

    python -m tests.eval.quote_scores        prints what is missed, and what is reached

`quotes/articles` and `quotes/ordinary` hold articles written for this project, the first full of
traps. The benchmark beside the checkout, real
news with marked sources, is measured where it is present. `floors.json` holds the floors and the
SHA-256 of the data they were measured on. Nothing here writes it: moving a floor, or changing the
data, is somebody's decision.
"""

import hashlib
import json
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from service.quotes import extract_quotes
from tests.eval.quote_scores import Pair, folded, joined, measure, same_name, same_quote, totals
from tests.eval.quotes.reader import FOLDER, SETS, Article, kind_of, parse, read_articles

HERE = Path(__file__).parent
FLOORS: dict[str, Any] = json.loads((HERE / "floors.json").read_text(encoding="utf-8"))["quotes"]
OWN, ORDINARY, BENCH = FLOORS["own"], FLOORS["ordinary"], FLOORS["polnear_dev"]
BENCH_FOLDER = HERE.parents[2] / "shared" / "bench" / "quotes"
ARTICLES = read_articles()
ORDINARY_ARTICLES = read_articles(SETS["ordinary"])
EVERY_ARTICLE = [article for folder in SETS.values() for article in read_articles(folder)]
MARKS = "\"'`“”„‘’«»"
DAMAGED = "â\u009cœ"  # where damaged marks begin and end
PARAGRAPH = "\n"

bench_only = pytest.mark.skipif(
    not BENCH_FOLDER.is_dir(), reason="no ../shared/bench/quotes beside the checkout"
)


@pytest.fixture(scope="module")
def own() -> list[Pair]:
    return measure(ARTICLES)


@pytest.fixture(scope="module")
def ordinary() -> list[Pair]:
    return measure(ORDINARY_ARTICLES)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float]]:
    """Scores of the benchmark by its own program, so that nobody has to trust ours."""
    found = tmp_path_factory.mktemp("bench") / "found.jsonl"
    with (BENCH_FOLDER / BENCH["articles"]).open(encoding="utf-8") as articles:
        lines = [json.dumps(_found(json.loads(line))) for line in articles]
    found.write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "score.py", BENCH["gold"], str(found), "--json"]
    done = subprocess.run(command, cwd=BENCH_FOLDER, check=True, capture_output=True, timeout=60)
    scores: dict[str, dict[str, float]] = json.loads(done.stdout)
    return scores


def _found(article: dict[str, str]) -> dict[str, Any]:
    text = article["text"]
    quotes = [
        {
            "text": quote.text,
            "segments": [text[start:end] for start, end in quote.segments],
            "speaker": quote.speaker.name if quote.speaker else None,
        }
        for quote in extract_quotes(text)
    ]
    return {"article_id": article["article_id"], "quotes": quotes}


def digest(*paths: Path) -> str:
    data = hashlib.sha256()
    for path in paths:
        data.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return data.hexdigest()


def floors(part: dict[str, Any]) -> list[tuple[str, str, float]]:
    """(kind, measure, floor) of every floor, one test each."""
    return [(kind, name, low) for kind, one in part["floors"].items() for name, low in one.items()]


def reached(pairs: list[Pair], kind: str, name: str) -> float:
    if kind == "several_segments":
        return joined(pairs)
    share: float = asdict(totals(pairs)[kind])[name]
    return share


def test_the_floors_were_measured_on_these_articles() -> None:
    assert digest(*sorted(FOLDER.glob("*.txt"))) == OWN["data_sha256"]
    assert digest(*sorted(SETS["ordinary"].glob("*.txt"))) == ORDINARY["data_sha256"]


@pytest.mark.parametrize(("kind", "name", "floor"), floors(OWN))
def test_our_own_articles_do_not_fall_below_a_floor(
    own: list[Pair], kind: str, name: str, floor: float
) -> None:
    assert reached(own, kind, name) >= floor


@pytest.mark.parametrize(("kind", "name", "floor"), floors(ORDINARY))
def test_ordinary_articles_do_not_fall_below_a_floor(
    ordinary: list[Pair], kind: str, name: str, floor: float
) -> None:
    assert reached(ordinary, kind, name) >= floor


def test_quotes_and_fragments_are_told_apart_as_the_gold_does(
    own: list[Pair], ordinary: list[Pair]
) -> None:
    for pair in [*own, *ordinary]:
        if pair.gold and pair.got and same_quote(pair.gold, pair.got):
            assert pair.got.kind == pair.gold.kind, pair.words


@bench_only
def test_the_benchmark_is_the_one_its_floors_were_measured_on() -> None:
    names = [BENCH["articles"], BENCH["gold"], "score.py"]
    assert digest(*(BENCH_FOLDER / name for name in names)) == BENCH["data_sha256"]


@bench_only
@pytest.mark.parametrize(("kind", "name", "floor"), floors(BENCH))
def test_the_benchmark_does_not_fall_below_a_floor(
    bench: dict[str, dict[str, float]], kind: str, name: str, floor: float
) -> None:
    assert bench[kind][name] >= floor


@pytest.mark.parametrize("article", EVERY_ARTICLE, ids=lambda article: article.name)
def test_gold_is_what_stands_in_the_text_between_marks(article: Article) -> None:
    for quote in article.quotes:
        for spans, words in zip(quote.places, quote.words, strict=True):
            start, end = spans[0]
            assert article.text[start:end] == words == words.strip()
            for start, end in spans:
                # A lost mark leaves the edge of a paragraph; optional words may lack both marks.
                before = article.text[:start].rstrip(" ")[-1:] or PARAGRAPH
                after = article.text[end:].lstrip(" ")[:1] or PARAGRAPH
                edges = {before, after} <= set(MARKS + DAMAGED + PARAGRAPH)
                assert edges or quote.optional, (words, before, after)


@pytest.mark.parametrize("article", EVERY_ARTICLE, ids=lambda article: article.name)
def test_every_speaker_of_the_gold_is_named_in_the_article(article: Article) -> None:
    words = set(folded(article.text))
    for quote in article.quotes:
        for name in quote.speakers:
            assert name is None or set(folded(name)) <= words, name


def test_every_trap_of_the_list_is_set_and_no_other() -> None:
    readme = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([^`]+)` \|", readme.partition("## Traps")[2], re.MULTILINE)
    assert sorted(listed) == sorted({trap for article in ARTICLES for trap in article.traps})


def test_articles_are_as_long_as_news_is() -> None:
    for article in ARTICLES:
        assert 120 <= len(article.text.split()) <= 500, article.name
    for article in ORDINARY_ARTICLES:
        assert 300 <= len(article.text.split()) <= 900, article.name


def test_there_are_no_scores_to_gain_by_finding_nothing_or_everything() -> None:
    nothing = totals(measure(ARTICLES, lambda _: []))["all"]
    assert (nothing.recall, nothing.f1, nothing.attributed_f1) == (0, 0, 0)
    doubled = totals(measure(ARTICLES, lambda text: [*extract_quotes(text), *extract_quotes(text)]))
    assert doubled["all"].precision <= 0.5


def test_the_reader_takes_continued_repeated_and_optional_quotes_apart() -> None:
    source = (
        "traps: some\nabout: a sample\nA = Ann Bly | Bly\n---\n"
        "“{A|We will,}” said Ann Bly, “{A+|and soon.}” “{A=|We will}” {-?|Odd}"
    )
    article = parse("sample", source)
    assert article.text == "“We will,” said Ann Bly, “and soon.” “We will” Odd"
    said, odd = article.quotes
    assert (said.words, said.places) == (
        ["We will,", "and soon."],
        [[(1, 9), (38, 45)], [(26, 35)]],
    )
    assert (said.speakers, said.kind, odd.optional) == (("Ann Bly", "Bly"), "quote", True)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Jens Holm", "Mr. Jens Holm", True),
        ("The Harbour Trust", "the harbour trust", True),
        ("Holm", "Jens Holm", False),
        ("Jan Holm", "Jens Holm", False),
        (None, None, True),
        (None, "Jens Holm", False),
    ],
)
def test_names_are_the_same_when_only_courtesy_and_case_differ(
    one: str | None, other: str | None, same: bool
) -> None:
    assert same_name(one, other) is same


@pytest.mark.parametrize(
    ("words", "kind"),
    [("Not a chance", "fragment"), ("It’s long-overdue, Sam –", "fragment"), ("a b c d", "quote")],
)
def test_a_quote_has_four_words_or_more(words: str, kind: str) -> None:
    assert kind_of(words) == kind
