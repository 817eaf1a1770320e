"""A fresh broker with topics for each test, and workers that end with it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from service.broker import EmbeddedBroker
from service.clients import create_topics
from tests.integration.harness import WorkerProcess, settings_for

PARTITIONS = 4
StartWorker = Callable[..., WorkerProcess]


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        create_topics(settings_for(running.address), partitions=PARTITIONS, replicas=1)
        yield running


@pytest.fixture
def new_worker(broker: EmbeddedBroker, tmp_path: Path) -> Iterator[StartWorker]:
    """Makes workers, not yet started; all are ended after the test."""
    workers: list[WorkerProcess] = []

    def make(**overrides: Any) -> WorkerProcess:
        settings = settings_for(overrides.pop("brokers", broker.address), **overrides)
        worker = WorkerProcess(settings, tmp_path / f"worker-{len(workers)}.log")
        workers.append(worker)
        return worker

    yield make
    for worker in workers:
        worker.stop()


# kafka-python 3.0.12 leaves a socket to the garbage collector when a client is closed while it
# still connects (manager._connect is cancelled) or still writes (transport.close waits for a flush
# that never comes): a warning at some later moment, in whatever test runs then.
LEFT_BY_KAFKA_PYTHON = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Longest first, so that two processes end at about the same time."""

    def seconds_allowed(item: pytest.Item) -> float:
        mark = item.get_closest_marker("timeout")
        return float(mark.args[0]) if mark else 0.0

    items.sort(key=seconds_allowed, reverse=True)
    for item in items:
        item.add_marker(LEFT_BY_KAFKA_PYTHON)
