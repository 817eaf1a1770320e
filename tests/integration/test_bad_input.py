"""Bad messages among good ones: each good one classified, each bad one buried, and the way back."""

import json
from typing import Any

from kafka import KafkaProducer

from service.clients import read_to_end
from service.dead_letters import read_failure
from service.errors import Reason
from service.settings import Settings
from tests.integration.conftest import StartWorker
from tests.integration.harness import (
    numbered_articles,
    publish,
    read_outcome,
    run_command,
    wait_all_committed,
    wait_until,
)

MAX_CHARS = 5000

BAD: dict[str, tuple[bytes | None, Reason]] = {
    "not_utf8": (b'{"id": "b", "text": "\xff\xfe"}', Reason.NOT_UTF8),
    "not_json": (b'{"id": "b", "text"', Reason.NOT_JSON),
    "empty_value": (b"", Reason.NOT_JSON),
    "list": (b"[1, 2]", Reason.NOT_AN_OBJECT),
    "number": (b"17", Reason.NOT_AN_OBJECT),
    "no_id": (b'{"text": "x"}', Reason.MISSING_FIELD),
    "empty_id": (b'{"id": "", "text": "x"}', Reason.INVALID_FIELD),
    "no_text": (b'{"id": "b"}', Reason.MISSING_FIELD),
    "text_is_number": (b'{"id": "b", "text": 5}', Reason.INVALID_FIELD),
    "text_is_list": (b'{"id": "b", "text": ["x"]}', Reason.INVALID_FIELD),
    "text_too_long": (
        json.dumps({"id": "b", "text": "x" * (MAX_CHARS + 1)}).encode(),
        Reason.TEXT_TOO_LONG,
    ),
    "tombstone": (None, Reason.TOMBSTONE),
    "brackets": (b"[" * 10_000 + b"]" * 10_000, Reason.NOT_JSON),
    "nested": (
        b'{"id":"b","text":"x","y":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        Reason.NOT_JSON,
    ),
    "nan": (b'{"id": "b", "text": "x", "y": NaN}', Reason.NOT_JSON),
    "surrogate": (b'{"id": "b", "text": "\\ud800"}', Reason.NOT_JSON),
    "duplicate_key": (b'{"id": "b", "text": "x", "text": "y"}', Reason.DUPLICATE_KEY),
    "date": (b'{"id": "b", "text": "x", "published_at": "yesterday"}', Reason.INVALID_FIELD),
}
HEADERS = [("trace", b"1"), ("trace", b"2"), ("binary", b"\x00\xff")]


def _send(settings: Settings, messages: list[tuple[bytes | None, bytes | None]]) -> None:
    client = KafkaProducer(bootstrap_servers=settings.brokers, max_request_size=8 * 1024**2)
    for key, value in messages:
        client.send(settings.topic_articles, key=key, value=value, headers=HEADERS)
    client.flush()
    client.close()


def test_bad_messages_are_buried_with_their_reason_and_good_ones_are_classified(
    new_worker: StartWorker,
) -> None:
    good = numbered_articles(len(BAD) * 10, seed=7)
    worker = new_worker(model="keywords", max_article_chars=MAX_CHARS).start()
    for index, (name, (value, _)) in enumerate(BAD.items()):
        publish(worker.settings, good[index * 10 : index * 10 + 10])
        _send(worker.settings, [(name.encode(), value)])
    wait_all_committed(worker.settings, 60, worker)

    read_outcome(worker.settings, good).assert_complete()
    letters = {
        record.key.decode(): record
        for record in read_to_end(worker.settings, worker.settings.topic_dead_letters)
    }
    assert letters.keys() == BAD.keys()
    for name, (value, reason) in BAD.items():
        failure = read_failure(letters[name].headers)
        assert failure.reason == reason, name
        assert failure.message, name
        assert failure.origin.topic == worker.settings.topic_articles
        assert letters[name].value == value, f"{name}: not the bytes as received"
        assert letters[name].headers[: len(HEADERS)] == HEADERS, f"{name}: headers changed"
    assert worker.metric("dead_letters_total") == len(BAD)


