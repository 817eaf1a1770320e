"""One error tree: the class of an error says where its message goes.

- `InvalidArticle`: the message goes to the dead-letter topic with its reason; the stream goes on.
- `FatalError`: the process stops with `exit_code`; nothing that is not delivered gets committed.

What may work if tried again has no class here: the Kafka clients retry with backoff until
`delivery_timeout_seconds`, and only then does it become fatal.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why an article was not processed. The value of a metric label and a header: a fixed set."""

    UNREADABLE = "unreadable"
    MESSAGE_TOO_LARGE = "message_too_large"
    TOMBSTONE = "tombstone"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    DUPLICATE_KEY = "duplicate_key"
    MISSING_FIELD = "missing_field"
    INVALID_FIELD = "invalid_field"
    TEXT_TOO_LONG = "text_too_long"
    CLASSIFICATION_FAILED = "classification_failed"
    PROCESSING_FAILED = "processing_failed"
    TIMEOUT = "timeout"
    EVENT_TOO_LARGE = "event_too_large"


class StancewireError(Exception):
    """Base of every error that Stancewire raises on purpose."""


class InvalidArticle(StancewireError):  # noqa: N818 - named after what it says, as design.md does
    """An article that cannot be processed, however often one tries.

    Args:
        reason: which of the fixed reasons applies.
        message: what was wrong, for a person; never holds more than a few words of the input.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class FatalError(StancewireError):
    """The process cannot do its job and must stop.

    Args:
        message: one line: what was wrong, with which input, what to do.
        exit_code: 1 when something failed, 2 when usage or settings are wrong.
    """

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class UsageError(FatalError):
    """Wrong settings or wrong use of a command: exit code 2."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=2)
