"""The worker as operators see it: start, probes, metrics, messages, contracts."""

import json
import os
import socket
import sys

from kafka import KafkaProducer
from prometheus_client.parser import text_string_to_metric_families

from service.broker import EmbeddedBroker
from service.clients import read_to_end
from service.metrics import Metrics
from tests.integration.conftest import StartWorker
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
    worker.command = (sys.executable, "-m", "faust", "-A", "service.main", "worker")
    worker.start().wait_ready()
    publish(worker.settings, articles)
    wait_all_committed(worker.settings, 60, worker)
    read_outcome(worker.settings, articles).assert_complete()
    assert worker.terminate() == 0


def test_it_listens_on_loopback_only_and_on_one_port_only(new_worker: StartWorker) -> None:
    worker = new_worker(model="keywords").start().wait_ready()
    assert worker.process
    inodes = {
        os.readlink(f"/proc/{worker.process.pid}/fd/{name}")
        for name in os.listdir(f"/proc/{worker.process.pid}/fd")
    }
    listening = set()
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{worker.process.pid}/net/{table}") as lines:
            for fields in (line.split() for line in list(lines)[1:]):
                if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
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


def test_lag_is_right_while_no_message_arrives_and_nothing_was_ever_committed(
    broker: EmbeddedBroker, new_worker: StartWorker
) -> None:
    """Read from the end: 30 articles wait from before, which this group has not read."""
    articles = numbered_articles(30, seed=9)
    publish(settings_for(broker.address), articles)
    first = new_worker(model="keywords").start().wait_ready()
    wait_until(lambda: first.metric("articles_total") == 30, 30, first.tail)
    wait_until(lambda: first.metric("consumer_lag") == 0, 30, first.tail)
    assert 'stancewire_consumer_lag{partition="0",topic="articles"} 0.0' in first.get("/metrics")[1]
    assert first.terminate() == 0

    publish(settings_for(broker.address), numbered_articles(40, seed=10, prefix="later"))
    # So slow a batcher that nothing is delivered while lag is looked at.
    slow = new_worker(model="tests.none", max_in_flight_articles=1)
    slow.settings = slow.settings.model_copy(update={"model": "keywords", "batch_wait_seconds": 1.0})
    slow.start().wait_ready()
    wait_until(lambda: slow.metric("consumer_lag") > 20, 10, slow.get("/metrics")[1].__str__)
    lag, done = slow.metric("consumer_lag"), slow.metric("articles_total")
    assert lag <= 40
    assert lag + done >= 40 - 8, (lag, done)


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


def test_the_output_that_cannot_be_delivered_crashes_the_worker_and_commits_nothing(
    broker: EmbeddedBroker, new_worker: StartWorker
) -> None:
    articles = numbered_articles(30, seed=11)
    worker = new_worker(model="keywords", delivery_timeout_seconds=2).start().wait_ready()
    # The output topic goes away under the running worker.
    from service.clients import admin

    with admin(worker.settings) as client:
        client.delete_topics([worker.settings.topic_quotes])
    publish(worker.settings, articles)
    assert worker.process
    code = worker.process.wait(60)
    assert code == 1, worker.tail()
    assert "not delivered within" in worker.tail() or "not delivered" in worker.log.read_text()
