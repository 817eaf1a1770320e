"""Builds the Faust app from settings: topics, agent, consumer, health. The only wiring.

Starting order: settings, HTTP port, model, topics, then Kafka. Whatever is wrong with the first
four is one clear line on standard error and an exit code, before Kafka is joined.
"""

import asyncio
import logging
import logging.config
import os
import signal
import sys
from collections.abc import Awaitable
from typing import Any, NoReturn

import faust
from aiokafka.errors import MessageSizeTooLargeError
from faust.app.base import BootStrategy
from faust.exceptions import ProducerSendError
from faust.types import StreamT
from faust.types.auth import CredentialsT

from service.agent import ArticleAgent, MessageTooLarge
from service.dead_letters import MAX_KEY_BYTES
from service.errors import FatalError
from service.events import Headers
from service.logs import logging_config
from service.pulse import Pulse
from service.runtime import MARGIN_SECONDS, Runtime
from service.security import sasl_password, ssl_context
from service.settings import Settings
from service.transport import ledger_transport

log = logging.getLogger(__name__)


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
        settings = runtime.settings
        logging.config.dictConfig(logging_config(settings.log_level, settings.log_format))
        # Faust listens to signals only later, and process 1 of a container ignores them by default.
        signal.signal(signal.SIGTERM, _end)
        try:
            runtime.prepare()
            super().execute_from_commandline()
        except FatalError as error:
            if settings.log_format == "json":
                log.critical("%s", error)
            else:
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

    def _on_sigusr1(self) -> None:
        """Faust would log the local variables of every task: texts and credentials."""

    def _on_sigusr2(self) -> None:
        """Faust would open a debugger, for whoever may send a signal."""


def _end(*_: object) -> NoReturn:
    """Nothing is in work yet: end at once. A half-done import might swallow an exception."""
    os._exit(0)


class StancewireApp(BareApp):
    """The service's app, and what lives beside it."""

    logger = logging.getLogger("faust.app")
    runtime: Runtime
    pulse: Pulse

    async def on_start(self) -> None:
        """Guarded and watched from here on: joining the group may hang as well."""
        loop = asyncio.get_running_loop()

        def give_up(reason: str) -> None:
            self.runtime.leave(exit_code=1, limit_seconds=MARGIN_SECONDS)
            asyncio.run_coroutine_threadsafe(self.crash(FatalError(reason)), loop)

        self.runtime.guard(give_up).start()
        await super().on_start()

    def _crash(self, reason: BaseException) -> None:
        """Whichever part has failed, and however much is broken by now: the process ends."""
        self.runtime.leave(exit_code=1)
        super()._crash(reason)

    @faust.Service.task
    async def _beat(self) -> None:
        await self.pulse.beat()

    @faust.Service.task
    async def _measure_lag(self) -> None:
        await self.pulse.measure_lag()


def create_app(settings: Settings) -> StancewireApp:
    """A Faust app, ready for a worker; nothing is loaded, bound or connected yet."""
    app = StancewireApp(
        settings.group,
        broker=";".join(f"kafka://{address}" for address in settings.brokers.split(",")),
        broker_credentials=_credentials(settings),
        # Faust reads its own settings from the environment too; this prefix is never set.
        env_prefix="STANCEWIRE_FAUST_UNUSED_",
        Worker=StancewireWorker,
        logging_config=logging_config(settings.log_level, settings.log_format),
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
        max_message_bytes=settings.max_message_bytes,
    )
    app.transport = transport(app.conf.broker_consumer, app)
    app.pulse = Pulse(app, runtime.ledger, runtime.metrics, runtime.health, runtime.watchdog)
    _add_agent(app, runtime)
    return app


def _credentials(settings: Settings) -> CredentialsT | None:
    """What Faust connects with. Given credentials without TLS, it would send them in plain text."""
    context = ssl_context(settings)
    if context is None:
        return None
    if settings.security_protocol == "SSL":
        return faust.SSLCredentials(context)
    return faust.SASLCredentials(
        username=settings.sasl_username,
        password=sasl_password(settings),
        mechanism=settings.sasl_mechanism,
        ssl_context=context,
    )


def _add_agent(app: StancewireApp, runtime: Runtime) -> None:
    settings = runtime.settings

    async def send(
        topic: str, key: bytes | None, value: bytes | None, headers: Headers
    ) -> Awaitable[object]:
        try:
            # To find a partition the client reads the whole key, slowly: 0.2 s for a megabyte.
            partition = 0 if len(key or b"") > MAX_KEY_BYTES else None
            delivery = await app.producer.send(topic, key, value, partition, None, headers)
        except ProducerSendError as error:
            if isinstance(error.__cause__, MessageSizeTooLargeError):
                raise MessageTooLarge(str(error.__cause__)) from error
            raise
        return _acknowledged(delivery)

    async def crash(error: BaseException) -> None:
        runtime.leave(exit_code=1)  # before Faust logs, for which memory may be too short
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
            runtime.telemetry,
        )
        await agent.run(stream)


async def _acknowledged(delivery: Awaitable[object]) -> object:
    try:
        return await delivery
    except MessageSizeTooLargeError as error:
        raise MessageTooLarge(str(error)) from error
