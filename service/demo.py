"""The main job on one machine: embedded broker, real worker process, sample articles, quotes.

Leaves nothing behind: processes, ports and the temporary folder go when the demo ends, however it
ends (kill -9 excepted); unless `keep` is set.
"""

import contextlib
import json
import re
import shutil
import signal
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from seeds import sample_articles
from service.broker import HOST, EmbeddedBroker, free_port
from service.clients import create_topics, producer, read_to_end
from service.errors import FatalError
from service.inputs import read_articles
from service.processes import WORKER, WORKER_STOP_SECONDS, start_module, stop_process
from service.security import PLAIN_CONNECTION
from service.settings import Settings

PARTITIONS = 4
START_TIMEOUT_SECONDS = 60.0
FINISH_TIMEOUT_SECONDS = 60.0
SESSION_TIMEOUT_SECONDS = 6.0  # the group forms in half of it
HEARTBEAT_SECONDS = 2.0
# The embedded broker holds a fetch to the end, whatever arrives meanwhile.
FETCH_WAIT_SECONDS = 0.02


@dataclass(frozen=True)
class DemoResult:
    """What the demo shows at its end."""

    events: list[dict[str, Any]]
    lines: list[bytes]  # the same, as read from the output topic
    metrics: str
    brokers: str
    http: str
    kept: tuple[int, ...]  # process ids left running
    folder: Path | None  # where their logs are


