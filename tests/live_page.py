"""A live page that is served, and quotes for it."""

import json
from typing import Any

from service.health import Health
from service.http_server import HttpServer
from service.live import LivePage, RecentQuotes
from service.metrics import Metrics

STANCES = ("sceptical", "conciliatory", "threatening", "none")
ARTICLE = {
    "id": "a1", "title": "Talks go on in Vienna", "url": "https://news.example/1",
    "source": "Wire", "published_at": None,
}  # fmt: skip
SPEAKER = {"name": "Anna Berg", "mention": "she", "role": "foreign minister"}


def event(text: str = "We will see", stance: str = "none", **changed: Any) -> bytes:
    """A quote event as it is delivered, with other values in `changed`."""
    quote = {
        "id": "q1",
        "article": ARTICLE,
        "text": text,
        "speaker": SPEAKER,
        "stance": stance,
        "scores": {"sceptical": 0.93, "conciliatory": 0.67, "threatening": 0.81},
        "classified_at": "2026-11-23T08:00:00.000Z",
    }
    return json.dumps(quote | changed).encode()


class Served:
    """The HTTP port of a worker with the page, and what it delivers."""

    def __init__(self, port: int = 0) -> None:
        self.recent = RecentQuotes()
        self.metrics = Metrics()
        self.metrics.set_model("m", "1", "l", STANCES)
        live = LivePage(self.recent, self.metrics.counts)
        self.server = HttpServer("127.0.0.1", port, Health(60, 60), self.metrics, live)
        self.port = self.server.start()

    def deliver(self, *events: bytes) -> None:
        """What an agent does once events are delivered."""
        self.recent.add(events)
        for one in events:
            self.metrics.quotes.labels(json.loads(one)["stance"]).inc()

    def stop(self) -> None:
        """Stop the server."""
        self.server.stop()
