"""Is this worker alive, is it ready: what the probes tell."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from service.watchdog import Watchdog

Argument = TypeVar("Argument")
Result = TypeVar("Result")

STUCK_AFTER_SECONDS = 30.0


@dataclass
class Health:
    """What the worker's loop writes and the server's thread reads.

    Args:
        in_flight_limit_seconds: an article in work for longer means that the worker is stuck.
        call_limit_seconds: the same for one call of the model or the splitter.
        clock: monotonic seconds.
        watchdog: knows whether the worker has come to a standstill.
    """

    in_flight_limit_seconds: float
    call_limit_seconds: float
    clock: Callable[[], float] = time.monotonic
    watchdog: Watchdog | None = None
    model_loaded: bool = False
    connected: bool = False
    assigned: int = 0
    rebalancing: bool = False
    stopping: bool = False
    oldest_since: float | None = None  # when the oldest article in work was read
    _beat: float | None = field(default=None, init=False)
    _calls: dict[object, tuple[str, float]] = field(default_factory=dict, init=False)

    def beat(self) -> None:
        """The worker's loop turns."""
        self._beat = self.clock()

    def watched(self, name: str, function: Callable[[Argument], Result]) -> Callable[..., Result]:
        """The function, each call of it watched while it runs."""

        def call(argument: Argument) -> Result:
            running = object()
            self._calls[running] = name, self.clock()
            try:
                return function(argument)
            finally:
                del self._calls[running]

        return call

    def problems_alive(self) -> list[str]:
        """Why a supervisor should restart this worker; empty: it lives."""
        problems = []
        now = self.clock()
        if self._beat is not None and now - self._beat > STUCK_AFTER_SECONDS:
            problems.append(f"the event loop is stuck for {now - self._beat:.0f} s")
        if self.oldest_since is not None and now - self.oldest_since > self.in_flight_limit_seconds:
            problems.append(f"an article is in work for {now - self.oldest_since:.0f} s")
        for name, since in list(self._calls.values()):
            if now - since > self.call_limit_seconds:
                problems.append(f"a call of the {name} runs for {now - since:.0f} s")
        return problems + (self.watchdog.problems() if self.watchdog else [])

    def problems_ready(self) -> list[str]:
        """Why this worker cannot take work now; empty: it is ready."""
        checks = {
            "the model is not loaded": self.model_loaded,
            "no connection to Kafka": self.connected,
            "no partitions are assigned": self.assigned > 0,
            "a rebalance is going on": not self.rebalancing,
            "the worker is stopping": not self.stopping,
        }
        return self.problems_alive() + [text for text, fine in checks.items() if not fine]
