"""How fast a core of this machine is at the moment: who rents one shares it with strangers."""

import statistics
import time
from collections import deque

ADDITIONS = 20_000
LOOKS = 20


class Machine:
    """The speed of a core, over the last looks.

    Time that others take away altogether is not in it; what they slow down is.

    Args:
        memory: so many looks count.
    """

    def __init__(self, memory: int) -> None:
        self._speeds: deque[float] = deque(maxlen=memory)

    def look(self) -> None:
        """Measure it `LOOKS` times, a millisecond each."""
        for _ in range(LOOKS):
            started, total = time.thread_time(), 0
            for number in range(ADDITIONS):
                total += number
            self._speeds.append(ADDITIONS / (time.thread_time() - started))

    @property
    def speed(self) -> float:
        """Additions in a second of a core's time: the median."""
        return statistics.median(self._speeds)
