"""Real broker, real workers as processes, numbered articles whose quotes are known beforehand.

Knows the contracts (topics, events, commands), not the insides of the service.
"""

import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator
from kafka import KafkaConsumer, TopicPartition

from chaos.articles import NumberedArticle, numbered_articles
from chaos.workers import WorkerProcess, wait_until
from service.broker import free_port
from service.clients import producer, read_to_end
from service.contracts import quote_schema
from service.processes import worker_environment
from service.settings import Settings, load_settings

__all__ = ["NumberedArticle", "WorkerProcess", "numbered_articles", "wait_until"]

VALIDATOR = Draft202012Validator(quote_schema())
# A group that notices a dead member soon, at the price of a rebalance when the machine is busy.
FAST_GROUP = {"session_timeout_seconds": 3, "heartbeat_seconds": 0.5}


def settings_for(brokers: str, **overrides: Any) -> Settings:
    """Settings with a group that forms and reacts fast, and a port of its own."""
    # On a busy machine a model may hold a heartbeat up; without one the group may be more nervous.
    values: dict[str, Any] = {
        "brokers": brokers,
        "http_port": free_port(),
        "session_timeout_seconds": 6,
        "heartbeat_seconds": 1,
        "rebalance_timeout_seconds": 15,
        "drain_timeout_seconds": 8,
        "commit_interval_seconds": 0.5,
    }
    if overrides.get("model") == "keywords":
        values |= FAST_GROUP
    return load_settings(**(values | overrides))


def publish(settings: Settings, articles: Iterable[NumberedArticle]) -> None:
    """To the input topic, keyed by article id."""
    with producer(settings) as client:
        for article in articles:
            client.send(settings.topic_articles, key=article.key, value=article.value)


def run_command(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`stancewire` with these arguments and settings, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        env=worker_environment(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@dataclass
class Outcome:
    """The output topic, read to its end, against what had to come out."""

    events: list[dict[str, Any]]
    missing: set[tuple[str, str]]
    unknown: set[tuple[str, str]]
    duplicates: int
    ids_with_two_meanings: list[str]
    articles_out_of_order: list[str]
    invalid: list[str] = field(default_factory=list)

    def assert_complete(self) -> None:
        """Nothing missing, nothing invented, order kept, every event valid."""
        assert not self.missing, f"{len(self.missing)} lost: {sorted(self.missing)[:5]}"
        assert not self.unknown, f"{len(self.unknown)} unknown: {sorted(self.unknown)[:5]}"
        assert not self.ids_with_two_meanings
        assert not self.articles_out_of_order
        assert not self.invalid, self.invalid[:3]


def read_outcome(settings: Settings, articles: Iterable[NumberedArticle]) -> Outcome:
    """Read all quotes and compare."""
    articles = list(articles)
    expected = {(article.id, quote) for article in articles for quote in article.quotes}
    events = [json.loads(record.value) for record in read_to_end(settings, settings.topic_quotes)]
    seen = Counter((event["article"]["id"], event["text"].rstrip(",")) for event in events)
    meanings: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    first_seen: defaultdict[str, list[str]] = defaultdict(list)
    for event in events:
        place = (event["article"]["id"], event["text"].rstrip(","))
        if not meanings[event["id"]]:
            first_seen[place[0]].append(place[1])
        meanings[event["id"]].add(place)
    return Outcome(
        events=events,
        missing=expected - seen.keys(),
        unknown=seen.keys() - expected,
        duplicates=len(events) - len(meanings),
        ids_with_two_meanings=[key for key, places in meanings.items() if len(places) > 1],
        articles_out_of_order=[
            article.id for article in articles if first_seen[article.id] != list(article.quotes)
        ],
        invalid=[error.message for event in events for error in VALIDATOR.iter_errors(event)],
    )


def uncommitted(settings: Settings, partitions: int = 4) -> dict[int, int]:
    """Messages above the committed position, for each partition that has any."""
    counts = Counter(r.partition for r in read_to_end(settings, settings.topic_articles))
    client = KafkaConsumer(
        bootstrap_servers=settings.brokers, group_id=settings.group, enable_auto_commit=False
    )
    try:
        committed = {
            number: client.committed(TopicPartition(settings.topic_articles, number)) or 0
            for number in range(partitions)
        }
    finally:
        client.close()
    left = {number: counts[number] - position for number, position in committed.items()}
    return {number: messages for number, messages in left.items() if messages}


def wait_all_committed(settings: Settings, timeout: float, worker: WorkerProcess) -> None:
    """Until the group has committed every article on the topic."""
    wait_until(lambda: not uncommitted(settings), timeout, worker.tail)
