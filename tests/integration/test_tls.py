"""TLS and SASL: worker and commands through a proxy that speaks both to the embedded broker."""

import datetime
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from typer.testing import CliRunner, Result

from service import greeting
from service.broker import HOST, EmbeddedBroker, free_port
from service.cli import app
from service.clients import create_topics, existing_topics
from service.errors import FatalError
from service.processes import worker_environment
from service.settings import Settings
from tests.integration import secure_proxy
from tests.integration.conftest import PARTITIONS, StartWorker
from tests.integration.harness import (
    numbered_articles,
    publish,
    read_outcome,
    run_command,
    settings_for,
    wait_until,
)
from tests.integration.secure_proxy import MECHANISMS, Exchange, SecureProxy, Tap, Users

USER = "desk-5d01"
MARK = "8f2c71aa"  # stays recognisable however the rest is escaped
PASSWORD = f"p,=%s\"'\\{MARK}"
KEY_PASSWORD = "k-99e0b3"


@dataclass(frozen=True)
class Files:
    """What a client needs, in PEM."""

    ca: Path
    certificate: Path
    key: Path


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(ca: trustme.CA, tmp_path: Path) -> Files:
    files = Files(tmp_path / "ca.pem", tmp_path / "client.pem", tmp_path / "client.key")
    ca.cert_pem.write_to_path(files.ca)
    client = ca.issue_cert("worker@example.org")
    files.certificate.write_bytes(b"".join(blob.bytes() for blob in client.cert_chain_pems))
    key = load_pem_private_key(client.private_key_pem.bytes(), None)
    encryption = BestAvailableEncryption(KEY_PASSWORD.encode())
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    return files


