"""The worker as operators see it: start, probes, metrics, messages, contracts."""

import json
import socket
import sys
from pathlib import Path

from kafka import KafkaProducer
from prometheus_client.parser import text_string_to_metric_families

from service.broker import EmbeddedBroker
from service.clients import read_to_end
from service.metrics import Metrics
from tests.integration.conftest import PARTITIONS, StartWorker
from tests.integration.harness import (
    VALIDATOR,
    numbered_articles,
    publish,
    read_outcome,
    settings_for,
    wait_all_committed,
    wait_until,
)

TRACE = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")


def test_faust_command_starts_the_same_worker(new_worker: StartWorker) -> None:
    articles = numbered_articles(50, seed=8)
    worker = new_worker(model="keywords")
    worker.arguments = ("faust", "-A", "service.main", "worker")
    worker.start().wait_ready()
    publish(worker.settings, articles)
    wait_all_committed(worker.settings, 60, worker)
    read_outcome(worker.settings, articles).assert_complete()
    assert worker.terminate() == 0


def test_sigterm_while_the_model_loads_ends_it_at_once(new_worker: StartWorker) -> None:
    worker = new_worker().start()
    wait_until(lambda: worker.get("/livez")[0] == 200, 30, worker.tail)
    assert worker.get("/readyz")[0] == 503
    assert worker.terminate(timeout=10) == 0


def test_it_listens_on_loopback_only_and_on_one_port_only(new_worker: StartWorker) -> None:
    worker = new_worker(model="keywords").start().wait_ready()
    assert worker.process
    proc = Path(f"/proc/{worker.process.pid}")
    sockets = {str(file.readlink()) for file in (proc / "fd").iterdir()}
    listening = set()
    for table in ("tcp", "tcp6"):
        for line in (proc / "net" / table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                listening.add((table, *fields[1].split(":")))
    loopback = f"{int.from_bytes(socket.inet_aton('127.0.0.1'), sys.byteorder):08X}"
    assert listening == {("tcp", loopback, f"{worker.settings.http_port:04X}")}


def test_every_metric_promised_is_there_from_the_start(new_worker: StartWorker) -> None:
    worker = new_worker(model="keywords").start().wait_ready()
    served = {family.name for family in text_string_to_metric_families(worker.get("/metrics")[1])}
    promised = {family.name for family in Metrics().registry.collect()}
    assert promised <= served
    assert {name for name in promised if name.startswith("stancewire_")} >= {
        f"stancewire_{name}"
        for name in (
            "articles",
            "quotes",
            "dead_letters",
            "article_seconds",
            "article_age_seconds",
            "inference_seconds",
            "inference_quotes",
            "in_flight_articles",
            "consumer_lag",
            "model_info",
        )
    }


def test_lag_is_right_while_no_message_arrives(
    broker: EmbeddedBroker, new_worker: StartWorker
) -> None:
    """Also where the broker's end offsets are wrong, and where reading is paused."""
    publish(settings_for(broker.address), numbered_articles(30, seed=9))
    first = new_worker(model="keywords").start().wait_ready()
    wait_until(lambda: first.metric("articles_total") == 30, 30, first.tail)
    wait_until(lambda: first.samples("consumer_lag") == [0.0] * PARTITIONS, 15, first.tail)
    assert first.terminate() == 0

    # One article at a time, a second each: nearly all of these wait in a paused partition.
    publish(settings_for(broker.address), numbered_articles(40, seed=10, prefix="later"))
    slow = new_worker(
        model="keywords", max_in_flight_articles=1, batch_wait_seconds=1.0, batch_tokens=60_000
    )
    slow.start().wait_ready()
    wait_until(lambda: len(slow.samples("consumer_lag")) == PARTITIONS, 15, slow.tail)
    # Until the first fetch has told where a partition ends, the embedded broker understates it.
    wait_until(lambda: slow.metric("consumer_lag") > 30, 15, slow.tail)
    lag, done = slow.metric("consumer_lag"), slow.metric("articles_total")
    assert 40 - done - 1 <= lag <= 40


def test_quote_messages_are_cloud_events_keyed_by_article_and_carry_the_trace(
    new_worker: StartWorker,
) -> None:
    worker = new_worker(model="keywords").start()
    article = {
        "id": "traced",
        "title": "Mayor ‘not convinced’ by figures",
        "text": "“Two doors are open,” Anna Berg said.",
        "published_at": "2026-11-21T21:36:00Z",
    }
    client = KafkaProducer(bootstrap_servers=worker.settings.brokers)
    client.send(
        worker.settings.topic_articles,
        key=b"whatever",
        value=json.dumps(article).encode(),
        headers=[TRACE, ("private", b"not passed on")],
    )
    client.close()
    wait_all_committed(worker.settings, 60, worker)

    records = list(read_to_end(worker.settings, worker.settings.topic_quotes))
    events = [json.loads(record.value) for record in records]
    assert events[-1]["speaker"]["name"] == "Anna Berg"
    for record, event in zip(records, events, strict=True):
        assert not list(VALIDATOR.iter_errors(event))
        assert record.key == b"traced"
        headers = dict(record.headers)
        assert headers["ce_id"].decode() == event["id"]
        assert headers["ce_specversion"] == b"1.0"
        assert headers["traceparent"] == TRACE[1]
        assert "private" not in headers
        received = article[event["in"]]
        assert event["segments"]
        assert all(received[start:end] for start, end in event["segments"])


def test_a_missing_topic_is_named_and_exits_1(new_worker: StartWorker) -> None:
    worker = new_worker(model="keywords", topic_quotes="not.there").start()
    assert worker.process
    assert worker.process.wait(60) == 1
    assert "no topic not.there" in worker.tail()
    assert "stancewire topics create" in worker.tail()
