"""Whatever a producer sends, each message is accounted for and its neighbours are classified."""

import asyncio
import json
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from service.clients import read_to_end
from service.dead_letters import ERROR_PREFIX, MAX_KEY_BYTES, Failure, read_failure
from service.errors import Reason
from service.events import Headers
from service.settings import Settings
from tests.fuzz.whole_path import run
from tests.integration.conftest import PARTITIONS, StartWorker
from tests.integration.harness import (
    NumberedArticle,
    WorkerProcess,
    numbered_articles,
    publish,
    read_outcome,
    run_command,
    wait_until,
)
from tests.raw_batches import (
    CODECS,
    Record,
    batch,
    claimed,
    compress,
    compressed,
    send,
    with_foreign_header_name,
)

MIB = 1024**2
LIMIT = 8 * MIB  # max_message_bytes
YEAR_9999 = 253_402_300_799_999
PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
COMPRESSING = [name for name in CODECS if name != "none"]

HUGE = b'{"id": "huge", "text": "' + b"x" * 50_000_000 + b'"}'
MANY_MARKS = json.dumps({"id": "marks", "text": '"' * 1_000_000}).encode()
HEADERS_OF_1_MB = [("h", b"x" * MIB), ("traceparent", b"0" * MIB), ("tracestate", b"s" * MIB)]
ODD_HEADERS: Headers = [("h", b"1"), ("h", None), ("h", b"2"), ("", b"\xff")]  # type: ignore[list-item]

# What is sent, and with what reason it is buried.
BURIED: dict[str, tuple[Record, Reason]] = {
    "50 MB": ((b"huge", HUGE, []), Reason.MESSAGE_TOO_LARGE),
    "too long": (
        (b"long", json.dumps({"id": "l", "text": "x" * 1_000_001}).encode(), []),
        Reason.TEXT_TOO_LONG,
    ),
    "headers of 1 MB": ((b"k", b"{", HEADERS_OF_1_MB), Reason.NOT_JSON),
    "headers that leave no room": ((b"k", b"{", [("h", b"x" * (LIMIT - 9))]), Reason.NOT_JSON),
    "headers beyond the limit": ((b"k", b"{", [("h", b"x" * LIMIT)]), Reason.MESSAGE_TOO_LARGE),
    "too many headers": ((b"k", b"{", [("h", b"")] * 2_000), Reason.MESSAGE_TOO_LARGE),
    "odd headers": ((b"k", b"{", ODD_HEADERS), Reason.NOT_JSON),
    "no key": ((None, b"{", []), Reason.NOT_JSON),
    "neither key nor value": ((None, None, []), Reason.TOMBSTONE),
    "empty key": ((b"", b"{", []), Reason.NOT_JSON),
    "binary key": ((b"\x00\xff\xfe", b"{", []), Reason.NOT_JSON),
    "key of 1 MB": ((b"k" * MIB, b"{", []), Reason.NOT_JSON),
    "key that leaves no room": ((b"k" * (LIMIT - 9), b"{", []), Reason.NOT_JSON),
    "key beyond the limit": ((b"k" * LIMIT, b"{", []), Reason.MESSAGE_TOO_LARGE),
}
DAMAGED = {
    **{f"{codec} garbage": claimed(codec, b"\x00 no such thing") for codec in COMPRESSING},
    **{f"{codec} bomb": claimed(codec, compress(codec, bytes(9 * LIMIT))) for codec in COMPRESSING},
    "header name": with_foreign_header_name([(b"k", b"v", [("NAME", b"")])], b"\xff\xfe"),
    "checksum": bytes(batch([(b"k", b"v", [])])[:-1]) + b"\xff",
}
TIMESTAMPS = [YEAR_9999, 2**63 - 1, 0, -1, -62_135_596_800_000]


def _record(article: NumberedArticle, headers: Headers | None = None) -> Record:
    return article.id.encode(), article.value, headers or []


def _letters(settings: Settings) -> dict[tuple[int, int], tuple[Failure, Record]]:
    """Dead letters by the place that they name."""
    letters = {}
    for record in read_to_end(settings, settings.topic_dead_letters):
        failure = read_failure(record.headers)
        letters[failure.origin.partition, failure.origin.offset] = (
            failure,
            (record.key, record.value, list(record.headers)),
        )
    return letters


def _wait_done(worker: WorkerProcess, articles: int, timeout: float = 60) -> None:
    wait_until(lambda: worker.metric("articles_total") >= articles, timeout, worker.tail)
    assert worker.metric("articles_total") == articles


