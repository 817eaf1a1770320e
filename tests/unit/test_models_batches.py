"""Batches are cut so that every text is in one, and none is larger than it may be."""

from hypothesis import given
from hypothesis import strategies as st

from models.batches import batches_by_length

LENGTHS = st.lists(st.integers(1, 200), max_size=60)


@given(LENGTHS, st.integers(1, 40), st.none() | st.integers(1, 600))
def test_every_text_is_in_one_batch_and_the_shortest_come_first(
    lengths: list[int], size: int, budget: int | None
) -> None:
    order = [i for batch in batches_by_length(lengths, size, budget) for i in batch]
    assert sorted(order) == list(range(len(lengths)))
    assert [lengths[i] for i in order] == sorted(lengths)


@given(LENGTHS, st.integers(1, 40), st.integers(1, 600))
def test_no_batch_exceeds_its_size_or_with_padding_its_budget(
    lengths: list[int], size: int, budget: int
) -> None:
    for batch in batches_by_length(lengths, size, budget):
        padded = len(batch) * max(lengths[i] for i in batch)
        assert len(batch) <= size
        assert padded <= budget or len(batch) == 1


def test_batches_are_filled_up() -> None:
    assert list(batches_by_length([5, 5, 5, 5, 5], 2)) == [[0, 1], [2, 3], [4]]
    assert list(batches_by_length([5, 5, 5, 5, 5], 9, budget=15)) == [[0, 1, 2], [3, 4]]
    assert list(batches_by_length([], 4)) == []