def run_demo(settings: Settings, *, keep: bool = False) -> DemoResult:
    """Run the main job once.

    Args:
        settings: model and labels to use; brokers and ports are the demo's own.
        keep: leave broker and worker running.

    Raises:
        FatalError: a part did not start or did not finish; the message ends with the worker's log.
    """
    with contextlib.ExitStack() as stack:
        interrupts = stack.enter_context(_Interrupts())
        with interrupts.deferred():
            folder = Path(tempfile.mkdtemp(prefix="stancewire-demo-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        steps = stack.enter_context(_progress())
        steps.next("starting the broker")
        with interrupts.deferred():
            broker = stack.enter_context(EmbeddedBroker(log=folder / "broker.log"))
        own = _own_settings(settings, broker)
        create_topics(own, partitions=PARTITIONS, replicas=1)
        steps.next("starting the worker")
        with interrupts.deferred():
            worker = stack.enter_context(_Worker(own, folder / "worker.log"))
        worker.wait_until_ready()
        steps.next("publishing the sample articles")
        published = _publish(own)
        steps.next("classifying quotes")
        worker.wait_until_finished(len(published))
        steps.next("reading the quotes")
        lines = _read_quotes(own, published)
        metrics = _summary(_get(own, "/metrics"))
        kept: tuple[int, ...] = ()
        if keep:
            stack.pop_all()  # nothing of the above is undone
            steps.close()
            kept = (worker.process.pid, broker.pid or 0)
    return DemoResult(
        events=[json.loads(line) for line in lines],
        lines=lines,
        metrics=metrics,
        brokers=own.brokers,
        http=f"http://{own.http_host}:{own.http_port}",
        kept=kept,
        folder=folder if keep else None,
    )


class _Steps:
    """Progress for people: on a terminal only, on standard error."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._progress.start()
        self._task = self._progress.add_task("", total=5)
        self._done = -1

    def next(self, description: str) -> None:
        self._done += 1
        self._progress.update(self._task, description=description, completed=self._done)

    def close(self) -> None:
        self._progress.stop()


@contextlib.contextmanager
def _progress() -> Iterator[_Steps]:
    steps = _Steps()
    try:
        yield steps
    finally:
        steps.close()


class _Interrupts:
    """SIGINT, SIGTERM and SIGHUP unwind the demo, but never between a process and its keeper."""

    NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self._deferring = False
        self._pending: int | None = None

    def __enter__(self) -> "_Interrupts":
        self._previous = {number: signal.signal(number, self._on) for number in self.NUMBERS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """What comes meanwhile is acted on at the end."""
        self._deferring = True
        try:
            yield
        finally:
            self._deferring = False
        if self._pending is not None:
            raise SystemExit(128 + self._pending)

    def _on(self, number: int, _: FrameType | None) -> None:
        if not self._deferring:
            raise SystemExit(128 + number)
        self._pending = number


def _own_settings(settings: Settings, broker: EmbeddedBroker) -> Settings:
    return settings.model_copy(
        update={
            "brokers": broker.address,
            **PLAIN_CONNECTION,
            "http_host": HOST,
            "http_port": free_port(),
            "session_timeout_seconds": SESSION_TIMEOUT_SECONDS,
            "heartbeat_seconds": HEARTBEAT_SECONDS,
            "commit_interval_seconds": 0.5,
            "fetch_wait_seconds": FETCH_WAIT_SECONDS,
        }
    )


class _Worker:
    """One worker process. Not a generator: with `keep` it must outlive the stack it is on."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self._settings = settings
        self._log = log
        self.process = start_module(WORKER, settings, log)

    def __enter__(self) -> "_Worker":
        return self

    def __exit__(self, *_: object) -> None:
        stop_process(self.process, WORKER_STOP_SECONDS)

    def wait_until_ready(self) -> None:
        """Raises FatalError when it takes too long."""
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not _is_ready(self._settings):
            self._check(deadline, "was not ready")
            time.sleep(0.1)

    def wait_until_finished(self, published: int) -> None:
        """Raises FatalError when it takes too long."""
        deadline = time.monotonic() + FINISH_TIMEOUT_SECONDS
        while _finished_articles(_get(self._settings, "/metrics")) < published:
            self._check(deadline, "did not finish")
            time.sleep(0.1)

    def _check(self, deadline: float, what: str) -> None:
        code = self.process.poll()
        if code is not None:
            raise FatalError(f"the worker ended with code {code}\n{self._tail()}")
        if time.monotonic() > deadline:
            raise FatalError(f"the worker {what} in time\n{self._tail()}")

    def _tail(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])


def _publish(settings: Settings) -> list[str]:
    """The ids of the sample articles, in their order."""
    published = []
    with producer(settings) as client:
        for raw in read_articles([str(sample_articles())]):
            article_id: str = json.loads(raw.value)["id"]
            client.send(settings.topic_articles, key=article_id.encode(), value=raw.value)
            published.append(article_id)
    return published


def _read_quotes(settings: Settings, order: list[str]) -> list[bytes]:
    """Events in the order of the articles, each article's in the order they were sent."""
    records = read_to_end(settings, settings.topic_quotes)
    by_article = [(order.index(record.key.decode()), record.value) for record in records]
    return [value for _, value in sorted(by_article, key=lambda pair: pair[0])]


def _is_ready(settings: Settings) -> bool:
    try:
        return _get(settings, "/readyz") == "ok\n"
    except OSError:  # not listening yet, or 503: not ready yet
        return False


def _get(settings: Settings, path: str) -> str:
    url = f"http://{settings.http_host}:{settings.http_port}{path}"
    with urllib.request.urlopen(url, timeout=5) as response:
        text: str = response.read().decode()
        return text


def _finished_articles(metrics: str) -> int:
    counts = re.findall(r"^stancewire_articles_total\{.*\} (\S+)$", metrics, re.MULTILINE)
    return int(sum(map(float, counts)))


def _summary(metrics: str) -> str:
    """One line of what `/metrics` says."""

    def value(name: str) -> float:
        found = re.search(rf"^stancewire_{re.escape(name)} (\S+)$", metrics, re.MULTILINE)
        return float(found[1]) if found else 0.0

    stances = re.findall(
        r'^stancewire_quotes_total\{stance="(\w+)"\} (\S+)$', metrics, re.MULTILINE
    )
    counted = ", ".join(f"{int(float(count))} {stance}" for stance, count in stances)
    calls = value("inference_seconds_count")
    spent = value("inference_seconds_sum")
    return (
        f"{_finished_articles(metrics)} articles, quotes: {counted}; "
        f"{calls:.0f} model calls in {spent:.2f} s"
    )
