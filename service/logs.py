"""Logging: one line an event on standard error."""

from typing import Any

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"

# What these say at INFO repeats our own lines, or is only for their developers.
QUIET = ("aiokafka", "faust", "mode", "asyncio")

# At DEBUG these would print every request byte for byte, the one with the password included.
WIRE = ("aiokafka.conn", "kafka")


def logging_config(level: str) -> dict[str, Any]:
    """Configuration for `logging.config.dictConfig`.

    Args:
        level: least severity of our own lines; libraries speak from WARNING on, or at DEBUG.
    """
    libraries = level if level == "DEBUG" else "WARNING"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": FORMAT}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": "line",
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {name: {"level": libraries} for name in QUIET}
        | {name: {"level": "WARNING"} for name in WIRE}
        # "Timer commit is overlapping": a commit waits for the producer's flush, as it should.
        | {"mode.timers": {"level": "ERROR"}}
        # A traceback for each malformed request: anybody could fill the log.
        | {"aiohttp.server": {"level": level if level == "DEBUG" else "CRITICAL"}},
    }
