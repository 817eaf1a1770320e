"""TLS and SASL settings: none without the other, files named, secrets shown nowhere."""

import json
import ssl
import traceback
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import faust
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from faust.types.auth import AuthProtocol
from typer.testing import CliRunner

from service.app import create_app
from service.broker import EmbeddedBroker
from service.cli import app as command
from service.demo import _own_settings
from service.errors import UsageError
from service.processes import worker_environment
from service.security import (
    SASL_FIELDS,
    TLS_FIELDS,
    contradiction,
    sasl_options,
    sasl_password,
    ssl_context,
)
from service.settings import ENV_PREFIX, MASK, Settings, load_settings

pytestmark = pytest.mark.usefixtures("no_settings")

SECRET = "hunter2-4c1f"
KEY_PASSWORD = "k-99e0b3"
SASL = {"security_protocol": "SASL_SSL", "sasl_username": "desk", "sasl_password": SECRET}

Values = dict[str, Any]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """PEM files, right ones and others."""
    folder = tmp_path_factory.mktemp("pem")
    ca = trustme.CA()
    client = ca.issue_cert("worker@example.org")
    certificate, key = client.cert_chain_pems[0].bytes(), client.private_key_pem.bytes()
    encrypted = load_pem_private_key(key, None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(KEY_PASSWORD.encode())
    )
    contents = {
        "ca": ca.cert_pem.bytes(),
        "certificate": certificate,
        "key": key,
        "encrypted": encrypted,
        "both": certificate + key,
        "strange": ca.issue_cert("other@example.org").private_key_pem.bytes(),
        "text": b"no PEM at all\n",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in [*contents, "missing"]}


def complaint(act: Callable[[], object]) -> str:
    """The one line of the error; no secret in it, nor in its traceback."""
    with pytest.raises(UsageError) as caught:
        act()
    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET not in shown
    assert KEY_PASSWORD not in shown
    assert "\n" not in str(caught.value)
    return str(caught.value)


def loaded(**values: Any) -> Settings | str:
    """The settings, or why they are refused."""
    try:
        return load_settings(**values)
    except UsageError as error:
        return str(error)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            {"sasl_username": "desk", "sasl_password": SECRET},
            "sasl_username, sasl_password without security_protocol=SASL_SSL (got PLAINTEXT)",
        ),
        (
            SASL | {"security_protocol": "SSL"},
            "sasl_username, sasl_password without security_protocol=SASL_SSL (got SSL)",
        ),
        (
            {"sasl_password_file": "password"},
            "sasl_password_file without security_protocol=SASL_SSL (got PLAINTEXT)",
        ),
        (
            {"tls_certificate_file": "client.pem"},
            "tls_certificate_file without security_protocol=SSL or SASL_SSL (got PLAINTEXT)",
        ),
        (
            {"tls_ca_file": "ca.pem"},
            "tls_ca_file without security_protocol=SSL or SASL_SSL (got PLAINTEXT)",
        ),
        (
            {"security_protocol": "SSL", "tls_key_password": SECRET},
            "tls_key_password without tls_certificate_file",
        ),
        (
            {"security_protocol": "SASL_SSL"},
            "security_protocol=SASL_SSL needs sasl_username and a password (or its file)",
        ),
        (
            SASL | {"sasl_username": None},
            "security_protocol=SASL_SSL needs sasl_username and a password (or its file)",
        ),
        (
            SASL | {"sasl_password": None},
            "security_protocol=SASL_SSL needs sasl_username and a password (or its file)",
        ),
        (
            SASL | {"sasl_password_file": "password"},
            "sasl_password and sasl_password_file are both set: one of them",
        ),
    ],
)
def test_settings_that_would_not_be_safe_together_are_refused(values: Values, line: str) -> None:
    assert complaint(lambda: load_settings(**values)) == line


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "sasl_ssl", "TLS", ""])
def test_there_is_no_protocol_that_sends_credentials_in_plain_text(protocol: str) -> None:
    line = complaint(lambda: load_settings(**(SASL | {"security_protocol": protocol})))
    assert line.startswith(f"security_protocol={protocol!r}: ")
    assert "'PLAINTEXT', 'SSL' or 'SASL_SSL'" in line


FIELDS = (*TLS_FIELDS, *SASL_FIELDS)
EVERY_CHOICE = [set(chosen) for n in range(len(FIELDS) + 1) for chosen in combinations(FIELDS, n)]


