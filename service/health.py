"""Is this worker alive, is it ready, and the HTTP server that tells.

The server runs in a thread with an event loop of its own: it answers also when the worker's loop
is stuck, which is when the answer matters.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CONTENT_TYPE_LATEST

from service.errors import FatalError
from service.metrics import Metrics
from service.watchdog import Watchdog

Argument = TypeVar("Argument")
Result = TypeVar("Result")

STUCK_AFTER_SECONDS = 30.0

# A probe's request is one line and a few headers, sent at once.
REQUEST_SECONDS = 5.0
REQUEST_BOUNDS: dict[str, Any] = {
    "keepalive_timeout": REQUEST_SECONDS,  # also what a first request may take to arrive
    "lingering_time": 0.0,  # a body is not waited for
    "max_line_size": 1024,
    "max_field_size": 4096,
    "max_headers": 32,
}
MOST_CONNECTIONS = 64


@dataclass
class Health:
    """What the worker's loop writes and the server's thread reads.

    Args:
        in_flight_limit_seconds: an article in work for longer means that the worker is stuck.
        call_limit_seconds: the same for one call of the model or the splitter.
        clock: monotonic seconds.
        watchdog: knows whether the worker has come to a standstill.
    """

    in_flight_limit_seconds: float
    call_limit_seconds: float
    clock: Callable[[], float] = time.monotonic
    watchdog: Watchdog | None = None
    model_loaded: bool = False
    connected: bool = False
    assigned: int = 0
    rebalancing: bool = False
    stopping: bool = False
    oldest_since: float | None = None  # when the oldest article in work was read
    _beat: float | None = field(default=None, init=False)
    _calls: dict[object, tuple[str, float]] = field(default_factory=dict, init=False)

    def beat(self) -> None:
        """The worker's loop turns."""
        self._beat = self.clock()

    def watched(self, name: str, function: Callable[[Argument], Result]) -> Callable[..., Result]:
        """The function, each call of it watched while it runs."""

        def call(argument: Argument) -> Result:
            running = object()
            self._calls[running] = name, self.clock()
            try:
                return function(argument)
            finally:
                del self._calls[running]

        return call

    def problems_alive(self) -> list[str]:
        """Why a supervisor should restart this worker; empty: it lives."""
        problems = []
        now = self.clock()
        if self._beat is not None and now - self._beat > STUCK_AFTER_SECONDS:
            problems.append(f"the event loop is stuck for {now - self._beat:.0f} s")
        if self.oldest_since is not None and now - self.oldest_since > self.in_flight_limit_seconds:
            problems.append(f"an article is in work for {now - self.oldest_since:.0f} s")
        for name, since in list(self._calls.values()):
            if now - since > self.call_limit_seconds:
                problems.append(f"a call of the {name} runs for {now - since:.0f} s")
        return problems + (self.watchdog.problems() if self.watchdog else [])

    def problems_ready(self) -> list[str]:
        """Why this worker cannot take work now; empty: it is ready."""
        checks = {
            "the model is not loaded": self.model_loaded,
            "no connection to Kafka": self.connected,
            "no partitions are assigned": self.assigned > 0,
            "a rebalance is going on": not self.rebalancing,
            "the worker is stopping": not self.stopping,
        }
        return self.problems_alive() + [text for text, fine in checks.items() if not fine]


class HttpServer:
    """Serves /metrics, /livez and /readyz: GET without a body, one request a connection.

    Neither a slow client nor many of them keep probes out: what is incomplete after
    `REQUEST_SECONDS` is dropped, and of too many connections the oldest go.

    Args:
        host: address to bind.
        port: port to bind; 0: any free one.
        health: what /livez and /readyz tell.
        metrics: what /metrics tells.
    """

    def __init__(self, host: str, port: int, health: Health, metrics: Metrics) -> None:
        self._host = host
        self._port = port
        self._health = health
        self._metrics = metrics
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._runner: web.AppRunner | None = None
        self._server: asyncio.Server | None = None

    def start(self) -> int:
        """Bind and serve.

        Returns:
            the port.

        Raises:
            FatalError: the address cannot be bound.
        """
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="http", daemon=True)
        self._thread.start()
        try:
            return asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result()
        except OSError as error:
            self.stop()
            where = f"{self._host}:{self._port}"
            raise FatalError(
                f"cannot listen on {where}: {error.strerror or error}; "
                "set STANCEWIRE_HTTP_HOST or STANCEWIRE_HTTP_PORT"
            ) from error

    def stop(self) -> None:
        """Close the port and end the thread."""
        if self._loop is None or self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(timeout=5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        if not self._thread.is_alive():
            self._loop.close()
        self._loop = self._thread = None

    async def _serve(self) -> int:
        app = web.Application(middlewares=[_one_request])
        for path, handler in {
            "/metrics": self._serve_metrics,
            "/livez": self._serve_livez,
            "/readyz": self._serve_readyz,
        }.items():
            app.router.add_get(path, handler, allow_head=False)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1, **REQUEST_BOUNDS)
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, self._host, self._port)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def _connection(self) -> asyncio.Protocol:
        """The protocol of a new connection; it needs a descriptor that Kafka may be in want of."""
        assert self._runner is not None and self._runner.server is not None  # noqa: S101, PT018
        server = self._runner.server
        for oldest in server.connections[: 1 - MOST_CONNECTIONS]:
            oldest.force_close()
        return server()

    async def _close(self) -> None:
        if self._server:
            self._server.close()
        if self._runner:
            await self._runner.cleanup()

    async def _serve_metrics(self, _: web.Request) -> web.Response:
        return web.Response(
            body=self._metrics.render(), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    async def _serve_livez(self, _: web.Request) -> web.Response:
        return _answer(self._health.problems_alive())

    async def _serve_readyz(self, _: web.Request) -> web.Response:
        return _answer(self._health.problems_ready())


@web.middleware
async def _one_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer, then close; break the connection if nobody takes the answer."""
    if request.transport:
        asyncio.get_running_loop().call_later(REQUEST_SECONDS, request.transport.abort)
    try:
        if request.body_exists:
            raise web.HTTPRequestEntityTooLarge(0, request.content_length or 1)
        response = await handler(request)
    except web.HTTPException as refusal:
        refusal.force_close()
        raise
    response.force_close()
    return response


def _answer(problems: list[str]) -> web.Response:
    """200 "ok", or 503 with one problem a line."""
    return web.Response(text="\n".join(problems or ["ok"]) + "\n", status=503 if problems else 200)
