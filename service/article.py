"""Bytes to `Article`, or `InvalidArticle`. Knows JSON and the article event; knows no Kafka."""

import json
import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictStr,
    StringConstraints,
    ValidationError,
)
from pydantic_core import from_json

from service.errors import InvalidArticle, Reason

MAX_ID_CHARS = 512
JSON_KINDS = {
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
}

# RFC 5646: subtags of 1 to 8 letters or digits; the first one is the language.
LANGUAGE_TAG = r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"
RFC3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


def _check_rfc3339(value: str) -> str:
    if not RFC3339.fullmatch(value):
        raise ValueError("is not an RFC 3339 date and time, such as 2026-11-21T21:36:00Z")
    # A leap second is right by RFC 3339 but unknown to datetime.
    seconds_folded = re.sub(r"(:\d\d):60", r"\1:59", value.upper().replace(" ", "T"))
    if re.search(r"[+-]\d\d:[6-9]\d$", seconds_folded):
        raise ValueError("minutes of the offset must be in 0..59")
    datetime.fromisoformat(seconds_folded)
    return value


class Article(BaseModel):
    """An article event. Unknown fields are allowed and ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Annotated[StrictStr, StringConstraints(min_length=1, max_length=MAX_ID_CHARS)] = Field(
        description="Identifies the article; also the Kafka key of its quotes."
    )
    text: StrictStr = Field(description="The whole text, as received. Offsets point into it.")
    title: StrictStr | None = Field(None, description="The headline; its quotes count too.")
    url: StrictStr | None = Field(None, description="Where the article was published.")
    source: StrictStr | None = Field(None, description="Who published it.")
    language: (
        Annotated[StrictStr, StringConstraints(pattern=LANGUAGE_TAG, max_length=35)] | None
    ) = Field(None, description="BCP 47 tag, such as en or en-GB.")
    published_at: Annotated[StrictStr, AfterValidator(_check_rfc3339)] | None = Field(
        None, description="RFC 3339 date and time.", json_schema_extra={"format": "date-time"}
    )


def parse_article(value: bytes | None, *, max_chars: int = 1_000_000) -> Article:
    """Read one article event.

    Args:
        value: the message value as received; None is a Kafka tombstone.
        max_chars: longest text and title accepted, in code points.

    Raises:
        InvalidArticle: with the reason, and a message that says what was wrong and where.
    """
    fields = _parse_object(value)
    try:
        article = Article.model_validate(fields)
    except ValidationError as error:
        raise _invalid_field(error) from error
    for name in ("text", "title"):
        length = len(getattr(article, name) or "")
        if length > max_chars:
            raise InvalidArticle(
                Reason.TEXT_TOO_LONG,
                f"{name} has {length} characters, the limit is {max_chars} (max_article_chars)",
            )
    return article


def _parse_object(value: bytes | None) -> dict[str, Any]:
    if value is None:
        raise InvalidArticle(Reason.TOMBSTONE, "the message has no value (a tombstone)")
    try:
        text = value.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"byte 0x{value[error.start]:02x} at position {error.start} is not UTF-8"
        raise InvalidArticle(Reason.NOT_UTF8, message) from error
    try:
        # jiter is strict where the standard library is lenient: it refuses NaN, lone surrogates
        # and nesting deeper than 200 brackets, whatever the version of Python.
        parsed = from_json(text, allow_inf_nan=False, cache_strings="none")
    except ValueError as error:
        raise InvalidArticle(Reason.NOT_JSON, f"not JSON: {error}") from error
    if not isinstance(parsed, dict):
        kind = JSON_KINDS[type(parsed)]
        raise InvalidArticle(Reason.NOT_AN_OBJECT, f"expected a JSON object, got {kind}")
    _reject_duplicate_keys(text)
    return parsed


def _reject_duplicate_keys(text: str) -> None:
    """Refuse a top level that says a thing twice: which of two texts was meant, nobody knows."""
    pairs: list[tuple[str, Any]] = []

    def keep_last(of_object: list[tuple[str, Any]]) -> None:
        nonlocal pairs
        pairs = of_object  # objects end inside out: the top level comes last

    try:
        json.loads(text, object_pairs_hook=keep_last, strict=False)
    except (ValueError, RecursionError) as error:
        raise InvalidArticle(Reason.NOT_JSON, f"not JSON: {error}") from error
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise InvalidArticle(Reason.DUPLICATE_KEY, f"key {key[:80]!r} is there twice")
        seen.add(key)


def _invalid_field(error: ValidationError) -> InvalidArticle:
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return InvalidArticle(Reason.MISSING_FIELD, f"{field} is missing")
    message = first["msg"].removeprefix("Value error, ")
    return InvalidArticle(Reason.INVALID_FIELD, f"{field}: {message}")
