"""Remembered scores: exact, bounded, and of the very same text only."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from models.classifier import EncodedText
from service.score_cache import ScoreCache, cache_key

LABELS = ("sceptical", "threatening")
FINITE = st.floats(allow_nan=False)
IDS = st.lists(st.integers(0, 2**32 - 1), max_size=8)


def scores(value: float) -> dict[str, float]:
    return {"sceptical": value, "threatening": 1 - value}


def encoded(text: str, *ids: int) -> EncodedText:
    return EncodedText(text, array("I", ids))


def test_what_was_never_put_is_not_known() -> None:
    assert ScoreCache(10, LABELS).get(b"key") is None


@given(FINITE, FINITE)
def test_scores_come_back_exactly_and_in_label_order(first: float, second: float) -> None:
    cache = ScoreCache(10, LABELS)
    cache.put(b"key", {"threatening": second, "sceptical": first})
    known = cache.get(b"key")
    assert known is not None
    assert list(known.items()) == [("sceptical", first), ("threatening", second)]


def test_what_is_put_again_is_replaced() -> None:
    cache = ScoreCache(10, LABELS)
    cache.put(b"key", scores(0.1))
    cache.put(b"key", scores(0.2))
    assert cache.get(b"key") == scores(0.2)
    assert len(cache) == 1


def test_changing_what_came_back_changes_nothing_that_is_remembered() -> None:
    cache = ScoreCache(10, LABELS)
    cache.put(b"key", scores(0.1))
    known = cache.get(b"key")
    assert known is not None
    known["sceptical"] = 0.9
    assert cache.get(b"key") == scores(0.1)


def test_no_more_is_remembered_than_allowed() -> None:
    cache = ScoreCache(3, LABELS)
    for number in range(100):
        cache.put(b"%d" % number, scores(number / 100))
        assert len(cache) <= 3
    assert [n for n in range(100) if cache.get(b"%d" % n) is not None] == [97, 98, 99]


def test_what_was_not_asked_for_the_longest_time_goes_first() -> None:
    cache = ScoreCache(3, LABELS)
    for key in (b"a", b"b", b"c"):
        cache.put(key, scores(0.5))
    assert cache.get(b"a") is not None
    cache.put(b"d", scores(0.5))
    assert cache.get(b"b") is None
    assert all(cache.get(key) is not None for key in (b"a", b"c", b"d"))


def test_a_cache_of_size_0_remembers_nothing() -> None:
    cache = ScoreCache(0, LABELS)
    cache.put(b"key", scores(0.5))
    assert cache.get(b"key") is None
    assert len(cache) == 0


def test_texts_that_the_network_reads_alike_have_one_key() -> None:
    assert cache_key(encoded("We doubt it.", 5, 6)) == cache_key(encoded("we  doubt it.", 5, 6))


@given(IDS, IDS)
def test_keys_are_equal_only_when_the_ids_are(first: list[int], second: list[int]) -> None:
    same = cache_key(encoded("x", *first)) == cache_key(encoded("x", *second))
    assert same == (first == second)


def test_order_and_end_of_the_ids_matter() -> None:
    texts = [(1, 2), (2, 1), (1, 2, 0), (0, 1, 2), (1,), (), (256,), (65_536,)]
    assert len({cache_key(encoded("x", *ids)) for ids in texts}) == len(texts)