@pytest.mark.parametrize(
    ("protocol", "accepted"), [("PLAINTEXT", 1), ("SSL", 10), ("SASL_SSL", 20)]
)
def test_whatever_is_set_credentials_go_over_checked_tls_or_nowhere(
    files: dict[str, Path], protocol: str, accepted: int
) -> None:
    right = {
        "tls_ca_file": files["ca"],
        "tls_certificate_file": files["both"],
        "tls_key_file": files["key"],
        "tls_key_password": KEY_PASSWORD,
        "sasl_username": "desk",
        "sasl_password": SECRET,
        "sasl_password_file": files["text"],
    }
    for names in EVERY_CHOICE:
        settings = loaded(security_protocol=protocol, **{name: right[name] for name in names})
        if isinstance(settings, str):
            assert SECRET not in settings
        else:
            assert_safe(settings, names)
            accepted -= 1
    assert accepted == 0


def assert_safe(settings: Settings, names: set[str]) -> None:
    """What both clients get for these settings, of which the named are set."""
    credentials = create_app(settings).conf.broker_credentials
    options, context = sasl_options(settings), ssl_context(settings)
    if settings.security_protocol == "PLAINTEXT":
        assert (names, credentials, options, context) == (set(), None, {}, None)
        return
    assert context is not None
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert credentials is not None
    assert credentials.protocol is AuthProtocol[settings.security_protocol]
    assert (credentials.protocol is AuthProtocol.SASL_SSL) == bool(options)
    assert bool(options) == bool(names & set(SASL_FIELDS))


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_worker_and_commands_get_the_same_credentials(mechanism: str) -> None:
    settings = load_settings(**SASL, sasl_mechanism=mechanism)
    credentials = create_app(settings).conf.broker_credentials
    assert isinstance(credentials, faust.SASLCredentials)
    assert credentials.ssl_context is not None
    assert credentials.mechanism is not None
    assert sasl_options(settings) == {
        "sasl_mechanism": credentials.mechanism.value,
        "sasl_plain_username": credentials.username,
        "sasl_plain_password": credentials.password,
    }
    assert (credentials.username, credentials.password) == ("desk", SECRET)
    assert SECRET not in repr(credentials)


def test_credentials_are_not_taken_from_faust_s_own_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BROKER_CREDENTIALS", "guest")
    assert create_app(load_settings()).conf.broker_credentials is None


@pytest.mark.parametrize(
    "names",
    [
        {"tls_certificate_file": "certificate", "tls_key_file": "key"},
        {"tls_certificate_file": "certificate", "tls_key_file": "encrypted"},
        {"tls_certificate_file": "both"},
        {"tls_ca_file": "ca"},
        {},
    ],
)
def test_files_that_fit_make_a_context(files: dict[str, Path], names: dict[str, str]) -> None:
    values: Values = {name: files[file] for name, file in names.items()}
    if "encrypted" in names.values():
        values["tls_key_password"] = KEY_PASSWORD
    assert ssl_context(load_settings(security_protocol="SSL", **values))


