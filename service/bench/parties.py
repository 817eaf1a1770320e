"""The processes that are measured: each with topics and a group of its own on one broker."""

import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import psutil

from service.broker import HOST, free_port
from service.clients import create_topics
from service.demo import HEARTBEAT_SECONDS, SESSION_TIMEOUT_SECONDS
from service.processes import WORKER, WORKER_STOP_SECONDS, start_module, stop_process
from service.settings import Settings

# Quotes arrive in portions of this length: the embedded broker holds a fetch to its end. A shorter
# one costs the processor more.
FETCH_WAIT_SECONDS = 0.1
NAIVE, SERVICE, FORWARD, PATH = "naive", "stancewire", "forward", "stancewire-keywords"
PARTIES = (NAIVE, SERVICE, PATH, FORWARD)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process has used."""

    cpu_seconds: float
    resident_bytes: int


def party_settings(settings: Settings, party: str, run: str, **overrides: object) -> Settings:
    """Settings for one run of a party: its own topics and group, no cache of scores.

    Without the cache every quote is scored, by the service as by what it is compared with.
    """
    name = f"bench.{party}.{run}"
    return settings.model_copy(
        update={
            "group": name,
            "topic_articles": f"{name}.articles",
            "topic_quotes": f"{name}.quotes",
            "topic_dead_letters": f"{name}.dead",
            "model": "keywords" if party == PATH else settings.model,
            "cache_quotes": 0,
            "session_timeout_seconds": SESSION_TIMEOUT_SECONDS,
            "heartbeat_seconds": HEARTBEAT_SECONDS,
            "http_host": HOST,
            "http_port": free_port(),
            "log_level": "WARNING",
            "fetch_wait_seconds": FETCH_WAIT_SECONDS,
            **overrides,
        }
    )


class Party:
    """One process; use as a context manager. It has its topics when it starts."""

    def __init__(self, party: str, settings: Settings, partitions: int, log: Path) -> None:
        self.settings = settings
        peer = party in (NAIVE, FORWARD)
        self._arguments = ("service.bench.peers", party) if peer else WORKER
        self._partitions = partitions
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Party":
        create_topics(self.settings, partitions=self._partitions, replicas=1)
        self._process = start_module(self._arguments, self.settings, self._log)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            stop_process(self._process, WORKER_STOP_SECONDS)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid if self._process else 0

    def cost(self) -> Cost:
        """Used up to now."""
        process = psutil.Process(self.pid)
        times = process.cpu_times()
        return Cost(times.user + times.system, process.memory_info().rss)


class ModelAlone:
    """The model without anything around it, in a process of its own; use as a context manager.

    Batches are cut over all quotes, sorted by length, and run on all cores.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))

    def __enter__(self) -> "ModelAlone":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def rates(self, quotes: Sequence[str], passes: int) -> list[float]:
        """Quotes a second of each pass, after one to warm up."""
        return self._pool.submit(_score_all, self._settings, list(quotes), passes).result()


def _score_all(settings: Settings, quotes: list[str], passes: int) -> list[float]:
    from service.model import load_model

    classifier = load_model(settings)
    classifier.score(quotes[:200])
    rates = []
    for _ in range(passes):
        started = time.perf_counter()
        classifier.score(quotes)
        rates.append(len(quotes) / (time.perf_counter() - started))
    return rates
