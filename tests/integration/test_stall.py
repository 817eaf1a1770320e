"""A worker at a standstill is noticed and ended; one that is slow or was stopped is not."""

import signal
import time

import pytest

from tests.integration.conftest import StartWorker
from tests.integration.harness import (
    WorkerProcess,
    numbered_articles,
    publish,
    read_outcome,
    wait_all_committed,
    wait_until,
)

STALL_SECONDS = 5
# What lies between a standstill and its being noticed: two measurements of the lag, a look.
NOTICE_SECONDS = STALL_SECONDS + 9
GRACE_SECONDS = 3
HARD_END_SECONDS = 8
IDLE = "stalled: no article is taken into work, and some wait or the lag is unknown for "
STALLED_WORKER = ("tests.integration.stalled_worker",)


def _stalled_worker(
    new_worker: StartWorker, monkeypatch: pytest.MonkeyPatch, part: str
) -> WorkerProcess:
    monkeypatch.setenv("STALL", part)
    worker = new_worker(model="keywords", stall_timeout_seconds=STALL_SECONDS)
    worker.arguments = STALLED_WORKER
    return worker.start().wait_ready()


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ("stall_reading", IDLE),
        ("stall_committing", "stalled: delivered articles are not committed for "),
        ("stall_consumer_thread", "stalled: "),
        ("stall_loop", "the event loop is stuck for "),
    ],
)
def test_a_stalled_worker_says_why_and_ends_with_1_and_another_loses_nothing(
    new_worker: StartWorker, monkeypatch: pytest.MonkeyPatch, part: str, reason: str
) -> None:
    worker = _stalled_worker(new_worker, monkeypatch, part)
    articles = numbered_articles(500, seed=21)
    publish(worker.settings, articles)
    wait_until(lambda: worker.metric("articles_total") >= 20, 30, worker.tail)

    wait_until(lambda: worker.get("/livez")[0] == 503, NOTICE_SECONDS, worker.tail)
    assert reason in worker.get("/livez")[1]
    wait_until(lambda: worker.metric("stalled") == 1, GRACE_SECONDS, worker.tail)
    assert worker.process
    assert worker.process.wait(GRACE_SECONDS + HARD_END_SECONDS + 5) == 1
    assert f"CRITICAL service.guard {reason}" in worker.log.read_text()

    another = new_worker(model="keywords").start()
    wait_all_committed(another.settings, 90, another)
    read_outcome(another.settings, articles).assert_complete()
    assert another.metric("stalled") == 0


def test_a_model_slower_than_the_stall_timeout_is_no_stall(
    new_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = _stalled_worker(new_worker, monkeypatch, "slow_model")
    publish(worker.settings, numbered_articles(1, seed=22))
    wait_until(lambda: worker.metric("in_flight_articles") == 1, 10, worker.tail)
    while worker.metric("in_flight_articles"):
        assert worker.get("/livez") == (200, "ok\n")
        time.sleep(0.2)
    assert worker.metric("article_seconds_sum") > STALL_SECONDS


def test_a_worker_is_not_ended_for_the_time_it_was_stopped_nor_for_having_nothing_to_do(
    new_worker: StartWorker,
) -> None:
    worker = new_worker(model="keywords", stall_timeout_seconds=STALL_SECONDS)
    worker.start().wait_ready()
    assert worker.process
    worker.process.send_signal(signal.SIGSTOP)
    articles = numbered_articles(200, seed=23)
    publish(worker.settings, articles)
    time.sleep(2 * STALL_SECONDS)
    worker.process.send_signal(signal.SIGCONT)
    wait_all_committed(worker.settings, 60, worker)
    read_outcome(worker.settings, articles).assert_complete()

    time.sleep(2 * STALL_SECONDS)
    assert worker.get("/livez") == (200, "ok\n")
    assert "service.guard" not in worker.log.read_text()