def test_a_message_without_key_is_buried_and_listed(new_worker: StartWorker) -> None:
    worker = new_worker(model="keywords").start()
    _send(worker.settings, [(None, b"not json")])
    wait_all_committed(worker.settings, 60, worker)
    [record] = read_to_end(worker.settings, worker.settings.topic_dead_letters)
    assert (record.key, record.value) == (None, b"not json")
    listed = run_command(worker.settings, "dead-letters", "list", "--format", "jsonl")
    assert json.loads(listed.stdout)["reason"] == "not_json"


def test_an_article_without_quotes_is_counted_empty_and_is_no_dead_letter(
    new_worker: StartWorker,
) -> None:
    worker = new_worker(model="keywords").start()
    _send(worker.settings, [(b"e", b'{"id": "e", "text": ""}')])
    wait_all_committed(worker.settings, 60, worker)
    assert 'stancewire_articles_total{outcome="empty"} 1.0' in worker.get("/metrics")[1]
    assert worker.metric("dead_letters_total") == 0


def test_an_article_over_its_time_limit_is_buried_and_the_stream_goes_on(
    new_worker: StartWorker,
) -> None:
    articles = numbered_articles(10, seed=13)
    hasty = new_worker(
        model="keywords", batch_wait_seconds=1.0, batch_tokens=60_000, article_timeout_seconds=0.2
    )
    hasty.start()
    publish(hasty.settings, articles)
    wait_all_committed(hasty.settings, 60, hasty)
    letters = list(read_to_end(hasty.settings, hasty.settings.topic_dead_letters))
    assert {read_failure(letter.headers).reason for letter in letters} == {Reason.TIMEOUT}
    assert {letter.key.decode() for letter in letters} == {article.id for article in articles}


def test_a_replayed_letter_is_classified_when_the_cause_is_gone_and_does_not_loop_when_not(
    new_worker: StartWorker,
) -> None:
    """Too long for the first worker, fine for the second; the other letter is poison for both."""
    long_text = {"id": "long", "text": "“We will talk,” Anna Berg said. " + "x" * MAX_CHARS}
    strict = new_worker(model="keywords", max_article_chars=MAX_CHARS).start()
    settings = strict.settings
    _send(settings, [(b"long", json.dumps(long_text).encode()), (b"poison", b"{")])
    wait_all_committed(settings, 60, strict)
    assert strict.terminate() == 0
    assert len(_letters(settings)) == 2

    lenient = new_worker(model="keywords").start()
    dry = run_command(settings, "dead-letters", "replay", "--dry-run")
    assert dry.stdout.count("\n") == 2
    assert (
        run_command(settings, "dead-letters", "replay", "--reason", "text_too_long").returncode == 0
    )
    wait_until(lambda: lenient.metric("quotes_total") == 1, 60, lenient.tail)
    [poison] = _letters(settings)
    assert (poison["reason"], poison["replays"], poison["state"]) == ("not_json", 0, "open")

    assert run_command(settings, "dead-letters", "replay").stdout.count("\n") == 1
    wait_until(lambda: lenient.metric("dead_letters_total") == 1, 60, lenient.tail)
    [again] = _letters(settings)
    assert (again["reason"], again["replays"], again["state"]) == ("not_json", 1, "parked")
    assert lenient.metric("replayed_articles_total") == 2
    assert lenient.metric("parked_dead_letters_total") == 1
    left = run_command(settings, "dead-letters", "replay")
    assert left.stdout == "", "it must not loop"
    assert "1 left parked: replayed before, and failed again; --max-replays 2" in left.stderr
    forced = run_command(settings, "dead-letters", "replay", "--max-replays", "2")
    assert forced.stdout.count("\n") == 1


def _letters(settings: Settings) -> list[dict[str, Any]]:
    listed = run_command(settings, "dead-letters", "list", "--format", "jsonl")
    assert listed.returncode == 0, listed.stderr
    return [json.loads(line) for line in listed.stdout.splitlines()]
