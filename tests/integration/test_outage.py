"""The broker is away: at the start, and in mid-load."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.proxy import Proxy
from service.broker import EmbeddedBroker, free_port
from service.clients import create_topics
from tests.integration.conftest import PARTITIONS
from tests.integration.harness import (
    FAST_GROUP,
    WorkerProcess,
    numbered_articles,
    publish,
    read_outcome,
    settings_for,
    uncommitted,
    wait_all_committed,
    wait_until,
)

OUTAGE_SECONDS = 20


@pytest.fixture
def proxied() -> Iterator[tuple[Proxy, str]]:
    """A proxy, and the address at which the broker is found through it."""
    port = free_port()
    with EmbeddedBroker(advertised_port=port) as broker, Proxy(port, broker.port) as proxy:
        address = f"127.0.0.1:{port}"
        create_topics(settings_for(address), partitions=PARTITIONS, replicas=1)
        yield proxy, address


def test_no_broker_at_the_start_is_said_in_one_line_and_exits_1(tmp_path: Path) -> None:
    settings = settings_for(f"127.0.0.1:{free_port()}", connect_timeout_seconds=3, model="keywords")
    worker = WorkerProcess(settings, tmp_path / "worker.log").start()
    assert worker.process
    assert worker.process.wait(30) == 1
    assert "Unable to bootstrap" in worker.tail()
    assert "Traceback" not in worker.tail()


def test_a_broker_that_comes_up_after_the_worker_is_found(tmp_path: Path) -> None:
    port = free_port()
    articles = numbered_articles(20, seed=6)
    settings = settings_for(f"127.0.0.1:{port}", model="keywords")
    worker = WorkerProcess(settings, tmp_path / "worker.log").start()
    try:
        wait_until(lambda: worker.get("/livez")[0] == 200, 60, worker.tail)
        assert worker.get("/readyz")[0] == 503
        with EmbeddedBroker(port):
            create_topics(settings, partitions=PARTITIONS, replicas=1)
            publish(settings, articles)

            def all_committed() -> bool:
                if worker.process.poll() is not None:  # it met the broker before the topics
                    assert "no topic" in worker.tail()
                    worker.start()
                return not uncommitted(settings)

            wait_until(all_committed, 60, worker.tail)
            read_outcome(settings, articles).assert_complete()
            assert worker.terminate() == 0
    finally:
        worker.stop()


@pytest.mark.timeout(240)
def test_a_broker_lost_for_20_seconds_in_mid_load_loses_nothing(
    proxied: tuple[Proxy, str], tmp_path: Path
) -> None:
    proxy, address = proxied
    articles = numbered_articles(600, seed=5)
    worker = WorkerProcess(settings_for(address, **FAST_GROUP), tmp_path / "worker.log").start()
    try:
        worker.wait_ready()
        publish(worker.settings, articles)
        wait_until(lambda: worker.metric("quotes_total") > 300, 60, worker.tail)

        proxy.disconnect()
        wait_until(lambda: "no connection to Kafka" in worker.get("/readyz")[1], 15, worker.tail)
        time.sleep(OUTAGE_SECONDS)
        proxy.connect()

        _supervise(worker, seconds=150)
        read_outcome(worker.settings, articles).assert_complete()
    finally:
        worker.stop()


@pytest.mark.timeout(180)
def test_what_cannot_be_delivered_in_time_crashes_the_worker_and_is_not_committed(
    proxied: tuple[Proxy, str], tmp_path: Path
) -> None:
    proxy, address = proxied
    articles = numbered_articles(3000, seed=12)
    settings = settings_for(address, model="keywords", delivery_timeout_seconds=2)
    worker = WorkerProcess(settings, tmp_path / "worker.log").start()
    try:
        worker.wait_ready()
        publish(settings, articles)
        wait_until(lambda: worker.metric("quotes_total") > 100, 60, worker.tail)
        proxy.disconnect()
        assert worker.process
        assert worker.process.wait(60) == 1, worker.tail()
        assert "not delivered within 2 s" in worker.log.read_text()

        proxy.connect()
        worker.start()
        wait_all_committed(settings, 90, worker)
        read_outcome(settings, articles).assert_complete()
    finally:
        worker.stop()


def _supervise(worker: WorkerProcess, seconds: float) -> None:
    """Restart the worker when it exits non-zero, until all is committed."""
    deadline = time.monotonic() + seconds
    while True:
        assert worker.process
        code = worker.process.poll()
        if code is not None:
            assert code != 0, "it must not end as if all were well"
            worker.start().wait_ready()
        try:
            wait_all_committed(worker.settings, 5, worker)
        except TimeoutError:
            assert time.monotonic() < deadline, worker.tail()
        else:
            return
