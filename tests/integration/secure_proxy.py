"""The embedded broker behind TLS and SASL, of which it knows nothing itself.

The proxy ends TLS and speaks the server's side of SASL; all that follows goes to the broker.
Kafka's messages are read and written by kafka-python, SCRAM is scramp's.
"""

import asyncio
import ssl
from collections.abc import Generator
from contextlib import suppress
from typing import Any

from kafka.protocol.sasl import (
    SaslAuthenticateRequest,
    SaslAuthenticateResponse,
    SaslHandshakeRequest,
    SaslHandshakeResponse,
)
from scramp import ScramException, ScramMechanism

from chaos.proxy import Proxy
from service.broker import HOST

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
API_VERSIONS = 18
UNSUPPORTED_MECHANISM = 33
AUTHENTICATION_FAILED = 58

Users = dict[str, str]
Exchange = Generator[bytes, bytes, bytes]  # sent what the client says, yields and returns answers


class Refused(Exception):  # noqa: N818
    """The client may not go on."""


class SecureProxy(Proxy):
    """Lets in who speaks TLS and, where there are users, knows the password of one.

    Args:
        port: where clients connect.
        target_port: the broker's.
        context: with the server's certificate; says whether clients need one too.
        users: passwords by name; None: no SASL.
        mechanisms: those that are offered.
    """

    def __init__(
        self,
        port: int,
        target_port: int,
        context: ssl.SSLContext,
        users: Users | None = None,
        mechanisms: tuple[str, ...] = MECHANISMS,
    ) -> None:
        super().__init__(port, target_port)
        self.users = users
        self.refused = 0
        self._context = context
        self._mechanisms = mechanisms

    def __enter__(self) -> "SecureProxy":
        super().__enter__()
        return self

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, HOST, self._port, ssl=self._context)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self.users is not None:
                await self._authenticate(reader, writer, self.users)
            await super()._serve(reader, writer)
        except Refused:
            self.refused += 1
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client left
        finally:
            self._writers.discard(writer)
            with suppress(OSError):
                writer.close()

    async def _authenticate(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, users: Users
    ) -> None:
        """Until the client has proved who it is.

        Raises:
            Refused: it could not, or asked for something else.
        """
        exchange: Exchange | None = None
        while True:
            request = await _frame(reader)
            key, version = _int16(request[:2]), _int16(request[2:4])
            if key == API_VERSIONS:
                writer.write(await self._ask_broker(request))
            elif key == SaslHandshakeRequest.API_KEY:
                handshake = SaslHandshakeRequest.decode(request, version=version, header=True)
                exchange = self._begin(handshake.mechanism, users)
                error = 0 if exchange else UNSUPPORTED_MECHANISM
                answer = SaslHandshakeResponse[version](
                    error_code=error, mechanisms=list(self._mechanisms)
                )
                writer.write(_encoded(answer, handshake))
            elif key == SaslAuthenticateRequest.API_KEY and exchange:
                token = SaslAuthenticateRequest.decode(request, version=version, header=True)
                answer, end = _step(exchange, token.auth_bytes, version)
                writer.write(_encoded(answer, token))
                if answer.error_code:
                    raise Refused
                if end:
                    return
            else:
                raise Refused

    def _begin(self, mechanism: str, users: Users) -> Exchange | None:
        if mechanism not in self._mechanisms:
            return None
        exchange = _plain(users) if mechanism == "PLAIN" else _scram(mechanism, users)
        next(exchange)
        return exchange

    async def _ask_broker(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(HOST, self._target_port)
        writer.write(len(request).to_bytes(4, "big") + request)
        answer = await _frame(reader)
        writer.close()
        await writer.wait_closed()
        return len(answer).to_bytes(4, "big") + answer


class Tap(Proxy):
    """Forwards, and keeps every byte that clients send."""

    def __init__(self, port: int, target_port: int) -> None:
        super().__init__(port, target_port)
        self.heard = bytearray()

    def __enter__(self) -> "Tap":
        super().__enter__()
        return self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        read = reader.read

        async def heard(n: int = -1) -> bytes:
            data = await read(n)
            self.heard += data
            return data

        reader.read = heard  # type: ignore[method-assign]
        await super()._serve(reader, writer)


def _step(exchange: Exchange, said: bytes, version: int) -> tuple[Any, bool]:
    """The answer to what the client said, and whether it is the last."""
    end = False
    try:
        answer = exchange.send(said)
    except StopIteration as done:
        answer, end = done.value, True
    except (ScramException, Refused):
        return SaslAuthenticateResponse[version](
            error_code=AUTHENTICATION_FAILED, error_message="invalid credentials", auth_bytes=b""
        ), True
    return SaslAuthenticateResponse[version](error_code=0, auth_bytes=answer), end


def _plain(users: Users) -> Exchange:
    _, name, password = (yield b"").decode().split("\0")
    if users.get(name) != password:
        raise Refused
    return b""


def _scram(mechanism: str, users: Users) -> Exchange:
    known = ScramMechanism(mechanism)

    def secrets(name: str) -> Any:
        if name not in users:
            raise Refused
        return known.make_auth_info(users[name])

    server = known.make_server(secrets)
    server.set_client_first((yield b"").decode())
    server.set_client_final((yield server.get_server_first().encode()).decode())
    last: str = server.get_server_final()
    return last.encode()


async def _frame(reader: asyncio.StreamReader) -> bytes:
    return await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))


def _int16(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _encoded(answer: Any, request: Any) -> bytes:
    answer.with_header(request.header.correlation_id)
    return bytes(answer.encode(header=True, framed=True))
