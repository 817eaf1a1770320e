"""The HTTP port: metrics, probes and the live page.

The server runs in a thread with an event loop of its own: it answers also when the worker's loop
is stuck, which is when the answer matters.
"""

import asyncio
import threading
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CONTENT_TYPE_LATEST

from service.errors import FatalError
from service.health import Health
from service.live import LivePage
from service.metrics import Metrics

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
STREAM_PATH = "/live/events"


class HttpServer:
    """Serves /metrics, /livez, /readyz and the live page: GET, no body, one request a connection.

    Neither a slow client nor many of them keep probes out: what is incomplete after
    `REQUEST_SECONDS` is dropped, and of too many connections the oldest go. Only the stream of the
    live page may last.

    Args:
        host: address to bind.
        port: port to bind; 0: any free one.
        health: what /livez and /readyz tell.
        metrics: what /metrics tells.
        live: the page at /, if there is to be one.
    """

    def __init__(
        self,
        host: str,
        port: int,
        health: Health,
        metrics: Metrics,
        live: LivePage | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._health = health
        self._metrics = metrics
        self._live = live
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
        for path, handler in self._handlers().items():
            app.router.add_get(path, handler, allow_head=False)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1, **REQUEST_BOUNDS)
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, self._host, self._port)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def _handlers(self) -> dict[str, Handler]:
        handlers: dict[str, Handler] = {
            "/metrics": self._serve_metrics,
            "/livez": self._serve_livez,
            "/readyz": self._serve_readyz,
        }
        if self._live:
            handlers |= dict.fromkeys(self._live.paths, self._live.serve_file)
            handlers[STREAM_PATH] = self._live.serve_events
        return handlers

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
    if request.transport and request.path != STREAM_PATH:
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
