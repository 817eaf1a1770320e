"""Real broker, real workers as processes, numbered articles whose quotes are known beforehand.

Knows the contracts (topics, events, commands), not the insides of the service.
"""

import json
import random
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from kafka import KafkaConsumer, TopicPartition

from service.broker import HOST, free_port
from service.clients import producer, read_to_end
from service.contracts import quote_schema
from service.processes import WORKER, start_module
from service.settings import Settings, load_settings

VALIDATOR = Draft202012Validator(quote_schema())
NAMES = ("Anna Berg", "Omar Haddad", "Lucía Ferrer", "Piotr Nowak", "Grace Okafor")
PHRASES = (
    "we do not believe a word of it",
    "our door is open for talks at any hour",
    "whoever crosses that line will pay for it",
    "the harvest came in two weeks late",
)

# A group that notices a dead member soon, at the price of a rebalance when the machine is busy.
FAST_GROUP = {"session_timeout_seconds": 3, "heartbeat_seconds": 0.5}


@dataclass(frozen=True)
class NumberedArticle:
    """An article and what must come out of it."""

    id: str
    value: bytes
    quotes: tuple[str, ...]


def numbered_articles(count: int, seed: int, prefix: str = "a") -> list[NumberedArticle]:
    """Articles with one to four quotes each (2.5 on average), every quote's words unique."""
    return [
        _article(f"{prefix}{number}", random.Random(f"{seed}:{number}")) for number in range(count)
    ]


def _article(article_id: str, rng: random.Random) -> NumberedArticle:
    quotes = tuple(
        f"Point {index} of {article_id}: {rng.choice(PHRASES)}"
        for index in range(1, rng.randint(1, 4) + 1)
    )
    paragraphs = [f"“{quote},” {rng.choice(NAMES)} said on Monday." for quote in quotes]
    fields = {"id": article_id, "text": "\n\n".join(["It’s day one.", *paragraphs])}
    return NumberedArticle(article_id, json.dumps(fields).encode(), quotes)


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
            client.send(settings.topic_articles, key=article.id.encode(), value=article.value)


@dataclass
class WorkerProcess:
    """One `stancewire worker` process."""

    settings: Settings
    log: Path
    process: subprocess.Popen[bytes] | None = None
    arguments: tuple[str, ...] = WORKER

    def start(self) -> "WorkerProcess":
        """Start it; does not wait."""
        self.process = start_module(self.arguments, self.settings, self.log)
        return self

    def wait_ready(self, timeout: float = 60) -> "WorkerProcess":
        """Until /readyz answers 200."""
        wait_until(lambda: self.get("/readyz")[0] == 200 or self._died(), timeout, self.tail)
        return self

    def kill(self) -> None:
        """kill -9, and wait for the body."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def terminate(self, timeout: float = 30) -> int:
        """SIGTERM; the exit code."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def stop(self) -> None:
        """End it somehow."""
        if self.process and self.process.poll() is None:
            self.kill()

    def get(self, path: str) -> tuple[int, str]:
        """Status and body; (0, reason) when nobody listens."""
        url = f"http://{HOST}:{self.settings.http_port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def metric(self, name: str) -> float:
        """Sum of all samples of `stancewire_<name>`; 0.0 when it cannot be read."""
        return sum(self.samples(name))

    def samples(self, name: str) -> list[float]:
        """All samples of `stancewire_<name>`."""
        lines = rf"^stancewire_{name}(?:{{.*}})? (\S+)$"
        return [float(value) for value in re.findall(lines, self.get("/metrics")[1], re.MULTILINE)]

    def tail(self) -> str:
        """The end of its log, for messages."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-25:])

    def _died(self) -> bool:
        assert self.process
        assert self.process.poll() is None, f"the worker ended\n{self.tail()}"
        return False


def wait_until(condition: Any, timeout: float, describe: Any = lambda: "") -> None:
    """Poll until the condition holds; AssertionError with the description when it does not."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout} s\n{describe()}"
        time.sleep(0.1)


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
