"""Offsets that a reader was not given: the embedded broker lets one pass over a batch.

It moves a partition's end before the batch lies there (decision record 0004): with two producers at
one partition, as while a frozen worker comes back, the later batch may be handed out first. On
Apache Kafka nobody reads beyond what lies there.
"""

import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any

PATIENCE_SECONDS = 5.0
"""An append that has failed leaves a gap for ever."""


class Gaps:
    """Says how much of what was read may be taken; the rest is to be read again.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: dict[tuple[Hashable, int], float] = {}

    def before(self, partition: Hashable, begin: int, records: Sequence[Any]) -> Sequence[Any]:
        """The records up to the first gap that is not old, of a topic without transactions.

        Args:
            partition: where they were read.
            begin: the offset behind the last record that was taken.
            records: in order of their offsets.
        """
        expected = begin
        for place, record in enumerate(records):
            if record.offset > expected and self._is_new((partition, expected)):
                return records[:place]
            expected = record.offset + 1
        return records

    def _is_new(self, gap: tuple[Hashable, int]) -> bool:
        now = self._clock()
        return now - self._since.setdefault(gap, now) < PATIENCE_SECONDS
