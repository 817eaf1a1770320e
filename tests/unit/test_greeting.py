"""What a broker's listener may do instead of speaking TLS as it should: one line says it."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import trustme

from service import greeting
from service.errors import FatalError
from service.greeting import greet_brokers
from service.settings import Settings, load_settings

HOST = "127.0.0.1"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greeting, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(greeting, "PAUSE_SECONDS", 0.05)


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusting(ca: trustme.CA, tmp_path: Path) -> Callable[..., Settings]:
    """Settings that trust the CA, for a port."""
    file = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(file)

    def settings(port: int, *more: int, seconds: float = 0) -> Settings:
        return load_settings(
            brokers=",".join(f"{HOST}:{number}" for number in (port, *more)),
            security_protocol="SSL",
            tls_ca_file=file,
            connect_timeout_seconds=seconds,
        )

    return settings


@contextmanager
def listener(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port whose connections are served one after the other."""

    def accept(server: socket.socket) -> None:
        with suppress(OSError):  # closed: the test is over
            while True:
                with server.accept()[0] as client, suppress(OSError):
                    serve(client)

    with socket.create_server((HOST, 0)) as server:
        thread = threading.Thread(target=accept, args=(server,))
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def broker(ca: trustme.CA, **attributes: object) -> Callable[[socket.socket], None]:
    """TLS, and an answer that says no version is supported."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(HOST).configure_cert(context)
    ca.configure_trust(context)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # or OpenSSL itself would refuse what is old
    for name, value in attributes.items():
        setattr(context, name, value)

    def serve(client: socket.socket) -> None:
        with closing(context.wrap_socket(client, server_side=True)) as secure:
            request = secure.recv(4096)
            secure.sendall(b"\0\0\0\x0a" + request[8:12] + b"\0\0" + b"\0\0\0\0")

    return serve


def complaint(settings: Settings) -> str:
    with pytest.raises(FatalError) as caught:
        greet_brokers(settings)
    assert caught.value.exit_code == 1
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_broker_that_answers_is_fine(ca: trustme.CA, trusting: Callable[..., Settings]) -> None:
    with listener(broker(ca)) as port:
        greet_brokers(trusting(port))


def test_a_plain_connection_is_not_tried_beforehand() -> None:
    greet_brokers(load_settings(brokers=f"{HOST}:1"))


def test_one_broker_that_answers_is_enough(
    ca: trustme.CA, trusting: Callable[..., Settings]
) -> None:
    with listener(broker(ca)) as port:
        greet_brokers(trusting(1, port))


def test_a_missing_client_certificate_is_named(
    ca: trustme.CA, trusting: Callable[..., Settings]
) -> None:
    with listener(broker(ca, verify_mode=ssl.CERT_REQUIRED)) as port:
        line = complaint(trusting(port))
    assert line == f"TLS: {HOST}:{port} does not accept the connection: " + (
        "tlsv13 alert certificate required"
    )


def test_a_broker_that_knows_only_tls_1_1_is_refused(
    ca: trustme.CA, trusting: Callable[..., Settings]
) -> None:
    old = broker(
        ca,
        minimum_version=ssl.TLSVersion.MINIMUM_SUPPORTED,
        maximum_version=ssl.TLSVersion.TLSv1_1,
    )
    with listener(old) as port:
        assert "alert protocol version" in complaint(trusting(port))


@pytest.mark.parametrize(
    ("serve", "piece"),
    [
        (lambda client: client.recv(4096), "closed the connection"),
        (lambda client: client.recv(4096) and client.recv(4096), "timed out"),
    ],
    ids=["closes", "silent"],
)
def test_a_listener_that_says_nothing_is_given_up_in_time(
    trusting: Callable[..., Settings], serve: Callable[[socket.socket], None], piece: str
) -> None:
    with listener(serve) as port:
        line = complaint(trusting(port))
    assert line.startswith(f"no broker answers over TLS: {HOST}:{port}")
    assert piece in line


def test_a_listener_of_something_else_is_named(trusting: Callable[..., Settings]) -> None:
    with listener(lambda client: client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        assert complaint(trusting(port)).startswith(
            f"TLS: {HOST}:{port} does not accept the connection: "
        )


def test_a_broker_that_comes_up_later_is_waited_for(
    ca: trustme.CA, trusting: Callable[..., Settings]
) -> None:
    refusals = 0
    serve = broker(ca)

    def third_time(client: socket.socket) -> None:
        nonlocal refusals
        refusals += 1
        if refusals > 2:
            serve(client)

    with listener(third_time) as port:
        greet_brokers(trusting(port, seconds=10))
    assert refusals == 3


@pytest.mark.parametrize("address", [f"{HOST}:99999", ".:9093", f"{'a' * 64}.example.org:9093"])
def test_an_impossible_address_is_one_line_too(address: str) -> None:
    settings = load_settings(brokers=address, security_protocol="SSL", connect_timeout_seconds=0)
    assert complaint(settings).startswith(f"no broker answers over TLS: {address}: ")


def test_nobody_there_is_said_with_the_reason_of_each() -> None:
    settings = load_settings(
        brokers=f"{HOST}:1,{HOST}:2", security_protocol="SSL", connect_timeout_seconds=0
    )
    line = complaint(settings)
    assert line.count("Connection refused") == 2
