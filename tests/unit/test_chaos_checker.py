"""The checker of chaos runs finds each kind of broken promise, and nothing where none is broken."""

import itertools
from dataclasses import replace

from chaos.articles import NumberedArticle, numbered_articles, with_poison
from chaos.checker import check
from chaos.faults import FAULTS, plan
from chaos.observer import Audit, Seen
from service.article import parse_article
from service.errors import InvalidArticle, Reason
from service.events import find_quotes

ONE = NumberedArticle("one", b"", quotes=("first", "second"))
BAD = NumberedArticle("bad", b"{", reason=Reason.NOT_JSON)
ARTICLES = {"one": ONE, "bad": BAD}
RECEIVED = {(0, 0): "one", (0, 1): "bad"}


def quote(offset: int, text: str, id: str = "", article: str = "one") -> Seen:  # noqa: A002
    return Seen("quotes", 0, offset, float(offset), article, text=text, id=id or text)


LETTER = Seen("dead", 0, 0, 9.0, "bad", reason="not_json", origin=(0, 1))
ALL = [quote(0, "first"), quote(1, "second"), LETTER]


def audit(committed: int, quotes: int, dead: int) -> Audit:
    return Audit(0.0, {0: committed}, {("quotes", 0): quotes, ("dead", 0): dead})


def test_all_there_once_and_committed_afterwards_holds() -> None:
    verdict = check(ARTICLES, RECEIVED, ALL, [audit(0, 1, 0), audit(1, 2, 0), audit(2, 2, 1)])
    assert verdict.holds
    assert (verdict.articles, verdict.quotes, verdict.duplicates) == (2, 2, [])


def test_a_quote_that_did_not_come_is_missing() -> None:
    verdict = check(ARTICLES, RECEIVED, [ALL[0], LETTER], [audit(2, 1, 1)])
    assert [finding.split(":")[0] for finding in verdict.missing] == ["one"]
    assert not verdict.holds


def test_a_dead_letter_that_did_not_come_is_missing() -> None:
    found = check(ARTICLES, RECEIVED, ALL[:2], [audit(2, 2, 0)])
    assert found.missing == ["bad: ('', 'not_json')"]


def test_what_did_not_come_of_an_uncommitted_article_is_unfinished() -> None:
    verdict = check(ARTICLES, RECEIVED, ALL[:2], [audit(1, 2, 0)])
    assert verdict.unfinished == ["bad: ('', 'not_json')"]
    assert not verdict.missing
    assert not verdict.holds


def test_a_dead_letter_for_the_wrong_reason_is_missing_and_unknown() -> None:
    seen = [*ALL[:2], replace(LETTER, reason="timeout")]
    verdict = check(ARTICLES, RECEIVED, seen, [audit(2, 2, 1)])
    assert verdict.failures["missing"] == verdict.failures["unknown"] == 1


def test_a_quote_of_no_article_is_unknown() -> None:
    assert check(ARTICLES, RECEIVED, [*ALL, quote(2, "third")], []).failures["unknown"] == 1


def test_quotes_in_another_order_than_in_the_article_are_out_of_order() -> None:
    seen = [quote(0, "second"), quote(1, "first"), LETTER]
    assert check(ARTICLES, RECEIVED, seen, []).failures["out_of_order"] == 1


def test_a_repetition_after_half_an_article_is_a_duplicate_and_in_order() -> None:
    seen = [quote(0, "first"), quote(1, "first"), quote(2, "second"), LETTER]
    verdict = check(ARTICLES, RECEIVED, seen, [])
    assert verdict.holds
    assert verdict.duplicates == [1.0]


def test_an_article_published_twice_may_come_out_twice() -> None:
    received = {**RECEIVED, (0, 2): "one"}
    seen = [*ALL, quote(2, "first"), quote(3, "second")]
    assert check(ARTICLES, received, seen, []).duplicates == []


def test_one_id_for_two_quotes_has_two_meanings() -> None:
    seen = [quote(0, "first", id="x"), quote(1, "second", id="x"), LETTER]
    assert check(ARTICLES, RECEIVED, seen, []).two_meanings == ["x"]


def test_what_was_committed_before_all_of_it_was_delivered_is_found_though_it_came_later() -> None:
    verdict = check(ARTICLES, RECEIVED, ALL, [audit(1, 1, 0), audit(2, 2, 1)])
    assert verdict.committed_too_far == ["one at 0:0"]
    assert not verdict.missing


def test_what_the_generator_expects_is_what_the_stages_find() -> None:
    for article in itertools.islice(with_poison(seed=3), 400):
        reason, quotes = _by_stages(article)
        if reason or not article.reason:
            assert (reason, quotes) == (article.reason, article.quotes)
        else:  # known only to the model, or to whoever reads or sends
            assert article.reason in (
                Reason.CLASSIFICATION_FAILED,
                Reason.EVENT_TOO_LARGE,
                Reason.MESSAGE_TOO_LARGE,
            )
    assert {article.reason for article in itertools.islice(with_poison(seed=3), 400)} > {None}
    assert len({article.id for article in numbered_articles(10, seed=1)}) == 10


def test_a_seed_gives_the_same_faults_again_and_every_fault_before_any_comes_twice() -> None:
    assert plan(7, 60) == plan(7, 60)
    assert plan(7, 60) != plan(8, 60)
    first = plan(7, len(FAULTS))
    assert {one.name for one in first} == FAULTS.keys()
    assert any(one.name == "mixed" for one in plan(7, len(FAULTS) + 1))


def _by_stages(article: NumberedArticle) -> tuple[Reason | None, tuple[str, ...]]:
    try:
        found = find_quotes(parse_article(article.value))
    except InvalidArticle as problem:
        return problem.reason, ()
    return None, tuple(one.quote.text.rstrip(",") for one in found)
