"""The guard ends what does not live, says so before, and forgives what passes."""

import logging
import queue
import sys
import threading
import time

import pytest

from service.guard import GRACE_SECONDS, LONGEST_STEP_SECONDS, Guard, HardStop, RunningClock
from tests.unit.short_of_memory import run_short_of_memory


class Watched:
    """A worker's problems, and all that its guard does."""

    def __init__(self) -> None:
        self.now = 0.0
        self.problems: list[str] = []
        self.shown: list[bool] = []
        self.given_up: list[str] = []
        self.guard = Guard(
            lambda: self.problems, self.shown.append, self.given_up.append, lambda: self.now
        )

    def look_for(self, seconds: int) -> bool:
        """A look each second, as long as the guard wants to."""
        for _ in range(seconds):
            if self.guard.look():
                return True
            self.now += 1
        return False


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_a_worker_that_lives_is_left_alone(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    assert not watched.look_for(1_000)
    assert set(watched.shown) == {False}
    assert watched.given_up == []
    assert caplog.records == []


def test_a_problem_is_shown_at_once_and_the_worker_given_up_after_the_grace(
    watched: Watched,
) -> None:
    watched.problems = ["one", "two"]
    assert not watched.look_for(int(GRACE_SECONDS))
    assert set(watched.shown) == {True}
    assert watched.given_up == []
    assert watched.guard.look()
    assert watched.given_up == ["one; two"]


def test_the_reason_is_logged_once_when_it_comes_and_once_at_the_end(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    watched.problems = ["the model is stuck"]
    assert watched.look_for(100)
    assert [record.levelno for record in caplog.records] == [logging.CRITICAL] * 2
    assert caplog.messages == [
        "the model is stuck: ending in 10 s unless it passes",
        "the model is stuck: ending",
    ]


def test_a_problem_that_passes_within_the_grace_ends_nothing(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        watched.problems = ["the loop is stuck"]
        assert not watched.look_for(int(GRACE_SECONDS))
        watched.problems = []
        assert not watched.look_for(1)
        assert not watched.shown[-1]
    assert watched.given_up == []
    assert caplog.messages[-1] == "it works again"


def test_the_guard_looks_from_a_thread_of_its_own_and_stops_when_it_has_given_up() -> None:
    ended = threading.Event()
    guard = Guard(lambda: ["stuck"], lambda _: None, lambda _: ended.set(), RunningClock())
    guard._since = -GRACE_SECONDS
    guard.start()
    assert ended.wait(5)
    for thread in threading.enumerate():
        if thread.name == "guard":
            thread.join(5)
            assert not thread.is_alive()


class Source:
    """Monotonic seconds of the machine."""

    def __init__(self) -> None:
        self.now = 5_000.0

    def __call__(self) -> float:
        return self.now


def test_time_passes_while_the_process_runs() -> None:
    source = Source()
    clock = RunningClock(source)
    begin = clock()
    for _ in range(100):
        source.now += 1
        clock()
    assert clock() - begin == pytest.approx(100)


def test_time_in_which_the_process_was_stopped_counts_as_one_step() -> None:
    source = Source()
    clock = RunningClock(source)
    begin = clock()
    source.now += 3_600
    assert clock() - begin == LONGEST_STEP_SECONDS
    source.now += 1
    assert clock() - begin == LONGEST_STEP_SECONDS + 1


def test_a_worker_that_was_stopped_for_an_hour_is_not_given_up(watched: Watched) -> None:
    """Its loop has not turned for an hour, and turns at once when it goes on."""
    source = Source()
    clock = RunningClock(source)
    beat = clock()
    guard = Guard(
        lambda: ["stuck"] if clock() - beat > 30 else [],
        watched.shown.append,
        watched.given_up.append,
        clock,
    )
    source.now += 3_600
    assert not guard.look()
    assert watched.shown == [False]


def test_a_hard_stop_ends_the_process_once_its_time_is_over_as_it_was_told_first() -> None:
    codes: queue.Queue[int] = queue.Queue()
    hard_stop = HardStop(codes.put)
    hard_stop.start()
    began = time.monotonic()
    hard_stop.arm(1, 0.2)
    hard_stop.arm(0, 60)
    assert codes.get(timeout=10) == 1
    assert time.monotonic() - began >= 0.2


def test_nothing_is_ended_that_was_not_told_to_stop() -> None:
    codes: queue.Queue[int] = queue.Queue()
    HardStop(codes.put).start()
    with pytest.raises(queue.Empty):
        codes.get(timeout=0.3)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are Linux'")
def test_a_hard_stop_works_where_no_thread_can_start_any_more() -> None:
    before = """
        import threading, time
        from service.guard import HardStop
        hard_stop = HardStop()
        hard_stop.start()
    """
    then = """
        try:
            threading.Thread(target=print).start()
        except RuntimeError:
            hard_stop.arm(7, 0.1)
            time.sleep(30)
    """
    assert run_short_of_memory(before, then).returncode == 7
