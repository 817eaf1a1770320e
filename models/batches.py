"""What every classifier does with its texts before a model sees them. Needs no torch."""

from collections.abc import Iterator, Sequence


def batches_by_length(lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """Indices in batches of at most `size`, the shortest first: little padding, same result."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    for start in range(0, len(order), size):
        yield order[start : start + size]


def encodable(text: str) -> str:
    """`text` with lone surrogates, which JSON can carry and tokenizers refuse, as "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")
