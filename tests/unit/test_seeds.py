"""The sample articles are what seeds/README.md says they are."""

import json
import re
from collections import Counter
from datetime import datetime

import pytest

from seeds import sample_articles

FIELDS = {"id", "title", "text", "url", "source", "language", "published_at"}

REPOSITIONING = "nato-repositioning-2022-03-31"
REGROUPING = "nato-regrouping-2022-03-31"
STRATEGY = "kyiv-strategy-2022-03-30"
NO_SIGNS = "no-real-signs-2022-02-16"
OPTIMISM = "nato-cautious-optimism-2022-02-15"

OPENING_MARKS = re.compile(r"[“‘]|(?<!\w)'(?=\w)")
README_ROW = re.compile(
    r"^\| `(?P<id>[^`]+)` \| (?P<shows>.+) \| (?P<passages>\d+) \| (?P<statements>\d+) \|$",
    re.MULTILINE,
)

# (article, what its README row promises, a pattern that text or title shows it by)
TRAPS = [
    (REPOSITIONING, "curly double marks", r"“[^”\n]+”"),
    (REPOSITIONING, "one word in straight single marks", r"\A[^\n]*(?<!\w)'\w+'"),
    (REPOSITIONING, '"Mr" before "said"', r",” Mr \w+ said"),
    (REPOSITIONING, 'speaker is only "he"', r"\n\n“[^”\n]+,” he said\.\n"),
    (REPOSITIONING, "a fragment of two words", r"“\w+ \w+”"),
    (REPOSITIONING, "a live-blog line", r"\n\nLive blog: [^\n]+\n\n"),
    (REPOSITIONING, "a photo caption", r"\. Example Pictures\n"),
    (REGROUPING, "straight double marks", r'"[^"\n]+"'),
    (REGROUPING, "a dateline in capitals", r"\n[A-Z]{5,}: "),
    (REGROUPING, "menu", r"\nSite menu\n"),
    (REGROUPING, "newsletter", r"newsletters"),
    (REGROUPING, "browser", r"browser"),
    (REGROUPING, "odd leading white space", r"\n {6}\S[^\n]*\n {2}\n"),
    (REGROUPING, "a quote that stands alone", r'\nRussia\'s [^\n]+\n"[^"\n]+"\n'),
    (REGROUPING, "scare quotes", r'"liberating".*"special military operation".*"denazify"'),
    (REGROUPING, "three dots inside", r'\w+ said: "[^"\n]+ \.\.\. [^"\n]+"\n'),
    (REGROUPING, "a broken encoding", r"CopyrightÂ© "),
    (STRATEGY, "a quote over four paragraphs", r": “[^”\n]+\n“[^”\n]+\n“[^”\n]+\n“[^”\n]+”\n"),
    (STRATEGY, "another over two", r"also claimed: “[^”\n]+\n“[^”\n]+”\n"),
    (STRATEGY, "each opened and only the last closed", r"\n“[^”\n]+\n"),
    (STRATEGY, "an institution as speaker", r"ministry of defence tweeted: “"),
    (STRATEGY, "fragments inside the reporter's sentence", r"to “[^”\n]+” near"),
    (STRATEGY, "square brackets inside a quote", r"said: “[^”\n]+\[Russia’s\][^”\n]+”"),
    (STRATEGY, "two words run together", r"\bsoonfollowed\b"),
    (NO_SIGNS, "curly single marks among apostrophes", r"‘[^‘\n]+\w’\w[^‘\n]+’"),
    (NO_SIGNS, "quotes interrupted by their speaker", r"\n‘Two paths[^‘\n]+,’ Biden said\. ‘But"),
    (NO_SIGNS, "quotes carried into the next paragraph", r"\n‘The risk [^\n]+scenario\.\n\n‘We do"),
    (NO_SIGNS, "straight and curly marks mixed", r"(?<!\w)'unity day'.*‘unity day’"),
    (NO_SIGNS, "statements repeated in another place", r"‘some of those.*‘some of those"),
    (NO_SIGNS, "a bullet list", r"(\n  • [^\n]+){4}\n"),
    (NO_SIGNS, "a byline without a space", r"\nBy[A-Z]\w+ \w+ For \w+\n"),
    (NO_SIGNS, "one of them within a quote", r"‘Defence [^‘’\n]+…[^‘’\n]*\u00a0[^‘’\n]+’"),
    (NO_SIGNS, "a second article inside the first", r"\n\nByRobin .* four new battlegroups"),
    (NO_SIGNS, "a comma outside the closing mark", r"’, he said\."),
    (NO_SIGNS, '"the President" as speaker', r",’ the President said\."),
    (NO_SIGNS, "furniture at the end", r"\nSource link\n\nStay in Touch\n\n.*Related Articles\Z"),
    (OPTIMISM, "a headline in curly single marks", r"\A[^\n]*‘no sign of de-escalation’"),
    (OPTIMISM, "straight double marks", r'"[^"\n]+"'),
    (OPTIMISM, "fragments", r'"everything in place".*"has time to step back from the brink"'),
    (OPTIMISM, '"READ MORE" lines with quoted words', r"\nREAD MORE:\u00a0[^\n]*'day of unity'"),
    (OPTIMISM, 'a speaker who is only "she"', r'," she wrote on social media\.'),
    (OPTIMISM, "a cue before the quote without colon or comma", r'as [\w ]+ said "[^"\n]+\."\n'),
    (OPTIMISM, "no-break spaces around a name", r',"\u00a0Stoltenberg\u00a0told'),
]

