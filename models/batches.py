"""What every classifier does with its texts before a model sees them. Needs no torch."""

from collections.abc import Iterator, Sequence


def batches_by_length(
    lengths: Sequence[int], size: int, budget: int | None = None
) -> Iterator[list[int]]:
    """Indices in batches of at most `size`, the shortest first: little padding, same result.

    With a `budget`, a batch padded to its longest holds at most that much length, or one text.
    """
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        full = budget is not None and (len(batch) + 1) * lengths[index] > budget
        if batch and (full or len(batch) == size):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def encodable(text: str) -> str:
    """`text` with lone surrogates, which JSON can carry and tokenizers refuse, as "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")
