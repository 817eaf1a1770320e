"""Serves the live page: three files, and a stream of server-sent events for each viewer."""

import asyncio
import json
import secrets
from collections.abc import Callable
from importlib import resources
from typing import Any

from aiohttp import web

from service.live.recent import RecentQuotes

LOOK_SECONDS = 0.25
"""Pause between two looks for new quotes: a torrent of them reaches a browser in portions."""

COUNTS_SECONDS = 1.0
SEND_SECONDS = 5.0
"""A viewer who takes nothing for so long is gone."""

MOST_VIEWERS = 16
RETRY_MILLISECONDS = 2_000

FILES = {
    "/": ("index.html", "text/html"),
    "/live/page.css": ("page.css", "text/css"),
    "/live/page.js": ("page.js", "text/javascript"),
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class LivePage:
    """The page and its stream.

    Args:
        recent: the quotes delivered last.
        counts: what the page's counters say, as JSON types.
    """

    def __init__(self, recent: RecentQuotes, counts: Callable[[], dict[str, Any]]) -> None:
        self._recent = recent
        self._counts = counts
        self._viewers = 0
        self._life = secrets.token_hex(4)  # numbers begin anew with each life of the worker
        folder = resources.files(__package__)
        self._files = {
            path: ((folder / name).read_bytes(), kind) for path, (name, kind) in FILES.items()
        }

    @property
    def paths(self) -> list[str]:
        """Of the files."""
        return list(self._files)

    async def serve_file(self, request: web.Request) -> web.Response:
        """One of the files."""
        body, kind = self._files[request.path]
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=HEADERS)

    async def serve_events(self, request: web.Request) -> web.StreamResponse:
        """The quotes as they are delivered, and once a second the counters, while somebody looks.

        Raises:
            HTTPServiceUnavailable: too many watch already.

        Source: HTML Living Standard, 9.2 Server-sent events.
        """
        if self._viewers >= MOST_VIEWERS:
            raise web.HTTPServiceUnavailable(text=f"{MOST_VIEWERS} viewers already\n")
        self._viewers += 1
        try:
            response = web.StreamResponse(headers=HEADERS)
            response.content_type = "text/event-stream"
            response.force_close()
            await response.prepare(request)
            await self._stream(response, self._known(request.headers.get("Last-Event-ID", "")))
            return response
        finally:
            self._viewers -= 1

    def _known(self, last_event_id: str) -> int:
        """The number of the last quote that a viewer who comes back has seen."""
        life, _, number = last_event_id.partition("-")
        return int(number) if life == self._life and number.isdecimal() else 0

    async def _stream(self, response: web.StreamResponse, known: int) -> None:
        loop = asyncio.get_running_loop()
        await _send(response, f"retry: {RETRY_MILLISECONDS}\n\n")
        counted = 0.0
        while True:
            newest, quotes = self._recent.after(known)
            if quotes:
                known = newest
                identity = f"id: {self._life}-{known}\n"
                await _send(response, identity + _event("quotes", quotes))
            if loop.time() - counted >= COUNTS_SECONDS:  # also tells us when the viewer has left
                counted = loop.time()
                await _send(response, _event("counts", self._counts()))
            await asyncio.sleep(LOOK_SECONDS)


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"  # JSON in one line


async def _send(response: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(SEND_SECONDS):
        await response.write(text.encode())
