"""Logging: one line an event on standard error, as text or as a JSON object."""

import logging
from contextvars import ContextVar
from typing import Any, Literal

LogFormat = Literal["text", "json"]

TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"

# What these say at INFO repeats our own lines, or is only for their developers.
QUIET = ("aiokafka", "faust", "mode", "asyncio")

# At DEBUG these would print every request byte for byte, the one with the password included.
WIRE = ("aiokafka.conn", "kafka")

_ARTICLE: ContextVar[dict[str, Any] | None] = ContextVar("article", default=None)


def note_article(**fields: Any) -> None:
    """From here on, every line of this task tells these fields of the article in work.

    Only JSON shows them: in text, the message says what it is about.
    """
    _ARTICLE.set((_ARTICLE.get() or {}) | fields)


class WithArticle(logging.Filter):
    """Adds what is known of the article in work to a record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add; every record passes."""
        record.__dict__.update(_ARTICLE.get() or {})
        return True


def logging_config(level: str, log_format: LogFormat = "text") -> dict[str, Any]:
    """Configuration for `logging.config.dictConfig`.

    Args:
        level: least severity of our own lines; libraries speak from WARNING on, or at DEBUG.
        log_format: `json` gives one object a line: time, level, logger, message, and where an
            article is in work, topic, partition, offset, article_id and trace_id.
    """
    libraries = level if level == "DEBUG" else "WARNING"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {"format": TEXT},
            "json": {
                "()": "pythonjsonlogger.json.JsonFormatter",
                "fmt": ["levelname", "name", "message"],
                "rename_fields": {"levelname": "level", "name": "logger", "exc_info": "traceback"},
                "timestamp": "time",
            },
        },
        "filters": {"article": {"()": WithArticle}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": log_format,
                "filters": ["article"],
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
