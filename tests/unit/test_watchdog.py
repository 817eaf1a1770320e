"""What is a standstill and what is none, second by second of a clock that is a number."""

from dataclasses import replace

import pytest

from service.watchdog import Facts, Watchdog

STALL_SECONDS = 45.0
COMMIT_SECONDS = 5.0
REBALANCE_SECONDS = 60.0
TELL_SECONDS = 0.5
LONG_SECONDS = 1_000.0

IDLE = "no article is taken into work, and some wait or the lag is unknown"
UNCOMMITTED = "delivered articles are not committed"
REBALANCE = "a rebalance does not end"

WELL = Facts(
    connected=True,
    partitions=4,
    rebalancing=False,
    generation=1,
    in_work=False,
    begun=10,
    waiting=0,
    committed=10,
    uncommitted=False,
)
UNREAD = replace(WELL, waiting=7)


class Worker:
    """A watchdog, and time that passes for it."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.watchdog = Watchdog(
            stall_timeout_seconds=STALL_SECONDS,
            commit_interval_seconds=COMMIT_SECONDS,
            rebalance_timeout_seconds=REBALANCE_SECONDS,
            clock=lambda: self.now,
        )

    def live(self, facts: Facts, seconds: float) -> list[str]:
        """Told the same twice a second; what is wrong at the end."""
        for _ in range(int(seconds / TELL_SECONDS)):
            self.watchdog.tell(facts)
            self.now += TELL_SECONDS
        return self.watchdog.problems()


@pytest.fixture
def worker() -> Worker:
    return Worker()


def test_nothing_is_wrong_before_anything_is_told(worker: Worker) -> None:
    assert worker.watchdog.problems() == []


@pytest.mark.parametrize(
    ("facts", "limit", "name"),
    [
        (UNREAD, STALL_SECONDS, IDLE),
        (replace(WELL, waiting=None), STALL_SECONDS, IDLE),
        (replace(WELL, uncommitted=True), STALL_SECONDS + COMMIT_SECONDS, UNCOMMITTED),
        (
            replace(WELL, uncommitted=True, in_work=True),
            STALL_SECONDS + COMMIT_SECONDS,
            UNCOMMITTED,
        ),
        (replace(WELL, rebalancing=True), REBALANCE_SECONDS + 15, REBALANCE),
        (replace(WELL, rebalancing=True, partitions=0), REBALANCE_SECONDS + 15, REBALANCE),
    ],
    ids=[
        "unread",
        "lag unknown",
        "uncommitted",
        "uncommitted, others in work",
        "rebalance",
        "join",
    ],
)
def test_a_standstill_is_said_beyond_its_limit_and_not_before(
    worker: Worker, facts: Facts, limit: float, name: str
) -> None:
    assert worker.live(facts, limit) == []
    assert worker.live(facts, 1) == [f"stalled: {name} for {limit + 1:.0f} s"]


def test_the_default_is_noticed_within_60_seconds_of_the_last_article(worker: Worker) -> None:
    """Told late: the lag is asked for every 2 s, and the answer may take 5 s."""
    assert worker.live(replace(WELL, in_work=True), TELL_SECONDS) == []
    worker.live(WELL, 7)
    assert worker.live(UNREAD, 52) != []


@pytest.mark.parametrize(
    "facts",
    [
        WELL,
        replace(UNREAD, in_work=True),
        replace(WELL, waiting=None, in_work=True),
        replace(UNREAD, partitions=0),
        replace(WELL, waiting=None, partitions=0),
        replace(UNREAD, connected=False, uncommitted=True),
        replace(WELL, connected=False, rebalancing=True),
        replace(WELL, connected=False, waiting=None),
    ],
    ids=[
        "nothing to do",
        "an article takes long",
        "an article takes long and the lag is unknown",
        "spare",
        "spare whose lag is unknown",
        "broker away",
        "broker away in a rebalance",
        "broker away and the lag is unknown",
    ],
)
def test_what_is_no_standstill_never_becomes_one(worker: Worker, facts: Facts) -> None:
    assert worker.live(facts, LONG_SECONDS) == []


def test_one_article_in_work_is_enough_to_begin_counting_afresh(worker: Worker) -> None:
    for begun in range(30):
        assert worker.live(replace(UNREAD, begun=begun), STALL_SECONDS) == []


def test_one_commit_is_enough_to_begin_counting_afresh(worker: Worker) -> None:
    for committed in range(30):
        facts = replace(WELL, uncommitted=True, committed=committed)
        assert worker.live(facts, STALL_SECONDS) == []


def test_commits_do_not_excuse_a_worker_that_reads_nothing(worker: Worker) -> None:
    problems = []
    for committed in range(10):
        problems = worker.live(replace(UNREAD, uncommitted=True, committed=committed), 5)
    assert problems == [f"stalled: {IDLE} for 50 s"]


def test_a_group_that_forms_anew_again_and_again_counts_afresh_each_time(worker: Worker) -> None:
    for generation in range(30):
        facts = replace(WELL, rebalancing=True, generation=generation)
        assert worker.live(facts, REBALANCE_SECONDS) == []


def test_a_broker_that_comes_back_finds_a_fresh_clock(worker: Worker) -> None:
    worker.live(UNREAD, STALL_SECONDS)
    worker.live(replace(UNREAD, connected=False), 5)
    assert worker.live(UNREAD, STALL_SECONDS) == []


def test_lag_that_becomes_unknown_does_not_hide_that_articles_wait(worker: Worker) -> None:
    worker.live(UNREAD, STALL_SECONDS / 2)
    assert worker.live(replace(UNREAD, waiting=None), STALL_SECONDS / 2 + 1) != []


def test_a_standstill_that_is_over_is_forgotten(worker: Worker) -> None:
    assert worker.live(UNREAD, STALL_SECONDS + 1) != []
    assert worker.live(WELL, TELL_SECONDS) == []


def test_two_standstills_are_both_said(worker: Worker) -> None:
    problems = worker.live(replace(UNREAD, uncommitted=True), STALL_SECONDS + COMMIT_SECONDS + 1)
    assert problems == [f"stalled: {IDLE} for 51 s", f"stalled: {UNCOMMITTED} for 51 s"]
