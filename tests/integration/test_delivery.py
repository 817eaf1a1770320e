"""The delivery promise: at least once, never lost, never half. Each test is one way to break it.

Kills and other faults at random moments: test_chaos.py.
"""

import time

import pytest

from tests.integration.conftest import StartWorker
from tests.integration.harness import (
    FAST_GROUP,
    WorkerProcess,
    numbered_articles,
    publish,
    read_outcome,
    uncommitted,
    wait_all_committed,
    wait_until,
)


@pytest.mark.timeout(240)
def test_2000_articles_arrive_once_in_order_and_are_committed(new_worker: StartWorker) -> None:
    articles = numbered_articles(2000, seed=1)
    assert sum(len(article.quotes) for article in articles) >= 5000
    worker = new_worker(model="keywords").start()
    publish(worker.settings, articles)
    worker.wait_ready()
    wait_all_committed(worker.settings, 180, worker)

    outcome = read_outcome(worker.settings, articles)

    outcome.assert_complete()
    assert outcome.duplicates == 0
    assert worker.metric("articles_total") == len(articles)
    assert worker.metric("quotes_total") == len(outcome.events)
    wait_until(lambda: worker.metric("consumer_lag") == 0, 10)


@pytest.mark.timeout(180)
def test_sigterm_in_mid_load_exits_0_and_nothing_is_lost_or_repeated(
    new_worker: StartWorker,
) -> None:
    articles = numbered_articles(400, seed=3)
    # The default: what is in work takes more than the tests' 8 s on a machine that is busy.
    worker = new_worker(drain_timeout_seconds=20, rebalance_timeout_seconds=30).start()
    publish(worker.settings, articles)
    worker.wait_ready()
    wait_until(lambda: worker.metric("quotes_total") > 200, 60, worker.tail)

    started = time.monotonic()
    assert worker.terminate(timeout=30) == 0, worker.tail()
    assert time.monotonic() - started < 30
    assert uncommitted(worker.settings), "it had finished: this was no SIGTERM in mid-load"

    worker.start()
    wait_all_committed(worker.settings, 120, worker)
    outcome = read_outcome(worker.settings, articles)
    outcome.assert_complete()
    assert outcome.duplicates == 0


def test_sigterm_waits_for_articles_in_work_no_longer_than_the_drain_timeout(
    new_worker: StartWorker,
) -> None:
    articles = numbered_articles(20, seed=14)
    worker = new_worker(
        model="keywords", batch_wait_seconds=1.0, batch_tokens=60_000, drain_timeout_seconds=0.1
    )
    worker.start()
    publish(worker.settings, articles)
    wait_until(lambda: worker.metric("in_flight_articles") > 0, 60, worker.tail)
    assert worker.terminate(timeout=10) == 0, worker.tail()
    assert "still in work" in worker.tail()
    assert uncommitted(worker.settings)

    worker.start()
    wait_all_committed(worker.settings, 60, worker)
    read_outcome(worker.settings, articles).assert_complete()


@pytest.mark.timeout(240)
def test_a_killed_workers_partitions_are_taken_over_and_nothing_is_lost(
    new_worker: StartWorker,
) -> None:
    articles = numbered_articles(600, seed=4)
    first, second = new_worker(**FAST_GROUP).start(), new_worker(**FAST_GROUP).start()
    wait_until(lambda: _both_assigned(first, second), 60, second.tail)
    publish(first.settings, articles)
    wait_until(lambda: first.metric("quotes_total") > 50, 60, first.tail)
    wait_until(lambda: second.metric("quotes_total") > 50, 60, second.tail)

    # Asked before the kill: on a busy machine the answer may take longer than the takeover.
    left = sum(uncommitted(second.settings).values())
    assert left > len(articles) / 4, "nearly all was done before the kill: this was no takeover"
    first.kill()

    wait_all_committed(second.settings, 150, second)
    outcome = read_outcome(second.settings, articles)
    outcome.assert_complete()


@pytest.mark.timeout(150)
def test_partitions_nothing_was_ever_committed_of_are_taken_over_from_their_beginning(
    new_worker: StartWorker,
) -> None:
    articles = numbered_articles(400, seed=15)
    never_commits = {"model": "keywords", "commit_interval_seconds": 60}
    first, second = new_worker(**never_commits).start(), new_worker(**never_commits).start()
    wait_until(lambda: _both_assigned(first, second), 60, second.tail)
    publish(first.settings, articles)
    wait_until(lambda: first.metric("quotes_total") > 50, 60, first.tail)
    assert sum(uncommitted(second.settings).values()) == len(articles)
    first.kill()

    # What the first worker had delivered counts for nothing: the second must do it all.
    wait_until(lambda: second.metric("articles_total") >= len(articles), 60, second.tail)
    assert second.terminate() == 0
    read_outcome(second.settings, articles).assert_complete()
    assert not uncommitted(second.settings)


def _both_assigned(*workers: WorkerProcess) -> bool:
    return all(worker.get("/readyz")[0] == 200 for worker in workers)
