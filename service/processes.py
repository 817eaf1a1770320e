"""Processes that commands and tests start and end: a worker, a broker, what is measured."""

import os
import subprocess
import sys
from pathlib import Path

from pydantic import SecretStr

from service.settings import ENV_PREFIX, Settings

WORKER = ("service", "worker")
WORKER_STOP_SECONDS = 35.0  # its drain, and what it takes beyond


def start_module(
    arguments: tuple[str, ...], settings: Settings, log: Path
) -> "subprocess.Popen[bytes]":
    """Start `python -m` with these arguments and settings; its output is added to `log`.

    It has a session of its own: Ctrl-C in the terminal reaches only who started it, and who
    started it ends it.
    """
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own fixed commands
            [sys.executable, "-m", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=worker_environment(settings),
            start_new_session=True,
        )


def stop_process(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """End it: with a request, and after so many seconds without one."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def worker_environment(settings: Settings) -> dict[str, str]:
    """The environment in which `stancewire worker` runs with these settings and no others."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(ENV_PREFIX)}
    return inherited | {
        f"{ENV_PREFIX}{name}".upper(): (
            value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        )
        for name, value in settings.model_dump().items()
        if value != Settings.model_fields[name].default
    }
