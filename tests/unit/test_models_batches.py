"""Batches are cut so that every text is in one, none is too large, and all are cheap together."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from models.batches import CALL_TOKENS, batches_by_length

LENGTHS = st.lists(st.integers(0, 200), max_size=60)
BUDGETS = st.integers(0, 600)


def cost(lengths: list[int], batches: Iterable[list[int]]) -> int:
    """What the batches take, padding and calls included; an empty text counts as one token."""
    return sum(len(batch) * max(1, *(lengths[i] for i in batch)) + CALL_TOKENS for batch in batches)


def cut_greedily(lengths: list[int], budget: int) -> list[list[int]]:
    """The shortest first, each batch as full as it may be."""
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batches and (len(batches[-1]) + 1) * lengths[index] <= budget:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def cheapest(lengths: list[int], budget: int) -> int:
    """The cost of the best of all ways to cut, tried one by one."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    best = cost(lengths, ([i] for i in order))
    for cuts in range(2 ** max(0, len(order) - 1)):
        ends = [i + 1 for i in range(len(order) - 1) if cuts >> i & 1] + [len(order)]
        batches = [order[a:b] for a, b in zip([0, *ends], ends, strict=False)]
        fits = all(len(b) * max(1, lengths[b[-1]]) <= budget or len(b) == 1 for b in batches if b)
        if fits:
            best = min(best, cost(lengths, (batch for batch in batches if batch)))
    return best


@given(LENGTHS, BUDGETS)
def test_every_text_is_in_one_batch_and_the_shortest_come_first(
    lengths: list[int], budget: int
) -> None:
    order = [i for batch in batches_by_length(lengths, budget) for i in batch]
    assert sorted(order) == list(range(len(lengths)))
    assert [lengths[i] for i in order] == sorted(lengths)


@given(LENGTHS, BUDGETS)
def test_no_batch_is_empty_or_exceeds_its_budget_with_padding_unless_it_is_one_text(
    lengths: list[int], budget: int
) -> None:
    for batch in batches_by_length(lengths, budget):
        assert batch
        assert len(batch) * max(lengths[i] for i in batch) <= budget or len(batch) == 1


@given(st.lists(st.integers(1, 200), max_size=60), BUDGETS)
def test_cutting_is_never_dearer_than_filling_batches_up(lengths: list[int], budget: int) -> None:
    chosen = cost(lengths, batches_by_length(lengths, budget))
    assert chosen <= cost(lengths, cut_greedily(lengths, budget))


@given(st.lists(st.integers(0, 60), max_size=8), st.integers(0, 200))
def test_no_way_to_cut_is_cheaper(lengths: list[int], budget: int) -> None:
    assert cost(lengths, batches_by_length(lengths, budget)) == cheapest(lengths, budget)


def test_texts_of_one_length_fill_batches_up() -> None:
    batches = list(batches_by_length([5, 5, 5, 5, 5], 15))
    assert sorted(map(len, batches)) == [2, 3]


def test_a_long_text_is_not_padded_to_when_a_call_of_its_own_is_cheaper() -> None:
    assert list(batches_by_length([100, 4, 5, 4], 1_000)) == [[1, 3, 2], [0]]


def test_little_padding_is_cheaper_than_another_call() -> None:
    assert list(batches_by_length([10, 9, 8], 1_000)) == [[2, 1, 0]]


def test_no_text_gives_no_batch() -> None:
    assert list(batches_by_length([], 4)) == []