def server(ca: trustme.CA, host: str = HOST, *, mutual: bool = False, **dates: Any) -> Any:
    """The context of a broker's listener."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(host, **dates).configure_cert(context)
    if mutual:
        ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@contextmanager
def secured(
    context: ssl.SSLContext, users: Users | None = None, **options: Any
) -> Iterator[tuple[str, SecureProxy]]:
    """A broker that is reached through TLS only, and its address."""
    port = free_port()
    with (
        EmbeddedBroker(advertised_port=port) as broker,
        SecureProxy(port, broker.port, context, users, **options) as proxy,
    ):
        yield f"{HOST}:{port}", proxy


def tls(files: Files, **more: Any) -> dict[str, Any]:
    return {"model": "keywords", "security_protocol": "SSL", "tls_ca_file": files.ca} | more


def sasl(files: Files, **more: Any) -> dict[str, Any]:
    credentials = {"sasl_username": USER, "sasl_password": PASSWORD}
    return tls(files, security_protocol="SASL_SSL", **credentials) | more


def run(settings: Settings, *arguments: object) -> Result:
    """A command, in this process, that does well."""
    done = CliRunner().invoke(app, list(map(str, arguments)), env=worker_environment(settings))
    assert done.exit_code == 0, (done.stderr, done.exception)
    return done


def complaint(settings: Settings) -> str:
    """The one line with which a command fails, in a process of its own."""
    done = run_command(settings, "topics", "list")
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    return line


def test_worker_and_commands_work_with_a_client_certificate_and_a_password(
    ca: trustme.CA, files: Files, tmp_path: Path, new_worker: StartWorker
) -> None:
    mine = sasl(
        files,
        tls_certificate_file=files.certificate,
        tls_key_file=files.key,
        tls_key_password=KEY_PASSWORD,
    )
    articles = tmp_path / "articles.jsonl"
    articles.write_text('{"id": "a", "text": "“Our door is open,” Anna Berg said."}\nno article\n')
    with secured(server(ca, mutual=True), {USER: PASSWORD}) as (address, _):
        settings = settings_for(address, **mine)
        run(settings, "topics", "create")
        run(settings, "publish", "--no-check", articles)
        worker = new_worker(brokers=address, **mine).start()
        wait_until(lambda: worker.metric("articles_total") == 2, 60, worker.tail)
        assert worker.terminate() == 0

        jsonl = ("--format", "jsonl")
        assert '"partitions": 4' in run(settings, "topics", "list", *jsonl).stdout
        seen = run(settings, "tail", "--from-beginning", "--limit", 1, *jsonl).stdout
        assert "Our door is open," in seen
        assert '"not_json"' in run(settings, "dead-letters", "list", *jsonl).stdout
        assert "1 dead letters replayed" in run(settings, "dead-letters", "replay").stderr


def test_no_log_line_and_no_byte_on_the_wire_holds_the_password_also_when_it_is_refused_later(
    ca: trustme.CA, files: Files, tmp_path: Path, new_worker: StartWorker
) -> None:
    """PLAIN, which sends the password itself; at DEBUG, where the clients log their requests."""
    secret = tmp_path / "password"
    secret.write_text(PASSWORD + "\n")
    mine = sasl(files, sasl_mechanism="PLAIN", sasl_password=None, sasl_password_file=secret)
    articles = numbered_articles(20, seed=21)
    port, behind = free_port(), free_port()
    with (
        EmbeddedBroker(advertised_port=port) as broker,
        SecureProxy(behind, broker.port, server(ca), {USER: PASSWORD}) as proxy,
        Tap(port, behind) as tap,
    ):
        address = f"{HOST}:{port}"
        create_topics(settings_for(address, **mine), partitions=PARTITIONS, replicas=1)
        worker = new_worker(brokers=address, log_level="DEBUG", **mine).start().wait_ready()
        publish(worker.settings, articles)
        wait_until(lambda: worker.metric("articles_total") == 20, 30, worker.tail)
        read_outcome(worker.settings, articles).assert_complete()

        proxy.disconnect()
        proxy.users = {USER: "changed"}
        proxy.connect()
        wait_until(lambda: "no connection to Kafka" in worker.get("/readyz")[1], 20, worker.tail)
        wait_until(lambda: proxy.refused > 3, 20, worker.tail)
        worker.kill()

    log = worker.log.read_text(errors="replace")
    assert " DEBUG aiokafka" in log
    assert "SaslAuthenticationFailed" in log
    assert MARK not in log
    assert len(tap.heard) > 10_000
    assert USER.encode() not in tap.heard
    assert MARK.encode() not in tap.heard


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_every_mechanism_lets_in_who_knows_the_password_and_nobody_else(
    ca: trustme.CA, files: Files, mechanism: str
) -> None:
    with secured(server(ca), {USER: PASSWORD}) as (address, _):
        mine = sasl(files, sasl_mechanism=mechanism)
        assert create_topics(settings_for(address, **mine), partitions=1, replicas=1)
        for wrong in ({"sasl_password": "guessed"}, {"sasl_username": "nobody"}):
            settings = settings_for(address, **(mine | wrong))
            with pytest.raises(FatalError, match=rf"refuses sasl_username=\S+ .* by {mechanism}"):
                existing_topics(settings)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_worker_with_a_wrong_password_ends_with_1_and_one_line_without_it(
    ca: trustme.CA, files: Files, new_worker: StartWorker, mechanism: str
) -> None:
    with secured(server(ca), {USER: "another"}) as (address, _):
        mine = sasl(files, sasl_mechanism=mechanism, log_level="DEBUG")
        worker = new_worker(brokers=address, **mine).start()
        assert worker.process
        assert worker.process.wait(60) == 1
    log = worker.log.read_text(errors="replace")
    [line] = [line for line in log.splitlines() if line.startswith("stancewire: ")]
    assert f"SASL: {address} refuses sasl_username={USER}" in line
    assert "Traceback" not in log
    assert MARK not in log


def test_a_command_with_a_wrong_password_ends_with_1_and_one_line_without_it(
    ca: trustme.CA, files: Files
) -> None:
    with secured(server(ca), {USER: "another"}) as (address, _):
        line = complaint(settings_for(address, **sasl(files)))
    assert line.startswith(f"stancewire: SASL: {address} refuses sasl_username={USER}")
    assert MARK not in line


def test_a_mechanism_that_is_not_offered_is_named_with_those_that_are(
    ca: trustme.CA, files: Files
) -> None:
    with secured(server(ca), {USER: PASSWORD}, mechanisms=("PLAIN",)) as (address, _):
        settings = settings_for(address, **sasl(files))
        with pytest.raises(FatalError, match="SASL: ") as caught:
            existing_topics(settings)
    assert str(caught.value).endswith("not offer sasl_mechanism=SCRAM-SHA-512; it offers PLAIN")


def test_a_broker_that_does_not_know_the_password_is_refused(
    ca: trustme.CA, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    def impostor(_: str, __: Users) -> Exchange:
        nonce = (yield b"").decode().rpartition("r=")[2]
        yield f"r={nonce}x,s=c2FsdA==,i=4096".encode()
        return b"v=aW52ZW50ZWQ="

    monkeypatch.setattr(secure_proxy, "_scram", impostor)
    with secured(server(ca), {}) as (address, _):
        settings = settings_for(address, **sasl(files))
        with pytest.raises(FatalError, match="does not prove that it knows the password"):
            existing_topics(settings)


PAST = {
    "not_before": datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
    "not_after": datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC),
}


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        ({"host": "kafka.example.org"}, "IP address mismatch"),
        (PAST, "certificate has expired"),
        ({"ca": trustme.CA()}, "issuer certificate"),
    ],
    ids=["another host's", "expired", "of an unknown CA"],
)
def test_a_certificate_that_proves_nothing_is_refused_in_one_line(
    ca: trustme.CA, files: Files, certificate: dict[str, Any], reason: str
) -> None:
    with secured(server(**({"ca": ca} | certificate))) as (address, _):
        line = complaint(settings_for(address, **tls(files)))
    assert line.startswith(f"stancewire: TLS: the certificate of {address} is refused: ")
    assert reason in line
    assert "tls_ca_file" in line


def test_a_worker_that_meets_an_unknown_ca_ends_with_1_and_one_line(
    files: Files, new_worker: StartWorker
) -> None:
    with secured(server(trustme.CA())) as (address, _):
        worker = new_worker(brokers=address, **tls(files)).start()
        assert worker.process
        assert worker.process.wait(60) == 1
    assert f"stancewire: TLS: the certificate of {address} is refused: " in worker.tail()
    assert "Traceback" not in worker.tail()


def test_a_listener_without_tls_hears_nothing_of_the_credentials(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(greeting, "ANSWER_SECONDS", 1)
    port = free_port()
    with EmbeddedBroker() as broker, Tap(port, broker.port) as tap:
        mine = sasl(files, sasl_mechanism="PLAIN", connect_timeout_seconds=0)
        with pytest.raises(FatalError, match="no broker answers over TLS"):
            existing_topics(settings_for(f"{HOST}:{port}", **mine))
    assert tap.heard.startswith(b"\x16\x03"), "a TLS hello"
    assert USER.encode() not in tap.heard
    assert MARK.encode() not in tap.heard
