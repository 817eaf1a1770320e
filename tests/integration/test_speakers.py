"""`watch-speakers` on a real broker: counts all, writes what changes, loses nothing when killed."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.broker import EmbeddedBroker
from service.clients import producer, read_to_end
from service.events import rfc3339
from service.processes import start_module
from service.settings import Settings
from service.speakers.watch import watch_speakers
from tests.integration.conftest import StartWorker
from tests.integration.harness import numbered_articles, publish, settings_for, wait_until


@pytest.fixture
def settings(broker: EmbeddedBroker) -> Settings:
    return settings_for(broker.address)


def quote(text: str, speaker: str = "Anna Berg", days_ago: float = 0) -> bytes:
    """A quote event, as short as it may be."""
    event = {
        "text": text,
        "stance": "threatening" if "pay" in text else "conciliatory",
        "speaker": {"name": speaker},
        "article": {"published_at": rfc3339(datetime.now(UTC) - timedelta(days=days_ago))},
    }
    return json.dumps(event).encode()


def say(settings: Settings, *texts: str, days_ago: float = 0) -> None:
    with producer(settings) as client:
        for text in texts:
            client.send(settings.topic_quotes, key=None, value=quote(text, days_ago=days_ago))


def topic(settings: Settings) -> dict[bytes, dict[str, int] | None]:
    """What a reader of the compacted topic knows: the last counts of 7 days by key."""
    records = sorted(read_to_end(settings, settings.topic_speakers), key=lambda one: one.offset)
    return {
        one.key: json.loads(one.value)["windows"]["7d"] if one.value else None for one in records
    }


def test_what_is_on_the_topic_is_counted_and_written_once(settings: Settings) -> None:
    say(settings, "Let us talk", "let us talk!", "Our door is open")
    assert [tally.name for tally in watch_speakers(settings, once=True)] == ["Anna Berg"]
    assert topic(settings) == {b"speaker:Anna Berg": {"conciliatory": 2}}
    assert list(watch_speakers(settings, once=True)) == []  # nothing has changed
    say(settings, "They will pay")
    [tally] = watch_speakers(settings, once=True)
    assert tally.windows["7d"] == {"conciliatory": 2, "threatening": 1}


def test_a_turn_of_tone_is_told(settings: Settings) -> None:
    say(settings, "Let us talk", "Our door is open", days_ago=3)
    say(settings, "They will pay", "They will pay for all of it")
    [tally] = watch_speakers(settings, once=True)
    assert tally.turn
    assert (tally.turn.before, tally.turn.now) == ("conciliatory", "threatening")


def test_who_said_nothing_for_a_week_gets_a_tombstone(settings: Settings) -> None:
    say(settings, "Let us talk")
    assert len(list(watch_speakers(settings, once=True))) == 1
    week = 7 * 24 * 3600
    assert list(watch_speakers(settings, once=True, clock=lambda: time.time() + week)) == []
    assert topic(settings) == {b"speaker:Anna Berg": None}


def test_a_watcher_that_is_killed_loses_no_count(settings: Settings, tmp_path: Path) -> None:
    """Kill it at work, three times; the next one writes whatever is missing."""
    names = [f"Speaker {n}" for n in range(300)]
    log = tmp_path / "watch.log"
    with producer(settings) as client:
        for life in range(3):
            log.unlink(missing_ok=True)
            process = start_module(("service", "watch-speakers"), settings, log)
            for number, name in enumerate(names[life::3]):
                client.send(settings.topic_quotes, key=None, value=quote("Let us talk", name))
                time.sleep(0.01)
                if number == 30:
                    client.flush()
                    wait_until(lambda: "Speaker" in log.read_text(), 30)
                if number == 60:
                    process.kill()
            process.wait(10)
    list(watch_speakers(settings, once=True))
    assert topic(settings) == {f"speaker:{name}".encode(): {"conciliatory": 1} for name in names}


def test_a_watcher_follows_a_worker(settings: Settings, new_worker: StartWorker) -> None:
    """The whole way: articles in, tallies out, as JSON lines of a running command."""
    worker = new_worker().start().wait_ready()
    log = worker.log.with_name("watch.jsonl")
    watcher = start_module(("service", "watch-speakers", "--format", "jsonl"), settings, log)
    articles = numbered_articles(20, seed=1)
    publish(settings, articles)
    said = sum(len(article.quotes) for article in articles)

    def counted() -> int:
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        latest = {line["name"]: line["windows"]["7d"] for line in lines}
        return sum(sum(counts.values()) for counts in latest.values())

    try:
        wait_until(lambda: counted() == said, 60, log.read_text)
    finally:
        watcher.kill()
        watcher.wait()
