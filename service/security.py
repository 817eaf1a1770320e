"""TLS and SASL: what both Kafka clients need for a safe connection, from one set of settings.

There is no SASL without TLS: credentials never leave unencrypted. Host names are always checked.
"""

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from service.errors import UsageError

if TYPE_CHECKING:
    from service.settings import Settings

TLS_FIELDS = ("tls_ca_file", "tls_certificate_file", "tls_key_file", "tls_key_password")
SASL_FIELDS = ("sasl_username", "sasl_password", "sasl_password_file")

# For a broker of our own on loopback, which knows no TLS: what is meant for another stays here.
PLAIN_CONNECTION = {"security_protocol": "PLAINTEXT"} | dict.fromkeys((*TLS_FIELDS, *SASL_FIELDS))


def contradiction(settings: "Settings") -> str | None:
    """What is wrong with the settings of TLS and SASL taken together, in one line; None: nothing.

    Names settings, never their values.
    """
    tls = [name for name in TLS_FIELDS if getattr(settings, name) is not None]
    sasl = [name for name in SASL_FIELDS if getattr(settings, name) is not None]
    protocol = settings.security_protocol
    if sasl and protocol != "SASL_SSL":
        return f"{_and(sasl)} without security_protocol=SASL_SSL (got {protocol})"
    if tls and protocol == "PLAINTEXT":
        return f"{_and(tls)} without security_protocol=SSL or SASL_SSL (got {protocol})"
    if settings.tls_certificate_file is None and {"tls_key_file", "tls_key_password"} & set(tls):
        return f"{_and(tls)} without tls_certificate_file"
    if {"sasl_password", "sasl_password_file"} <= set(sasl):
        return "sasl_password and sasl_password_file are both set: one of them"
    if protocol == "SASL_SSL" and ("sasl_username" not in sasl or len(sasl) < 2):
        return "security_protocol=SASL_SSL needs sasl_username and a password (or its file)"
    return None


def ssl_context(settings: "Settings") -> ssl.SSLContext | None:
    """What TLS connections are made with: TLS 1.2 or newer, certificate and host name checked.

    Returns:
        None where the connection is to be plain.

    Raises:
        UsageError: a file cannot be used; the message names it.
    """
    if settings.security_protocol == "PLAINTEXT":
        return None
    _require_readable(settings, "tls_ca_file", "tls_certificate_file", "tls_key_file")
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca_file)
    except ssl.SSLError as error:
        raise UsageError(f"tls_ca_file={settings.tls_ca_file}: no certificates in PEM") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.tls_certificate_file is not None:
        _load_certificate(context, settings)
    return context


def sasl_options(settings: "Settings") -> dict[str, str | None]:
    """The options of kafka-python for SASL; none where connections are without.

    Raises:
        UsageError: the password's file cannot be used.
    """
    if settings.security_protocol != "SASL_SSL":
        return {}
    return {
        "sasl_mechanism": settings.sasl_mechanism,
        "sasl_plain_username": settings.sasl_username,
        "sasl_plain_password": sasl_password(settings),
    }


def sasl_password(settings: "Settings") -> str:
    """The password itself, from the setting or the file that another setting names.

    Raises:
        UsageError: the file cannot be used; the message names it and tells nothing of its content.
    """
    if settings.sasl_password is not None:
        return settings.sasl_password.get_secret_value()
    _require_readable(settings, "sasl_password_file")
    path = settings.sasl_password_file
    assert path is not None, "the settings were checked"  # noqa: S101
    try:
        password = path.read_text(encoding="utf-8").rstrip("\r\n")
    except ValueError:
        raise UsageError(f"sasl_password_file={path}: not UTF-8") from None
    if not password:
        raise UsageError(f"sasl_password_file={path}: is empty")
    return password


def _load_certificate(context: ssl.SSLContext, settings: "Settings") -> None:
    secret = settings.tls_key_password
    # Without any password OpenSSL would ask at the terminal for that of an encrypted key.
    password = secret.get_secret_value() if secret else ""
    certificate, key = settings.tls_certificate_file, settings.tls_key_file
    assert certificate is not None, "asked by ssl_context"  # noqa: S101
    try:
        context.load_cert_chain(certificate, key, password)
    except (ssl.SSLError, ValueError):  # ValueError: a password too long for OpenSSL
        raise UsageError(
            f"tls_certificate_file={certificate}, tls_key_file={key}: no certificate with its key "
            "in PEM, or tls_key_password is not that of the key"
        ) from None


def _require_readable(settings: "Settings", *names: str) -> None:
    """The ssl module does not tell which of its files is missing."""
    for name in names:
        path: Path | None = getattr(settings, name)
        try:
            if path is not None:
                path.open("rb").close()
        except OSError as error:
            raise UsageError(f"{name}={path}: {error.strerror}") from error


def _and(names: list[str]) -> str:
    return ", ".join(names)
