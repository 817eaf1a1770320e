"""Builds the Faust app from settings: topics, agent, consumer, health. The only wiring.

Starting order: settings, HTTP port, model, topics, then Kafka. Whatever is wrong with the first
four is one clear line on standard error and an exit code, before Kafka is joined.
"""

import asyncio
import contextlib
import gc
import logging
import logging.config
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, cast

import faust
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from faust.app.base import BootStrategy
from faust.exceptions import ConsumerNotStarted, ProducerSendError
from faust.types import StreamT

from models import Classifier
from service.agent import ArticleAgent, MessageTooLarge
from service.clients import require_topics
from service.errors import FatalError
from service.events import Headers
from service.health import BEAT_SECONDS, Health, HttpServer
from service.logs import logging_config
from service.metrics import Metrics
from service.model import load_model
from service.offsets import OffsetLedger
from service.settings import Settings
from service.transport import LedgerConsumer, ledger_transport
from service.warm_up import warm_up

log = logging.getLogger(__name__)

LAG_SECONDS = 2.0
SWITCH_SECONDS = 0.001
CONNECT_SECONDS = 2.0
# Beyond the drain: for the last commit, the producer's flush and leaving the group.
MARGIN_SECONDS = 8.0


class _NoFaustWeb(BootStrategy):
    """Faust's own web server listens on all interfaces whatever one sets: never start it."""

    enable_web = False


class BareApp(faust.App):
    """A Faust app that stores nothing on disk and brings no web server of its own."""

    BootStrategy = _NoFaustWeb

    def _create_directories(self) -> None:
        """Faust would make its data folder even where no table needs one."""


class StancewireWorker(faust.Worker):
    """A Faust worker that is ready to work before it joins Kafka, and never hangs when it leaves.

    Used by `stancewire worker` and by `faust -A service.main worker` alike.
    """

    app: "StancewireApp"

    def __init__(self, app: "StancewireApp", *services: Any, **kwargs: Any) -> None:
        super().__init__(app, *services, **kwargs)
        self.spinner = None  # our log says when the worker is ready; no terminal tricks

    def execute_from_commandline(self) -> NoReturn:
        """Run until a signal or a crash; exit code 0, 1 or 2."""
        runtime = self.app.runtime
        logging.config.dictConfig(logging_config(runtime.settings.log_level))
        # Faust listens to signals only later, and process 1 of a container ignores them by default.
        signal.signal(signal.SIGTERM, _end)
        try:
            runtime.prepare()
            super().execute_from_commandline()
        except FatalError as error:
            sys.stderr.write(f"stancewire: {error}\n")
            raise SystemExit(error.exit_code) from None
        except SystemExit as end:  # Faust has more codes than we promise
            raise SystemExit(end.code if end.code in (0, 1, 2) else 1) from None
        finally:
            runtime.http.stop()

    def _on_sigterm(self) -> None:
        self.app.runtime.leave(exit_code=1)
        super()._on_sigterm()

    def _on_sigint(self) -> None:
        self.app.runtime.leave(exit_code=1)
        super()._on_sigint()

    def _on_sigusr2(self) -> None:
        """Faust would open a debugger, for whoever may send a signal."""


def _end(*_: object) -> NoReturn:
    """Nothing is in work yet: end at once. A half-done import might swallow an exception."""
    os._exit(0)


class StancewireApp(BareApp):
    """The service's app, and what lives beside it."""

    logger = logging.getLogger("faust.app")
    runtime: "Runtime"


class Runtime:
    """What lives beside the Faust app in one worker process."""

    def __init__(self, settings: Settings, current_generation: Callable[[], int]) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.ledger = OffsetLedger(current_generation)
        self.health = Health(
            # The longest way that is not stuck: quotes refused by the broker for their size, then
            # the dead letter, then the dead letter without its value.
            in_flight_limit_seconds=settings.article_timeout_seconds
            + 3 * settings.delivery_timeout_seconds
            + MARGIN_SECONDS,
            call_limit_seconds=settings.article_timeout_seconds + MARGIN_SECONDS,
        )
        self.http = HttpServer(settings.http_host, settings.http_port, self.health, self.metrics)
        self.classifier: Classifier | None = None
        self.call_tokens = 0  # known when the classifier is

    def prepare(self) -> None:
        """Everything that can go wrong without Kafka, then: is Kafka there, are the topics?

        Raises:
            FatalError: with the exit code.
        """
        port = self.http.start()
        log.info("serving /metrics, /livez and /readyz on %s:%d", self.settings.http_host, port)
        self.classifier = load_model(self.settings)
        self.call_tokens = warm_up(self.classifier)
        labels = self.classifier.labels
        self.metrics.set_model(
            self.classifier.name,
            self.classifier.version,
            labels.version,
            (*labels.names, "none"),
        )
        # Python's threads take turns of 5 ms otherwise: a long article's splitter would hold up the
        # event loop at each of its steps.
        sys.setswitchinterval(SWITCH_SECONDS)
        gc.freeze()  # what is loaded stays: no collection need look through it again
        self.health.model_loaded = True
        log.info("model %s %s is loaded", self.classifier.name, self.classifier.version)
        require_topics(self.settings)

    def leave(self, *, exit_code: int) -> None:
        """Begin to stop, and end all the same if that hangs: a broker that does not answer.

        Nothing is lost by a hard end: what is not delivered is not committed.
        """
        if self.health.stopping:
            return
        self.health.stopping = True
        limit = self.settings.drain_timeout_seconds + MARGIN_SECONDS

        def end() -> None:
            log.critical("could not leave cleanly within %g s: ending", limit)
            os._exit(exit_code)

        timer = threading.Timer(limit, end)
        timer.daemon = True
        timer.start()


