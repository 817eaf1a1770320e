"""Ends a worker that does not live. A thread of its own: the event loop may be what hangs."""

import logging
import os
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
# Long enough for a probe and a scrape to see the reason.
GRACE_SECONDS = 10.0
LONGEST_STEP_SECONDS = 2.0


class RunningClock:
    """Monotonic seconds in which this process ran.

    After a SIGSTOP, or when the machine was suspended, much time has passed in which nothing could
    be done, and nobody is to blame for it. Whoever asks next takes no more than one step. Somebody
    has to ask more often than a step is long: the guard does.

    Args:
        source: monotonic seconds.
    """

    def __init__(self, source: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._seen = source()
        self._now = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        """The time now."""
        with self._lock:
            seen = self._source()
            self._now += min(seen - self._seen, LONGEST_STEP_SECONDS)
            self._seen = seen
            return self._now


class HardStop:
    """Ends the process some time after it was told to stop, in case it does not end by itself.

    Its thread waits from the start: when it is needed, memory may be too short for a new one.

    Args:
        end: ends the process at once, with this exit code.
    """

    def __init__(self, end: Callable[[int], object] = os._exit) -> None:
        self._end = end
        self._limit_seconds = 0.0
        self._exit_code = 1
        self._armed = threading.Event()

    def start(self) -> None:
        """Begin to wait."""
        threading.Thread(target=self._run, name="hard stop", daemon=True).start()

    def arm(self, exit_code: int, limit_seconds: float) -> None:
        """The process has so long to end; the first call counts."""
        if not self._armed.is_set():
            self._exit_code, self._limit_seconds = exit_code, limit_seconds
            self._armed.set()

    def _run(self) -> None:
        self._armed.wait()
        time.sleep(self._limit_seconds)
        try:
            log.critical("could not leave cleanly within %g s: ending", self._limit_seconds)
        finally:
            self._end(self._exit_code)


class Guard:
    """Looks once a second whether the worker lives; if not, says so, waits a little, and ends it.

    Args:
        problems: why a supervisor should restart the worker; empty: it lives.
        show: told at each look whether there are problems.
        give_up: ends the process; called once, from the guard's thread, with the reason.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        problems: Callable[[], list[str]],
        show: Callable[[bool], None],
        give_up: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._problems = problems
        self._show = show
        self._give_up = give_up
        self._clock = clock
        self._since: float | None = None

    def start(self) -> None:
        """Begin to look."""
        threading.Thread(target=self._run, name="guard", daemon=True).start()

    def look(self) -> bool:
        """Look once.

        Returns:
            whether the guard has given the worker up: there is no more to look at.
        """
        problems = self._problems()
        self._show(bool(problems))
        if not problems:
            if self._since is not None:
                log.warning("it works again")
            self._since = None
            return False
        reason = "; ".join(problems)
        if self._since is None:
            self._since = self._clock()
            log.critical("%s: ending in %g s unless it passes", reason, GRACE_SECONDS)
        if self._clock() - self._since < GRACE_SECONDS:
            return False
        log.critical("%s: ending", reason)
        self._give_up(reason)
        return True

    def _run(self) -> None:
        while not self.look():
            time.sleep(LOOK_SECONDS)
