"""Replays that are killed with -9: every letter is published once all the same, and classified."""

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from service.broker import EmbeddedBroker
from service.clients import producer, read_to_end
from service.dead_letters import REPLAYED_FROM, Origin, bury
from service.errors import Reason
from service.processes import start_module
from service.replay import read_letters
from service.settings import Settings
from tests.integration.conftest import PARTITIONS, StartWorker
from tests.integration.harness import (
    NumberedArticle,
    numbered_articles,
    read_outcome,
    settings_for,
    wait_all_committed,
    wait_until,
)

REPLAY = ("service", "dead-letters", "replay")
KILLS = 10


def _bury(settings: Settings, articles: list[NumberedArticle]) -> None:
    """Letters of articles that nothing is wrong with any more."""
    with producer(settings) as client:
        for number, article in enumerate(articles):
            letter = bury(
                article.id.encode(),
                article.value,
                [("trace", b"1")],
                reason=Reason.TIMEOUT,
                message="the machine was busy",
                origin=Origin(settings.topic_articles, 0, number),
            )
            client.send(
                settings.topic_dead_letters, **letter._asdict(), partition=number % PARTITIONS
            )


def _replay_and_kill(settings: Settings, log: Path, rng: random.Random, *, at_work: bool) -> None:
    """Kill a replay while it publishes, or at any moment before that."""
    log.unlink(missing_ok=True)
    process = start_module(REPLAY, settings, log)
    if at_work:
        wait_until(lambda: "timeout" in log.read_text() or process.poll(), 30, log.read_text)
        time.sleep(rng.uniform(0, 0.2))
    else:
        time.sleep(rng.uniform(0, 2))
    process.kill()
    process.wait()


def _replays_of_each_letter(settings: Settings) -> Counter[bytes]:
    return Counter(
        dict(record.headers)[REPLAYED_FROM]
        for record in read_to_end(settings, settings.topic_articles)
    )


@pytest.mark.timeout(120)
def test_replays_killed_at_ten_random_moments_publish_each_letter_once(
    broker: EmbeddedBroker, new_worker: StartWorker, tmp_path: Path
) -> None:
    rng = random.Random(31)
    articles = numbered_articles(240, seed=31)
    settings = settings_for(broker.address, model="keywords")
    log = tmp_path / "replay.log"
    _bury(settings, articles)
    hits = 0
    for number in range(KILLS):
        _replay_and_kill(settings, log, rng, at_work=number % 5 != 0)
        hits += len(read_letters(settings).unsettled())
    assert hits, "no kill came between a letter and its marker: this tried nothing"
    assert read_letters(settings).open(), "it had finished before the last kill"

    worker = new_worker(model="keywords").start()
    assert start_module(REPLAY, settings, log).wait(60) == 0, log.read_text()

    places = {
        f"{settings.topic_dead_letters}[{partition}]@{offset}".encode()
        for partition in range(PARTITIONS)
        for offset in range(len(articles) // PARTITIONS)
    }
    assert _replays_of_each_letter(settings) == dict.fromkeys(places, 1)
    assert read_letters(settings).open() == []
    wait_all_committed(worker.settings, 60, worker)
    outcome = read_outcome(worker.settings, articles)
    outcome.assert_complete()
    assert outcome.duplicates == 0
    assert worker.metric("replayed_articles_total") == len(articles)
