"""The HTTP port against clients that are no probes: byte by byte over real sockets."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from service import http_server
from service.health import Health
from service.http_server import MOST_CONNECTIONS, REQUEST_BOUNDS, HttpServer
from service.metrics import Metrics

HOST = "127.0.0.1"
PATIENCE_SECONDS = 0.5
PROBE = b"GET /livez HTTP/1.1\r\nHost: worker\r\n"


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Of a server with less patience than in production."""
    monkeypatch.setattr(http_server, "REQUEST_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setitem(REQUEST_BOUNDS, "keepalive_timeout", PATIENCE_SECONDS)
    server = HttpServer(HOST, 0, Health(1, 1), Metrics())
    yield server.start()
    server.stop()


def connect(port: int) -> socket.socket:
    return socket.create_connection((HOST, port), timeout=5)


def read_all(client: socket.socket) -> bytes:
    """Until the server closes."""
    received = b""
    with suppress(ConnectionResetError):  # it left without reading all that we sent
        while data := client.recv(65536):
            received += data
    return received


def ask(port: int, request: bytes) -> bytes:
    """All that comes back until the server closes."""
    with connect(port) as client:
        with suppress(BrokenPipeError, ConnectionResetError):  # it has seen enough
            client.sendall(request)
        return read_all(client)


def drip(client: socket.socket, seconds: float) -> None:
    """Send a byte now and then."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        client.sendall(b"a")
        time.sleep(PATIENCE_SECONDS / 10)


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_a_connection_serves_one_request_and_is_closed(port: int) -> None:
    answer = ask(port, (PROBE + b"Connection: keep-alive\r\n\r\n") * 3)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert status(answer) == 200


@pytest.mark.parametrize("path", ["metrics", "livez", "readyz"])
@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_any_method_but_get_is_not_allowed(port: int, path: str, method: str) -> None:
    answer = ask(port, f"{method} /{path} HTTP/1.1\r\nHost: worker\r\n\r\n".encode())
    assert status(answer) == 405
    assert b"\r\nAllow: GET\r\n" in answer


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /livez?" + b"a" * 1_000_000,
        PROBE + b"A: " + b"a" * 1_000_000,
        PROBE + b"".join(b"A%d: a\r\n" % n for n in range(1_000)) + b"\r\n",
        PROBE + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 100,
        b"\x00" * 1_000 + b"\r\n\r\n",
    ],
    ids=["long line", "long header", "many headers", "two lengths", "TLS hello", "zeros"],
)
def test_what_is_too_large_or_no_http_is_a_bad_request_and_closed(
    port: int, request_: bytes
) -> None:
    answer = ask(port, request_)
    assert answer == b"" or status(answer) == 400
    assert len(answer) < 10_000


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 1000000000000\r\n\r\n" + b"a" * 100_000,
        b"Transfer-Encoding: chunked\r\n\r\n" + b"fffff\r\n" + b"a" * 100_000,
        b"Content-Length: 1\r\n\r\n",
    ],
    ids=["huge", "chunked", "promised only"],
)
def test_a_body_is_refused_and_not_waited_for(port: int, body: bytes) -> None:
    before = time.monotonic()
    answer = ask(port, PROBE + body)
    assert answer == b"" or status(answer) == 413
    assert time.monotonic() - before < PATIENCE_SECONDS


@pytest.mark.parametrize("begin", [b"", b"GET", PROBE], ids=["nothing", "word", "half a request"])
def test_a_request_that_is_not_complete_in_time_is_dropped(port: int, begin: bytes) -> None:
    before = time.monotonic()
    with connect(port) as client:
        client.sendall(begin)
        assert read_all(client) == b""
    assert time.monotonic() - before < 2 * PATIENCE_SECONDS + 1


def test_sending_byte_by_byte_gains_no_time(port: int) -> None:
    begin = time.monotonic()
    with connect(port) as client:
        client.sendall(PROBE + b"A: ")
        with pytest.raises(OSError, match=r"reset|[Bb]roken pipe"):
            drip(client, seconds=2 * PATIENCE_SECONDS + 1)
    assert time.monotonic() - begin > PATIENCE_SECONDS / 2, "not for what was sent"


def test_an_answer_that_nobody_reads_does_not_hold_the_connection(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # More than the kernel takes, so that it is the server that has to wait.
    monkeypatch.setattr(Metrics, "render", lambda _: b"a" * 50_000_000)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(5)
        client.connect((HOST, port))
        client.sendall(PROBE.replace(b"livez", b"metrics") + b"\r\n")
        time.sleep(PATIENCE_SECONDS + 0.5)
        assert len(read_all(client)) < 50_000_000


def test_many_idle_connections_do_not_keep_a_probe_out(port: int) -> None:
    with ExitStack() as stack:
        idle = [stack.enter_context(connect(port)) for _ in range(4 * MOST_CONNECTIONS)]
        assert status(ask(port, PROBE + b"\r\n")) == 200
        assert idle[0].recv(1) == b"", "the oldest made room"
        assert status(ask(port, PROBE + b"\r\n")) == 200


def test_malformed_requests_leave_no_trace_in_the_log() -> None:
    program = """
import logging.config, socket
from service.health import Health
from service.http_server import HttpServer
from service.logs import logging_config
from service.metrics import Metrics

logging.config.dictConfig(logging_config("INFO"))
server = HttpServer("127.0.0.1", 0, Health(1, 1), Metrics())
port = server.start()
for line in (b"GET /livez\\nERROR forged HTTP/1.1", b"GET /livez HTTP/9.9", b"GET " + b"a" * 9999):
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(line + b"\\r\\nA: \\x00\\r\\n\\r\\n")
        assert client.recv(20).startswith(b"HTTP/1.0 400 ")
server.stop()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
