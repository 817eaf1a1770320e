"""What every classifier does with its texts before a model sees them. Needs no torch."""

from collections.abc import Iterator, Sequence

BATCH_TOKENS = 256
"""A batch holds at most so many tokens, padding included: what it computes then fits the cache of a
core. 1,024 are a tenth slower."""

BATCH_CHARS = 4 * BATCH_TOKENS
"""The same for texts that are batched by characters: about four make a token."""

CALL_TOKENS = 16
"""What a call costs beside its tokens: as much as so many more. On processors that multiply bytes
fast all weights have to pass (3 to 4 ms); on slower ones it is less, and matters less."""


def batches_by_length(
    lengths: Sequence[int], budget: int, call_tokens: int = CALL_TOKENS
) -> Iterator[list[int]]:
    """Indices in batches, the shortest first: little padding, same result.

    A batch padded to its longest holds at most `budget` of length, or one text. Of all ways to cut
    the sorted texts into such batches this takes the cheapest, where a batch costs its padded
    length and `call_tokens` (dynamic programming over the sorted texts; time: texts by batch size).
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    cost = [0] * (len(order) + 1)  # of the first so many texts
    first = [0] * (len(order) + 1)  # where their last batch begins
    for end in range(1, len(order) + 1):
        longest = max(1, lengths[order[end - 1]])
        cost[end] = cost[end - 1] + longest + call_tokens
        first[end] = end - 1
        for begin in range(end - 2, max(0, end - budget // longest) - 1, -1):
            total = cost[begin] + (end - begin) * longest + call_tokens
            if total < cost[end]:
                cost[end], first[end] = total, begin
    bounds = [len(order)]
    while bounds[-1]:
        bounds.append(first[bounds[-1]])
    for end, begin in zip(bounds[-2::-1], bounds[:0:-1], strict=True):
        yield order[begin:end]


def encodable(text: str) -> str:
    """`text` with lone surrogates, which JSON can carry and tokenizers refuse, as "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")
