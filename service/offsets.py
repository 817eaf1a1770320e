"""Which offsets may be committed: the heart of the delivery promise. Pure: knows no Kafka client.

Articles of a partition finish in any order, but Kafka commits a single position: "everything below
is done". `OffsetLedger` remembers what was begun and what is delivered, and answers with the
highest position below which nothing is undelivered.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Account:
    """One partition during one generation of the consumer group."""

    generation: int
    undelivered: deque[int] = field(default_factory=deque)  # ascending; head = lowest
    delivered: set[int] = field(default_factory=set)  # delivered, but not below the head
    position: int | None = None  # may be committed: next offset to read after a restart


class OffsetLedger:
    """Keeps one account for each partition; not safe for use from several threads.

    Invariant: `committable(p)` is never above an offset that was begun in the current generation
    and is not delivered.

    Args:
        current_generation: tells the generation of the group that this worker is a member of now.
            It may fall as well as rise: a group that is made anew counts from the beginning.
    """

    def __init__(self, current_generation: Callable[[], int]) -> None:
        self._current_generation = current_generation
        self._accounts: dict[tuple[str, int], _Account] = {}
        self.begun = 0  # articles, of all partitions and generations

    def begin(self, partition: tuple[str, int], generation: int, offset: int) -> bool:
        """Note that work on `offset` begins.

        A new generation opens a new account: what the one before left undelivered is read again by
        whoever owns the partition now.

        Returns:
            False if the offset was begun already in this generation, or was read in another one:
            do not work on it.
        """
        if generation != self._current_generation():
            return False
        account = self._accounts.get(partition)
        if account is None or account.generation != generation:
            account = self._accounts[partition] = _Account(generation)
        if self._seen(account, offset):
            return False
        account.undelivered.append(offset)
        self.begun += 1
        return True

    def delivered(self, partition: tuple[str, int], generation: int, offset: int) -> None:
        """Note that all that follows from `offset` is acknowledged by the broker.

        Read in another generation it is ignored: that partition may be somebody else's by now.
        """
        account = self._accounts.get(partition)
        if account is None or account.generation != generation:
            return
        account.delivered.add(offset)
        while account.undelivered and account.undelivered[0] in account.delivered:
            done = account.undelivered.popleft()
            account.delivered.remove(done)
            account.position = done + 1

    def committable(self, partition: tuple[str, int]) -> int | None:
        """The position to commit, or None when nothing of this generation is delivered yet."""
        account = self._accounts.get(partition)
        if account is None or account.generation != self._current_generation():
            return None
        return account.position

    def undelivered(self) -> int:
        """How many begun offsets are not below their partition's committable position."""
        return sum(len(account.undelivered) for account in self._accounts.values())

    @staticmethod
    def _seen(account: _Account, offset: int) -> bool:
        newest = account.undelivered[-1] if account.undelivered else (account.position or 0) - 1
        return offset <= newest
