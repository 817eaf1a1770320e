"""Ask a broker for TLS, and prove who we are, before a Kafka client does.

A client that is refused only tries again and again, and says in the end that it found nobody. Here
the reason is told at once, in one line.
"""

import socket
import ssl
import time
from contextlib import suppress
from typing import Any

from kafka.errors import for_code
from kafka.net.sasl import get_sasl_mechanism
from kafka.protocol.metadata import ApiVersionsRequest
from kafka.protocol.parser import KafkaProtocol
from kafka.protocol.sasl import SaslAuthenticateRequest, SaslHandshakeRequest

from service.errors import FatalError
from service.security import sasl_options, ssl_context
from service.settings import Settings

ANSWER_SECONDS = 5.0
PAUSE_SECONDS = 0.5
MOST_ANSWER_BYTES = 65_536


def greet_brokers(settings: Settings) -> None:
    """Until one of the brokers lets us in; nothing to do where connections are plain.

    Raises:
        FatalError: a broker and these settings do not fit together, or no broker answers within
            `connect_timeout_seconds`.
        UsageError: a file that the settings name cannot be used.
    """
    context = ssl_context(settings)
    if context is None:
        return
    deadline = time.monotonic() + settings.connect_timeout_seconds
    while silent := _greet_any(context, settings):
        if time.monotonic() > deadline:
            raise FatalError("no broker answers over TLS: " + "; ".join(silent))
        time.sleep(PAUSE_SECONDS)


def _greet_any(context: ssl.SSLContext, settings: Settings) -> list[str]:
    """Why none of the brokers answered; empty: one has let us in."""
    silent = []
    for address in settings.brokers.split(","):
        try:
            _greet(address, context, settings)
        except ssl.SSLCertVerificationError as error:
            raise FatalError(
                f"TLS: the certificate of {address} is refused: {error.verify_message}; "
                "tls_ca_file names the CAs that are trusted"
            ) from error
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):  # so does a broker that starts or stops
            silent.append(f"{address} closed the connection")
        except ssl.SSLError as error:
            reason = (error.reason or str(error)).replace("_", " ").lower()
            raise FatalError(f"TLS: {address} does not accept the connection: {reason}") from error
        except (OSError, OverflowError, ValueError) as error:  # also of an impossible address
            silent.append(f"{address}: {error}")
        else:
            return []
    return silent


def _greet(address: str, context: ssl.SSLContext, settings: Settings) -> None:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")  # of an IPv6 address
    with (
        socket.create_connection((host, int(port)), ANSWER_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        if settings.security_protocol == "SASL_SSL":
            _authenticate(address, secure, settings)
        else:  # with TLS 1.3 only the first answer tells that a client certificate is missing
            _ask(secure, ApiVersionsRequest[0]())


def _authenticate(address: str, secure: ssl.SSLSocket, settings: Settings) -> None:
    name = settings.sasl_mechanism
    offered = _ask(secure, SaslHandshakeRequest[1](name)).mechanisms
    if name not in offered:
        raise FatalError(
            f"SASL: {address} does not offer sasl_mechanism={name}; "
            f"it offers {', '.join(offered) or 'none'}"
        )
    mechanism = get_sasl_mechanism(name)(**sasl_options(settings))
    try:
        while not mechanism.is_done():
            answer = _ask(secure, SaslAuthenticateRequest[0](mechanism.auth_bytes()))
            if answer.error_code:
                raise FatalError(
                    f"SASL: {address} refuses sasl_username={settings.sasl_username} with this "
                    f"password by {name}: {for_code(answer.error_code).__name__}"
                )
            mechanism.receive(answer.auth_bytes)
    except (ValueError, KeyError):  # with SCRAM the broker has to know the password as well
        raise FatalError(f"SASL: {address} does not prove that it knows the password") from None


def _ask(secure: ssl.SSLSocket, request: Any) -> Any:
    protocol = KafkaProtocol(client_id="stancewire", receive_message_max_bytes=MOST_ANSWER_BYTES)
    protocol.send_request(request)
    with suppress(OSError):  # who hung up may have said why: that can still be read
        secure.sendall(protocol.send_bytes())
    while data := secure.recv(4096):
        for _, answer in protocol.receive_bytes(data):
            return answer
    raise ConnectionError("closed without an answer")
