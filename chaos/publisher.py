"""Publishes articles, and remembers which and when."""

import threading
import time
from collections.abc import Iterator

from kafka import KafkaProducer

from chaos.articles import NumberedArticle
from service.settings import Settings

MAX_PUBLISHED_BYTES = 8 * 1024**2
TICK_SECONDS = 0.05
LINGER_MS = 5


class Publisher:
    """Publishes articles at a steady rate in a thread of its own; use as a context manager.

    Args:
        settings: where to.
        articles: what.
        rate: articles a second; may be changed on the way.
        linger_ms: how long the client waits for more to send together.
    """

    def __init__(
        self,
        settings: Settings,
        articles: Iterator[NumberedArticle],
        rate: float,
        linger_ms: int = LINGER_MS,
    ) -> None:
        self.published: dict[str, tuple[NumberedArticle, float]] = {}  # with when it was
        self.rate = rate
        self._topic = settings.topic_articles
        self._articles = articles
        self._client = KafkaProducer(
            bootstrap_servers=settings.brokers.split(","),
            client_id="chaos-publisher",
            acks="all",
            linger_ms=linger_ms,
            max_request_size=MAX_PUBLISHED_BYTES,
            delivery_timeout_ms=120_000,
            request_timeout_ms=10_000,
        )
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._publish, name="publisher", daemon=True)

    def __enter__(self) -> "Publisher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._client.close(timeout=10)

    def stop(self) -> None:
        """Publish no more; all that was is acknowledged."""
        self._over.set()
        self._thread.join()
        self._client.flush()

    def _publish(self) -> None:
        due = time.monotonic()
        for article in self._articles:
            due += 1 / self.rate
            while (wait := due - time.monotonic()) > 0:
                if self._over.wait(min(wait, TICK_SECONDS)):
                    return
            if self._over.is_set():
                return
            due = max(due, time.monotonic() - 1)  # after an outage, no flood
            self._client.send(self._topic, key=article.key, value=article.value)
            self.published[article.id] = article, time.monotonic()
