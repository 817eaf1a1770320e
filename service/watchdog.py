"""Has the worker come to a standstill? Pure: it is told facts and knows no Kafka client.

A consumer can die slowly: the process lives, its heartbeats go out, and nothing is read or
committed any more. Each rule below names one such state. An article in work is none of them,
however slow: it has time limits of its own. Decision record 0009.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

# A rebalance lasts as long as the group's slowest member may take, and a little more.
REBALANCE_MARGIN_SECONDS = 15.0

IDLE = "no article is taken into work, and some wait or the lag is unknown"
UNCOMMITTED = "delivered articles are not committed"
REBALANCE = "a rebalance does not end"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a worker at one moment.

    Args:
        connected: it holds a connection to a broker. Without one there is nothing to be done.
        partitions: how many are assigned to it; a spare has none.
        rebalancing: a rebalance is going on.
        generation: of the consumer group.
        in_work: there are articles in work.
        begun: articles taken into work since the start.
        waiting: messages not read, or read and not delivered; None: not to be learnt.
        committed: sum of the committed positions of its partitions.
        uncommitted: it has delivered what is not committed.
    """

    connected: bool
    partitions: int
    rebalancing: bool
    generation: int
    in_work: bool
    begun: int
    waiting: int | None
    committed: int
    uncommitted: bool

    @property
    def settled(self) -> bool:
        """It has partitions and a broker: it could work."""
        return self.connected and self.partitions > 0 and not self.rebalancing


class _Rule(NamedTuple):
    """One kind of standstill.

    `state` is None when there is none; else it gives what stays equal as long as nothing moves.
    """

    name: str
    limit_seconds: float
    state: Callable[[Facts], object | None]


class Watchdog:
    """Remembers since when nothing has moved. One thread tells, others may ask.

    Args:
        stall_timeout_seconds: longest standstill of a worker that could work.
        commit_interval_seconds: how often it commits; the first commit may take as long.
        rebalance_timeout_seconds: how long a rebalance waits for its slowest member.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        *,
        stall_timeout_seconds: float,
        commit_interval_seconds: float,
        rebalance_timeout_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._clock = clock
        rebalance_seconds = rebalance_timeout_seconds + REBALANCE_MARGIN_SECONDS
        commit_seconds = stall_timeout_seconds + commit_interval_seconds
        self._rules = (
            _Rule(IDLE, stall_timeout_seconds, _idle),
            _Rule(UNCOMMITTED, commit_seconds, _uncommitted),
            _Rule(REBALANCE, rebalance_seconds, _rebalance),
        )
        # By rule: the state and since when it is the same; None: no standstill.
        self._standstills: dict[str, tuple[object, float] | None] = {
            rule.name: None for rule in self._rules
        }

    def tell(self, facts: Facts) -> None:
        """Note how the worker does now; to be called every second or so."""
        now = self._clock()
        for rule in self._rules:
            state = rule.state(facts)
            known = self._standstills[rule.name]
            if state is None:
                self._standstills[rule.name] = None
            elif known is None or known[0] != state:
                self._standstills[rule.name] = state, now

    def problems(self) -> list[str]:
        """Every standstill that lasts too long, in words; empty: the worker is not stalled."""
        now = self._clock()
        found = []
        for rule in self._rules:
            known = self._standstills[rule.name]
            if known and now - known[1] > rule.limit_seconds:
                found.append(f"stalled: {rule.name} for {now - known[1]:.0f} s")
        return found


def _idle(facts: Facts) -> object | None:
    """A consumer that cannot say whether articles wait is no better than one that leaves them."""
    return facts.begun if facts.settled and facts.waiting != 0 and not facts.in_work else None


def _uncommitted(facts: Facts) -> object | None:
    return facts.committed if facts.settled and facts.uncommitted else None


def _rebalance(facts: Facts) -> object | None:
    """The group may form anew several times in a row, as in a rollout: each time counts afresh."""
    return facts.generation if facts.connected and facts.rebalancing else None
