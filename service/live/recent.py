"""The quotes delivered last, in bounded memory: written by the worker's loop, read by viewers."""

import json
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

MOST_QUOTES = 200
MOST_EVENT_BYTES = 16_384
"""A longer event is left out: the page is for reading at a glance, and memory has a bound."""

MOST_CHARS = 1_000
"""Of any text that is shown."""


class RecentQuotes:
    """The last quote events, numbered from 1 in the order of their delivery.

    At most `MOST_QUOTES` of at most `MOST_EVENT_BYTES` each: 3 MiB.
    """

    def __init__(self) -> None:
        self._events: deque[tuple[int, bytes]] = deque(maxlen=MOST_QUOTES)
        self._lock = threading.Lock()
        self._number = 0

    def add(self, events: Sequence[bytes]) -> None:
        """Note what was delivered, as JSON; cheap, since nothing is parsed."""
        with self._lock:
            for event in events:
                self._number += 1
                if len(event) <= MOST_EVENT_BYTES:
                    self._events.append((self._number, event))

    def after(self, number: int) -> tuple[int, list[dict[str, Any]]]:
        """What came after that number.

        Args:
            number: of the last quote that the viewer knows; 0: none.

        Returns:
            the number of the last quote of all, and those that came after, oldest first.
        """
        with self._lock:
            newest = self._number
            events = [event for at, event in self._events if at > number]
        return newest, [shown(event) for event in events]


def shown(event: bytes) -> dict[str, Any]:
    """What the page shows of a quote event: short texts, and no link but a web address."""
    full = json.loads(event)
    article, speaker = full["article"], full["speaker"] or {}
    return {
        "text": _short(full["text"]),
        "stance": full["stance"],
        "score": full["scores"].get(full["stance"]),
        "speaker": _short(speaker.get("name")),
        "role": _short(speaker.get("role")),
        "title": _short(article["title"]),
        "source": _short(article["source"]),
        "url": _web_address(article["url"]),
        "at": full["classified_at"],
    }


def _short(text: str | None) -> str | None:
    if text is None or len(text) <= MOST_CHARS:
        return text
    return text[: MOST_CHARS - 1] + "…"


def _web_address(url: str | None) -> str | None:
    """The address if it can be followed without harm: `javascript:` and the like cannot."""
    if url is None or len(url) > MOST_CHARS:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None