def _command(settings: Settings, *arguments: str) -> str:
    done = run_command(settings, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_hostile_messages_are_buried_and_their_neighbours_classified(
    new_worker: StartWorker,
) -> None:
    worker = new_worker(model="keywords").start()
    settings = worker.settings
    good = numbered_articles(4 * PARTITIONS + len(TIMESTAMPS) + 1, seed=21)
    publish(settings, good[: 2 * PARTITIONS])
    sent = {name: bytes(batch([record])) for name, (record, _) in BURIED.items()} | DAMAGED
    batches = [(number % PARTITIONS, made) for number, made in enumerate(sent.values())]
    # Good ones that come in hostile company.
    for number, timestamp in enumerate(TIMESTAMPS, 2 * PARTITIONS):
        made = batch([_record(good[number])], timestamp=timestamp)
        batches.append((number % PARTITIONS, bytes(made)))
    dressed = good[2 * PARTITIONS + len(TIMESTAMPS)]
    batches.append((0, bytes(batch([_record(dressed, HEADERS_OF_1_MB)]))))
    batches.append((1, bytes(batch([(b"marks", MANY_MARKS, [])]))))
    offsets = send(settings.brokers, settings.topic_articles, batches)
    publish(settings, good[-2 * PARTITIONS :])
    _wait_done(worker, len(good) + len(sent) + 1)

    outcome = read_outcome(settings, good)
    outcome.assert_complete()
    places = dict(
        zip(sent, zip((place for place, _ in batches), offsets, strict=True), strict=False)
    )
    letters = _letters(settings)
    assert letters.keys() == set(places.values())
    for name, place in places.items():
        reason = BURIED[name][1] if name in BURIED else Reason.UNREADABLE
        assert letters[place][0].reason == reason, name
    for name, (record, _) in BURIED.items():
        _check_letter(name, record, letters[places[name]])
    age = worker.metric("article_age_seconds_sum")
    assert 0 <= age < 1000 * len(good), "a timestamp of another age counts as one"


def _check_letter(name: str, sent: Record, letter: tuple[Failure, Record]) -> None:
    """As received, or as much of it as there is room for."""
    (key, value, headers), (failure, got) = sent, letter
    added = {header: content for header, content in got[2] if header.startswith(ERROR_PREFIX)}
    if failure.reason == Reason.MESSAGE_TOO_LARGE:
        assert (failure.value_omitted, got[1]) == (True, b""), name
        assert len(got[2]) == len(added), name
    elif name in ("headers that leave no room", "key that leaves no room"):
        assert (failure.value_omitted, got[1]) == (True, b""), name
        assert added[ERROR_PREFIX + "headers-omitted"] == str(len(headers)).encode(), name
    else:
        assert not failure.value_omitted, name
        assert got[1] == value, name
        assert got[2][: len(headers)] == headers, name
    short = key if len(key or b"") <= MAX_KEY_BYTES or not failure.value_omitted else None
    assert got[0] == (b"" if key is None and value is None else short), name


def test_batches_of_every_codec_are_read_by_the_worker_and_by_the_commands(
    new_worker: StartWorker,
) -> None:
    worker = new_worker(model="keywords").start()
    settings = worker.settings
    good = numbered_articles(20 * len(CODECS), seed=22)
    for number, codec in enumerate(COMPRESSING):
        records = [_record(article) for article in good[number * 20 :][:20]]
        made = compressed(codec, batch(records))
        assert len(made) < len(batch(records)), "it must be compressed indeed"
        send(settings.brokers, settings.topic_articles, [(number % PARTITIONS, made)])
    publish(settings, good[20 * len(COMPRESSING) :])
    _wait_done(worker, len(good))
    read_outcome(settings, good).assert_complete()

    [event, *_] = read_to_end(settings, settings.topic_quotes)
    for codec in COMPRESSING:
        letter: Record = (codec.encode(), b"{", [(ERROR_PREFIX + "reason", b"not_json")])
        made = compressed(codec, batch([letter] * 9))
        send(settings.brokers, settings.topic_dead_letters, [(0, made)])
        made = compressed(codec, batch([(codec.encode(), event.value, [])] * 9))
        send(settings.brokers, settings.topic_quotes, [(0, made)])
    listed = _command(settings, "dead-letters", "list", "--format", "jsonl").splitlines()
    assert {json.loads(line)["key"] for line in listed} == set(COMPRESSING)
    quotes = sum(len(article.quotes) for article in good) + 9 * len(COMPRESSING)
    tail = ["tail", "--from-beginning", "--limit", str(quotes), "--format", "jsonl"]
    assert len(_command(settings, *tail).splitlines()) == quotes


@pytest.mark.timeout(240)
def test_an_article_of_100_000_quotes_goes_out_whole_and_in_order_and_others_pass_it(
    new_worker: StartWorker,
) -> None:
    count = 100_000
    text = "".join(f"“We go to pier {number}.”\n" for number in range(count))
    worker = new_worker(model="keywords", max_article_chars=len(text)).start().wait_ready()
    settings = worker.settings
    value = json.dumps({"id": "long", "text": text}, ensure_ascii=False).encode()
    send(settings.brokers, settings.topic_articles, [(0, bytes(batch([(b"long", value, [])])))])
    others = numbered_articles(20, seed=23)
    publish(settings, others)
    _wait_done(worker, len(others))
    assert worker.metric("in_flight_articles") == 1, "they waited for it"
    _wait_done(worker, len(others) + 1, timeout=200)

    expected = count + sum(len(article.quotes) for article in others)
    events = [json.loads(value) for value in asyncio.run(_read_values(settings, expected))]
    assert len(events) == expected
    starts = [one["segments"][0][0] for one in events if one["article"]["id"] == "long"]
    assert len(starts) == count
    assert starts == sorted(set(starts)), "not in reading order"


async def _read_values(settings: Settings, expected: int) -> list[bytes]:
    """At least so many quote events, then until none comes; by aiokafka, which is ten times faster
    than what the commands read with."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.brokers, max_partition_fetch_bytes=8 * 1024**2
    )
    await consumer.start()
    try:
        places = [TopicPartition(settings.topic_quotes, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        values: list[bytes] = []
        while (found := await consumer.getmany(timeout_ms=2000)) or len(values) < expected:
            values += [record.value for records in found.values() for record in records]
        return values
    finally:
        await consumer.stop()


@pytest.mark.timeout(240)
def test_a_share_of_the_fuzzer_s_messages_is_accounted_for(tmp_path: Path) -> None:
    """`make fuzz-path` sends 100,000, to two workers."""
    report = run(1_500, seed=20261122, workers=1, folder=tmp_path)
    assert not report.problems, report.problems[:5]
    reasons = {reason.value for reason in Reason}
    never = {"timeout", "classification_failed", "processing_failed"}
    assert report.outcomes.keys() >= reasons - never | {"classified", "empty"}