SHOWCASE_QUOTES = [
    (
        REPOSITIONING,
        "According to our intelligence, Russian units are not withdrawing, but repositioning",
    ),
    (NO_SIGNS, "Two paths are still open"),
]


def _articles() -> dict[str, dict[str, str]]:
    lines = sample_articles().read_text(encoding="utf-8").splitlines()
    return {article["id"]: article for article in map(json.loads, lines)}


def _title_and_text(article_id: str) -> str:
    article = _articles()[article_id]
    return f"{article['title']}\n{article['text']}"


def _readme_rows() -> dict[str, re.Match[str]]:
    readme = sample_articles().with_name("README.md").read_text(encoding="utf-8")
    return {row["id"]: row for row in README_ROW.finditer(readme)}


def _paragraph_copies(article_id: str) -> dict[str, set[str]]:
    """Paragraphs printed more than once, apostrophes and dashes apart: plain form -> as printed."""
    plain = str.maketrans("‘’–", "''-")
    copies: dict[str, list[str]] = {}
    for paragraph in _articles()[article_id]["text"].split("\n"):
        if len(paragraph) > 40:
            copies.setdefault(paragraph.translate(plain).strip(), []).append(paragraph)
    return {form: set(printed) for form, printed in copies.items() if len(printed) > 1}


def test_five_articles_with_five_ids_one_a_line() -> None:
    lines = sample_articles().read_text(encoding="utf-8").split("\n")
    assert lines.pop() == ""
    ids = Counter(json.loads(line)["id"] for line in lines)
    assert sorted(ids) == sorted([REPOSITIONING, REGROUPING, STRATEGY, NO_SIGNS, OPTIMISM])
    assert set(ids.values()) == {1}


@pytest.mark.parametrize("article", _articles().values(), ids=_articles())
def test_every_field_of_an_article_event_is_there_and_filled(article: dict[str, str]) -> None:
    assert set(article) == FIELDS
    assert all(isinstance(value, str) and value.strip() for value in article.values())
    assert article["language"] in {"en", "en-GB"}


@pytest.mark.parametrize("article", _articles().values(), ids=_articles())
def test_outlets_are_ours_and_addresses_lead_nowhere(article: dict[str, str]) -> None:
    assert "Example" in article["source"]
    assert article["url"].startswith("https://example.org/")


@pytest.mark.parametrize("article", _articles().values(), ids=_articles())
def test_publication_date_is_rfc_3339_and_ends_the_id(article: dict[str, str]) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", article["published_at"])
    published_at = datetime.fromisoformat(article["published_at"])
    assert published_at.tzinfo is not None
    assert article["id"].endswith(published_at.date().isoformat())


def test_characters_stand_as_themselves_in_the_file() -> None:
    assert "\\u" not in sample_articles().read_text(encoding="utf-8")


@pytest.mark.parametrize(("article_id", "trap", "pattern"), TRAPS)
def test_an_article_shows_the_trap_its_readme_row_promises(
    article_id: str, trap: str, pattern: str
) -> None:
    assert trap in _readme_rows()[article_id]["shows"]
    assert re.search(pattern, _title_and_text(article_id), re.DOTALL)


def test_long_report_prints_its_captions_twice_with_other_apostrophes() -> None:
    copies = _paragraph_copies(NO_SIGNS)
    assert "captions printed twice with other apostrophes" in _readme_rows()[NO_SIGNS]["shows"]
    assert sum(len(printed) == 2 for printed in copies.values()) >= 15


def test_short_report_prints_a_caption_twice() -> None:
    assert "a caption printed twice" in _readme_rows()[OPTIMISM]["shows"]
    assert len(_paragraph_copies(OPTIMISM)) == 1


def test_readme_has_a_row_for_every_article() -> None:
    assert list(_readme_rows()) == list(_articles())


@pytest.mark.parametrize("article_id", _articles())
def test_readme_counts_the_marked_passages(article_id: str) -> None:
    row, text = _readme_rows()[article_id], _title_and_text(article_id)
    assert int(row["passages"]) == len(OPENING_MARKS.findall(text)) + text.count('"') // 2
    assert int(row["statements"]) <= int(row["passages"])


@pytest.mark.parametrize(("article_id", "words"), SHOWCASE_QUOTES)
def test_showcase_quotes_are_present_word_for_word(article_id: str, words: str) -> None:
    assert words in _articles()[article_id]["text"]
