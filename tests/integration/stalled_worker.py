"""The real worker, with one part of it made to hang: `python -m tests.integration.stalled_worker`.

The variable STALL names the part. It hangs once articles have been delivered.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from typing import Any

from models.keywords import KeywordClassifier
from service import guard, health
from service.app import StancewireApp, StancewireWorker, create_app
from service.settings import load_settings
from service.transport import FetchThread, LedgerConsumer

ENOUGH_ARTICLES = 20
FOR_EVER_SECONDS = 1_000.0
SLOW_SECONDS = 8.0

# Untyped, because they are tampered with.
Consumer: Any = LedgerConsumer
Thread: Any = FetchThread
Model: Any = KeywordClassifier

app: StancewireApp


async def _hang(*_: object, **__: object) -> Any:
    await asyncio.sleep(FOR_EVER_SECONDS)


def _enough() -> bool:
    delivered = app.runtime.metrics.article_seconds.collect()
    [count] = [s.value for one in delivered for s in one.samples if s.name.endswith("_count")]
    return count >= ENOUGH_ARTICLES


def stall_reading() -> None:
    """The consumer hands out nothing more and says nothing."""
    read = Consumer._wait_next_records

    async def wait_next_records(self: LedgerConsumer, timeout: float) -> Any:  # noqa: ASYNC109
        return await (_hang() if _enough() else read(self, timeout))

    Consumer._wait_next_records = wait_next_records


def stall_committing() -> None:
    """Commits never come back."""
    Thread.commit = _hang


def stall_consumer_thread() -> None:
    """The thread around the Kafka client answers nothing more, heartbeats and fetches included."""
    fetch = Thread._fetch_records

    async def fetch_records(self: FetchThread, *args: Any, **kwargs: Any) -> Any:
        if _enough():
            time.sleep(FOR_EVER_SECONDS)  # noqa: ASYNC251 - blocking is what is tried
        return await fetch(self, *args, **kwargs)

    Thread._fetch_records = fetch_records


def stall_loop() -> None:
    """The event loop itself hangs: nothing can be stopped in order any more."""
    health.STUCK_AFTER_SECONDS = 5.0
    read = Consumer._wait_next_records

    async def wait_next_records(self: LedgerConsumer, timeout: float) -> Any:  # noqa: ASYNC109
        if _enough():
            time.sleep(FOR_EVER_SECONDS)  # noqa: ASYNC251 - blocking is what is tried
        return await read(self, timeout)

    Consumer._wait_next_records = wait_next_records


def slow_model() -> None:
    """Nothing hangs: every call of the model takes longer than a standstill may last."""
    score = Model.score_encoded

    def score_slowly(self: KeywordClassifier, batch: Sequence[Any]) -> Any:
        if app.runtime.health.assigned:  # not while the worker warms up
            time.sleep(SLOW_SECONDS)
        return score(self, batch)

    Model.score_encoded = score_slowly


if __name__ == "__main__":
    guard.GRACE_SECONDS = 3.0
    globals()[os.environ["STALL"]]()
    settings = load_settings()
    app = create_app(settings)
    StancewireWorker(app, loglevel=settings.log_level).execute_from_commandline()
