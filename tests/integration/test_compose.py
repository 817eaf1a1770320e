"""What compose.yaml starts of ours does the main job, with its commands and its settings.

No container engine is at hand in a test: the same processes, on the embedded broker.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from chaos.workers import WorkerProcess
from service.broker import EmbeddedBroker
from service.clients import read_to_end
from service.processes import stop_process, worker_environment
from service.settings import Settings
from tests.integration.harness import NumberedArticle, publish, settings_for, wait_until

DEPLOY = Path(__file__).parents[2] / "deploy"
SERVICES = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
# Tallies are of what was published in the last seven days; the sample articles are older.
NEWS = NumberedArticle(
    "a1", b'{"id": "a1", "title": "", "text": "\\"We will see,\\" said Anna Berg, the minister."}'
)


@pytest.fixture
def settings() -> Iterator[Settings]:
    with EmbeddedBroker() as broker:
        yield settings_for(broker.address)


@contextmanager
def started(name: str, settings: Settings, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A service of the file; what it mounts is found in the checkout, its broker is the test's."""
    service = SERVICES[name]
    mounts = dict(mount.split(":")[1::-1] for mount in service.get("volumes", []))
    command = [str(DEPLOY / mounts.get(one, one)) if one in mounts else one
               for one in service.get("command", ["worker"])]  # fmt: skip
    assert service["environment"]["STANCEWIRE_BROKERS"] == "kafka:29092"
    here = {"STANCEWIRE_BROKERS": settings.brokers, "STANCEWIRE_HTTP_PORT": str(settings.http_port)}
    environment = worker_environment(Settings()) | service["environment"] | here
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", *command],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            stop_process(process, 30)


@pytest.mark.timeout(180)
def test_composes_commands_and_settings_deliver_quotes_and_tallies(
    settings: Settings, tmp_path: Path
) -> None:
    logs = {name: tmp_path / name for name in ("topics", "worker", "speakers", "publisher")}
    with started("topics", settings, logs["topics"]) as topics:
        assert topics.wait(60) == 0, logs["topics"].read_text()
    with (
        started("worker", settings, logs["worker"]),
        started("speakers", settings, logs["speakers"]),
    ):
        worker = WorkerProcess(settings, logs["worker"])
        wait_until(lambda: worker.get("/readyz")[0] == 200, 60, worker.tail)
        with started("publisher", settings, logs["publisher"]) as publisher:
            assert publisher.wait(60) == 0, logs["publisher"].read_text()
        wait_until(lambda: len(list(read_to_end(settings, settings.topic_quotes))) >= 60, 60)
        publish(settings, [NEWS])
        wait_until(lambda: "Anna Berg" in logs["speakers"].read_text(), 60)
    first = logs["worker"].read_text().splitlines()[0]
    assert json.loads(first)["level"] == "INFO"