def create_app(settings: Settings) -> StancewireApp:
    """A Faust app, ready for a worker; nothing is loaded, bound or connected yet."""
    app = StancewireApp(
        settings.group,
        broker=";".join(f"kafka://{address}" for address in settings.brokers.split(",")),
        # Faust reads its own settings from the environment too; this prefix is never set.
        env_prefix="STANCEWIRE_FAUST_UNUSED_",
        Worker=StancewireWorker,
        logging_config=logging_config(settings.log_level),
        worker_redirect_stdouts=False,
        key_serializer="raw",
        value_serializer="raw",
        store="memory://",
        web_host=settings.http_host,  # shown in Faust's banner; the server is ours
        web_port=settings.http_port or 6066,
        agent_supervisor="mode.CrashingSupervisor",
        consumer_auto_offset_reset=settings.start_from,
        stream_wait_empty=True,
        stream_buffer_maxsize=64,
        broker_max_poll_records=200,
        consumer_max_fetch_size=settings.max_message_bytes,
        broker_commit_interval=settings.commit_interval_seconds,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.heartbeat_seconds,
        broker_rebalance_timeout=settings.rebalance_timeout_seconds,
        broker_request_timeout=max(40.0, settings.session_timeout_seconds),
        broker_max_poll_interval=300.0,
        # This also selects the group's assignor: changing it needs a full stop of the group.
        table_standby_replicas=0,
        topic_disable_leader=True,
        topic_allow_declare=False,
        producer_acks=-1,
        producer_linger=0.005,
        producer_max_batch_size=131_072,
        producer_max_request_size=settings.max_message_bytes,
        producer_request_timeout=settings.delivery_timeout_seconds,
    )
    runtime = app.runtime = Runtime(settings, lambda: app.consumer_generation_id)
    transport = ledger_transport(
        runtime.ledger,
        drain_timeout_seconds=settings.drain_timeout_seconds,
        fetch_wait_seconds=settings.fetch_wait_seconds,
    )
    app.transport = transport(app.conf.broker_consumer, app)
    _add_agent(app, runtime)
    _add_watchers(app, runtime)
    return app


def _add_agent(app: StancewireApp, runtime: Runtime) -> None:
    settings = runtime.settings

    async def send(
        topic: str, key: bytes | None, value: bytes | None, headers: Headers
    ) -> Awaitable[object]:
        try:
            delivery = await app.producer.send(topic, key, value, None, None, headers)
        except ProducerSendError as error:
            if isinstance(error.__cause__, MessageSizeTooLargeError):
                raise MessageTooLarge(str(error.__cause__)) from error
            raise
        return _acknowledged(delivery)

    async def crash(error: BaseException) -> None:
        runtime.leave(exit_code=1)
        await app.crash(error)

    @app.agent(app.topic(settings.topic_articles, value_serializer="raw"), name="articles")
    async def articles(stream: StreamT[bytes]) -> None:
        assert runtime.classifier is not None, "prepare() comes first"  # noqa: S101
        agent = ArticleAgent(
            settings,
            runtime.classifier,
            runtime.call_tokens,
            runtime.ledger,
            send,
            crash,
            runtime.metrics,
            runtime.health,
        )
        await agent.run(stream)


async def _acknowledged(delivery: Awaitable[object]) -> object:
    try:
        return await delivery
    except MessageSizeTooLargeError as error:
        raise MessageTooLarge(str(error)) from error


def _add_watchers(app: StancewireApp, runtime: Runtime) -> None:
    health = runtime.health

    @app.task  # type: ignore[untyped-decorator]
    async def watch() -> None:
        """Tell the HTTP thread how the worker's loop and its connections do."""
        while not app.should_stop:
            health.beat()
            health.connected = await _is_connected(app)
            health.rebalancing = bool(app.rebalancing)
            health.assigned = len(_assignment(app))
            await asyncio.sleep(BEAT_SECONDS)

    @app.task  # type: ignore[untyped-decorator]
    async def watch_lag() -> None:
        while not app.should_stop:
            try:
                runtime.metrics.set_lag(await _lag(app))
            except Exception as error:  # a rebalance, a broker away: the next round will do
                log.debug("lag not known: %r", error)
            await asyncio.sleep(LAG_SECONDS)


async def _lag(app: StancewireApp) -> dict[tuple[str, int], int]:
    """Messages not committed, for each assigned partition, also while nothing arrives.

    The end is the higher of two answers: the high watermark of the last fetch is stale while a full
    buffer pauses a partition, and the end offset asked for is too low on the embedded broker.
    """
    assigned = _assignment(app)
    if not assigned:
        return {}
    ends = await app.consumer.highwaters(*assigned)
    begins = await app.consumer.earliest_offsets(*assigned)
    positions = cast(LedgerConsumer, app.consumer).committed
    lag: dict[tuple[str, int], int] = {}
    for tp in assigned:
        end = max(app.consumer.highwater(tp) or 0, ends.get(tp) or 0)
        committed = max(positions(tp), begins.get(tp) or 0)
        lag[tp.topic, tp.partition] = max(0, end - committed)
    return lag


def _assignment(app: StancewireApp) -> set[Any]:
    try:
        return set(app.consumer.assignment())
    except ConsumerNotStarted:
        return set()


async def _is_connected(app: StancewireApp) -> bool:
    """Does the producer hold a connection to any broker? If not, try to get one."""
    producer = getattr(app.producer, "_producer", None)
    if producer is None:
        return False
    client = producer.client
    if not any(connection.connected() for connection in client._conns.values()):
        with contextlib.suppress(TimeoutError, KafkaError):
            await asyncio.wait_for(client.force_metadata_update(), CONNECT_SECONDS)
    return any(connection.connected() for connection in client._conns.values())