@pytest.mark.parametrize(
    ("names", "line"),
    [
        ({"tls_ca_file": "missing"}, "tls_ca_file={missing}: No such file or directory"),
        ({"tls_ca_file": "text"}, "tls_ca_file={text}: no certificates in PEM"),
        ({"tls_ca_file": "."}, "tls_ca_file=.: Is a directory"),
        (
            {"tls_certificate_file": "certificate", "tls_key_file": "missing"},
            "tls_key_file={missing}: No such file or directory",
        ),
        (
            {"tls_certificate_file": "certificate", "tls_key_file": "strange"},
            "tls_certificate_file={certificate}, tls_key_file={strange}: no certificate with its "
            "key in PEM, or tls_key_password is not that of the key",
        ),
        (
            {"tls_certificate_file": "certificate"},
            "tls_certificate_file={certificate}, tls_key_file=None: no certificate with its "
            "key in PEM, or tls_key_password is not that of the key",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    files: dict[str, Path], names: dict[str, str], line: str
) -> None:
    settings = load_settings(
        security_protocol="SSL", **{name: files.get(file, file) for name, file in names.items()}
    )
    assert complaint(lambda: ssl_context(settings)) == line.format(**files)


@pytest.mark.parametrize("password", [None, "wrong", "x" * 5000])
def test_an_encrypted_key_without_its_password_is_refused_and_nobody_is_asked(
    files: dict[str, Path], password: str | None
) -> None:
    settings = load_settings(
        security_protocol="SSL",
        tls_certificate_file=files["certificate"],
        tls_key_file=files["encrypted"],
        tls_key_password=password,
    )
    line = complaint(lambda: ssl_context(settings))
    assert line.startswith(f"tls_certificate_file={files['certificate']}, tls_key_file=")


@pytest.mark.parametrize("content", [SECRET, f"{SECRET}\n", f"{SECRET}\r\n"])
def test_a_password_from_a_file_is_its_line(tmp_path: Path, content: str) -> None:
    file = tmp_path / "password"
    file.write_bytes(content.encode())
    settings = load_settings(**(SASL | {"sasl_password": None, "sasl_password_file": file}))
    assert sasl_password(settings) == SECRET


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b"\n", "is empty"),
        (b"\xff" + SECRET.encode(), "UTF-8"),
    ],
    ids=["missing", "empty", "binary"],
)
def test_a_password_file_that_cannot_be_used_is_named_without_its_content(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    settings = load_settings(**(SASL | {"sasl_password": None, "sasl_password_file": file}))
    line = complaint(lambda: create_app(settings))
    assert line.startswith(f"sasl_password_file={file}: ")
    assert reason in line


@pytest.mark.parametrize("style", ["table", "jsonl"])
@pytest.mark.parametrize("source", ["environment", "file"])
def test_config_masks_secrets_wherever_they_came_from(style: str, source: str) -> None:
    values = SASL | {"tls_certificate_file": "client.pem", "tls_key_password": KEY_PASSWORD}
    environment = {"COLUMNS": "200"}
    if source == "file":
        lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
        Path("stancewire.toml").write_text("\n".join(lines))
    else:
        environment |= {f"{ENV_PREFIX}{name.upper()}": value for name, value in values.items()}
    result = CliRunner().invoke(command, ["config", "--format", style], env=environment)
    assert result.exit_code == 0
    assert result.output.count(MASK) == 2
    assert "desk" in result.output
    assert SECRET not in result.output
    assert KEY_PASSWORD not in result.output


def test_no_way_to_print_the_settings_shows_a_secret() -> None:
    settings = load_settings(**SASL)
    for shown in (repr(settings), str(settings), settings.model_dump_json(), f"{settings!r:}"):
        assert SECRET not in shown
        assert MASK in shown


@pytest.mark.parametrize(
    "text",
    [
        f'sasl_password = "{SECRET}"',
        f'sasl_password = "{SECRET}',
        f"sasl_password = {SECRET}",
        f'sasl_password = ["{SECRET}"]',
        f'sasl_password = {{value = "{SECRET}"}}',
        f'sasl_password = "{SECRET}"\nsasl_password = "{SECRET}"',
        f'sasl_password = "{SECRET}"\nbatch_tokens = "many"',
        f'sasl_pasword = "{SECRET}"',
        f'[sasl]\npassword = "{SECRET}"',
        f'tls_key_password = ["{SECRET}"]',
        f'security_protocol = "SASL_SSL"\nsasl_password = "{SECRET}"',
    ],
)
def test_no_mistake_in_the_file_shows_a_secret(text: str) -> None:
    Path("stancewire.toml").write_text(text)
    assert complaint(load_settings)


@pytest.mark.parametrize(
    ("variable", "more"),
    [
        ("SASL_PASSWORD", {}),
        ("SASL_PASWORD", {}),
        ("TLS_KEY_PASSWORD", {}),
        ("SASL_PASSWORD", {"BATCH_TOKENS": "many"}),
        ("SASL_PASSWORD", {"SECURITY_PROTOCOL": "SASL_SSL"}),
    ],
)
def test_no_mistake_in_the_environment_shows_a_secret(
    monkeypatch: pytest.MonkeyPatch, variable: str, more: dict[str, str]
) -> None:
    for name, value in ({variable: SECRET} | more).items():
        monkeypatch.setenv(f"{ENV_PREFIX}{name}", value)
    assert complaint(load_settings)


def test_an_empty_password_is_refused_and_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANCEWIRE_SASL_PASSWORD", "")
    assert complaint(load_settings).startswith(f"STANCEWIRE_SASL_PASSWORD={MASK}: ")


def test_a_child_process_gets_the_secrets_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(**SASL)
    environment = worker_environment(settings)
    assert environment["STANCEWIRE_SASL_PASSWORD"] == SECRET
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings


def test_the_demo_s_own_broker_is_told_no_credentials() -> None:
    own = _own_settings(load_settings(**SASL, tls_ca_file="ca.pem"), EmbeddedBroker(9))
    assert own.security_protocol == "PLAINTEXT"
    assert contradiction(own) is None
    assert SECRET not in str(worker_environment(own))
    assert worker_environment(own).keys() & _variables(*TLS_FIELDS, *SASL_FIELDS) == set()


def _variables(*names: str) -> set[str]:
    return {f"{ENV_PREFIX}{name.upper()}" for name in names}


def test_every_setting_of_tls_and_sasl_takes_part_in_the_rules() -> None:
    named = {name for name in Settings.model_fields if name.startswith(("tls_", "sasl_"))}
    assert named - {"sasl_mechanism"} == {*TLS_FIELDS, *SASL_FIELDS}
