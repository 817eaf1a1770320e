"""The W3C trace context of a message: passed on where it is valid, left out where it is not.

Each of an article's events carries it, so its size must be bounded.
Source: W3C Trace Context, level 1, sections 3.2 and 3.3.
"""

import re
from collections.abc import Sequence

TRACEPARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
TRACESTATE = re.compile(rb"[\t -~]{1,512}")


def trace_context(headers: Sequence[tuple[str, bytes | None]]) -> list[tuple[str, bytes]]:
    """`traceparent`, and `tracestate` when there is one.

    Args:
        headers: of a Kafka message. Several `tracestate` are one list; of several `traceparent`
            nobody knows which is meant.

    Returns:
        the headers to pass on; none without a valid `traceparent`.
    """
    parents = [content for name, content in headers if name == "traceparent"]
    if len(parents) != 1 or not TRACEPARENT.fullmatch(parents[0] or b""):
        return []
    context = [("traceparent", parents[0] or b"")]
    state = b",".join(content for name, content in headers if name == "tracestate" and content)
    if TRACESTATE.fullmatch(state):
        context.append(("tracestate", state))
    return context


def trace_id(context: Sequence[tuple[str, bytes]]) -> str | None:
    """The 32 hexadecimal digits by which logs and spans of one trace find each other.

    Args:
        context: as `trace_context` gives it.
    """
    return dict(context)["traceparent"].decode().split("-")[1] if context else None
