"""A TCP proxy between the broker and everybody else: the network's faults are made here.

It also stands in for a broker that goes away and comes back: the embedded one keeps its data in
memory, so it must live on behind the proxy.
"""

import asyncio
import contextlib
import random
import threading
from collections.abc import Coroutine
from typing import Any

from service.broker import HOST

CHUNK = 65_536


class Proxy:
    """Forwards `port` to `target_port`; use as a context manager. Runs in a thread of its own."""

    def __init__(self, port: int, target_port: int) -> None:
        self._port = port
        self._target_port = target_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._delay_seconds = 0.0

    def __enter__(self) -> "Proxy":
        self._thread.start()
        self.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self.resume()
        self.disconnect()
        self._run(self._finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def connect(self) -> None:
        """Listen and forward."""
        self._run(self._listen())

    def disconnect(self) -> None:
        """Refuse new connections and break those there are."""
        self._run(self._close())

    def stall(self) -> None:
        """Keep every connection open, accept new ones, forward nothing."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def resume(self) -> None:
        """Forward again, first what was held back."""
        self._loop.call_soon_threadsafe(self._flowing.set)

    def delay(self, seconds: float) -> None:
        """Forward each portion so much later, from now on; 0: at once."""
        self._delay_seconds = seconds

    def drop(self, share: float, rng: random.Random) -> None:
        """Break this share of the connections, in the middle of whatever they carry."""
        self._run(self._drop(share, rng))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    async def _listen(self) -> None:
        if self._server is None:  # two faults may overlap
            self._server = await asyncio.start_server(self._serve, HOST, self._port)

    async def _close(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()

    async def _drop(self, share: float, rng: random.Random) -> None:
        for writer in sorted(self._writers, key=id):
            if rng.random() < share:
                writer.transport.abort()

    async def _finish(self) -> None:
        """Until no connection is left, those included that were accepted just before the end."""
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await self._close()
            done, _ = await asyncio.wait(others, timeout=0.1)
            await asyncio.gather(*done, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(HOST, self._target_port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        try:
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        finally:
            self._writers -= {writer, back}

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(CHUNK):
                if self._delay_seconds:
                    await asyncio.sleep(self._delay_seconds)
                await self._flowing.wait()
                sink.write(data)
                await sink.drain()
        sink.transport.abort()
