"""What a run is to do, and what came of it."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chaos.checker import Verdict
from chaos.faults import Injection

STANCEWIRE = ("chaos.faulty_worker",)
RECOVERY_SECONDS = 150.0
"""A group that has not caught up so long after a fault has lost something, or hangs."""


@dataclass(frozen=True)
class Plan:
    """What one run does.

    Args:
        seed: of articles and faults.
        injections: the faults in their order.
        workers: size of the fleet.
        articles_per_second: published all the time.
        model: which classifier the workers load.
        worker: the module each runs, with its arguments.
        recovery_seconds: how long to wait for what was published before a fault.
        rest_seconds: how long to wait at the end for all that is left.
        logs: folder that gets the workers' logs; None: they go when the run is over.
    """

    seed: int
    injections: Sequence[Injection]
    workers: int = 2
    articles_per_second: float = 40.0
    model: str = "keywords"
    worker: tuple[str, ...] = STANCEWIRE
    recovery_seconds: float = RECOVERY_SECONDS
    rest_seconds: float = RECOVERY_SECONDS
    logs: Path | None = None


@dataclass
class Injected:
    """One injection and what followed.

    Args:
        name: of the fault, or "mixed".
        faults: names of all.
        began: monotonic seconds.
        ended: the same; when all its faults were over.
        recovery_seconds: from there until all that was published before was delivered; None: not
            in time.
        broker_wedged: the broker's group let nobody in any more, and was freed by the harness.
        duplicates: events that came out again between its beginning and the next one's.
        exits: exit codes of workers in that time, negative for a signal.
        unwanted_exits: those that the harness did not ask for.
    """

    name: str
    faults: tuple[str, ...]
    began: float
    ended: float
    recovery_seconds: float | None = None
    broker_wedged: bool = False
    duplicates: int = 0
    exits: list[int] = field(default_factory=list)
    unwanted_exits: list[int] = field(default_factory=list)


@dataclass
class Result:
    """One run's outcome."""

    seed: int
    verdict: Verdict
    injected: list[Injected]
    last_exits: list[int]
    seconds: float

    @property
    def holds(self) -> bool:
        """Nothing was lost, all recovered, and every worker ended as it should."""
        return self.verdict.holds and not any(self.failures.values())

    @property
    def failures(self) -> dict[str, int]:
        """What must be 0 beside the verdict."""
        return {
            "not_recovered": sum(one.recovery_seconds is None for one in self.injected),
            "ended_as_if_well": sum(one.unwanted_exits.count(0) for one in self.injected),
            # A worker that has just been started may not listen to signals yet.
            "not_ended": sum(code not in (0, -signal.SIGTERM) for code in self.last_exits),
        }
