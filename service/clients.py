"""kafka-python for the tools around the service: topics, publishing, reading to the end."""

import logging
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from service.errors import FatalError
from service.events import Headers
from service.greeting import greet_brokers
from service.security import sasl_options, ssl_context
from service.settings import Settings

READ_TIMEOUT_SECONDS = 30.0
POLL_MS = 500
END_WAIT_MS = 20  # to learn where a partition ends

# It logs every connection attempt as an error; ours says once what is wrong and what to do.
logging.getLogger("kafka").setLevel(logging.CRITICAL)


@contextmanager
def admin(settings: Settings) -> Iterator[KafkaAdminClient]:
    """A client for topics.

    Raises:
        FatalError: no broker answers within `connect_timeout_seconds`.
    """
    with _kafka_errors(settings):
        client = KafkaAdminClient(**_connection(settings))
        try:
            yield client
        finally:
            client.close()


class Publisher:
    """Sends messages and remembers which the broker did not take."""

    def __init__(self, client: KafkaProducer) -> None:
        self._client = client
        self.errors: list[BaseException] = []

    def send(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Headers | None = None,
        partition: int | None = None,
    ) -> Any:
        """Append a message; the future ends when it is acknowledged."""
        future = self._client.send(
            topic, key=key, value=value, headers=headers, partition=partition
        )
        future.add_errback(self.errors.append)
        return future

    def flush(self) -> None:
        """Wait until all is acknowledged.

        Raises:
            FatalError: the broker did not take all.
        """
        self._client.flush()
        if self.errors:
            count, first = len(self.errors), self.errors[0]
            raise FatalError(f"{count} messages were not published: {first}")


@contextmanager
def producer(settings: Settings) -> Iterator[Publisher]:
    """A producer that waits for all replicas; flushed at the end.

    Raises:
        FatalError: no broker answers, or messages were not acknowledged.
    """
    with _kafka_errors(settings):
        client = KafkaProducer(
            **_connection(settings),
            acks="all",
            linger_ms=5,
            max_request_size=settings.max_message_bytes,
            delivery_timeout_ms=int(settings.delivery_timeout_seconds * 1000),
            request_timeout_ms=int(settings.delivery_timeout_seconds * 1000) // 2,
        )
        publisher = Publisher(client)
        try:
            yield publisher
            publisher.flush()
        finally:
            client.close(timeout=5)


def read_to_end(
    settings: Settings, topic: str, starts: Mapping[int, int] | None = None
) -> Iterator[Any]:
    """Every record of a topic to the end as it is now, partition by partition.

    Outside any group: nothing is committed. The end is the high watermark that comes with each
    fetch. Asking for end offsets would do on Apache Kafka, but the embedded broker answers that
    question wrongly (decision record 0004).

    Args:
        settings: where the brokers are.
        topic: what to read.
        starts: partition to the offset to begin with; where none is given: the first.

    Raises:
        FatalError: no broker answers, or there is no such topic.
    """
    with _consumer(settings, END_WAIT_MS) as client:
        for partition in _partitions(settings, topic):
            client.assign([partition])
            start = (starts or {}).get(partition.partition)
            if start is None:
                client.seek_to_beginning(partition)
            else:
                client.seek(partition, start)
            records, end = _first_fetch(client, partition)
            yield from (record for record in records if record.offset < end)
            while client.position(partition) < end:
                records = client.poll(timeout_ms=POLL_MS).get(partition, [])
                yield from (record for record in records if record.offset < end)


def ends_of(settings: Settings, topic: str) -> dict[int, int]:
    """The offset behind the last message of each partition of a topic.

    Raises:
        FatalError: no broker answers, or there is no such topic.
    """
    ends = {}
    with _consumer(settings, END_WAIT_MS) as client:
        for partition in _partitions(settings, topic):
            client.assign([partition])
            client.seek_to_beginning(partition)
            ends[partition.partition] = _first_fetch(client, partition)[1]
    return ends


def follow(
    settings: Settings, topic: str, *, from_beginning: bool = False
) -> Generator[Any, None, None]:
    """Every record of a topic as it arrives, for ever; None while nothing arrives.

    Args:
        settings: where the brokers are.
        topic: what to read.
        from_beginning: begin with the first record; default: behind the last.

    Raises:
        FatalError: no broker answers, or there is no such topic.
    """
    with _consumer(settings) as client:
        partitions = _partitions(settings, topic)
        starts = {}
        for partition in partitions:
            client.assign([partition])
            client.seek_to_beginning(partition)
            starts[partition] = 0 if from_beginning else _first_fetch(client, partition)[1]
        client.assign(partitions)
        for partition, offset in starts.items():
            client.seek(partition, offset)
        while True:
            batches = client.poll(timeout_ms=POLL_MS)
            yield from (record for batch in batches.values() for record in batch)
            if not batches:
                yield None


def existing_topics(settings: Settings) -> dict[str, int]:
    """Topic names with their number of partitions, sorted by name."""
    with admin(settings) as client:
        found = client.describe_topics()
    counts = {topic["name"]: len(topic["partitions"]) for topic in found}
    return dict(sorted(counts.items()))


def create_topics(settings: Settings, *, partitions: int, replicas: int) -> list[str]:
    """Create those of the topics that do not exist yet; that of the speakers is compacted.

    Returns:
        names of the topics created.
    """
    config = {"max.message.bytes": str(settings.max_message_bytes)}
    compacted = config | {"cleanup.policy": "compact"}
    created = []
    with admin(settings) as client:
        for name in settings.all_topics:
            own = compacted if name == settings.topic_speakers else config
            new = NewTopic(name, partitions, replicas, topic_configs=own)
            try:
                client.create_topics([new])
            except TopicAlreadyExistsError:
                continue
            created.append(name)
    return created


def require_topics(settings: Settings) -> None:
    """Fail now and clearly rather than wait for ever for a topic that nobody created.

    Raises:
        FatalError: no broker answers, or a topic is missing.
    """
    existing = existing_topics(settings)
    missing = [name for name in settings.topics if name not in existing]
    if missing:
        raise FatalError(
            f"no topic {', '.join(missing)} on {settings.brokers}; "
            "create it with `stancewire topics create`"
        )


def _partitions(settings: Settings, topic: str) -> list[TopicPartition]:
    count = existing_topics(settings).get(topic)
    if count is None:
        raise FatalError(f"no topic {topic} on {settings.brokers}")
    return [TopicPartition(topic, number) for number in range(count)]


@contextmanager
def _consumer(settings: Settings, fetch_wait_ms: int = POLL_MS) -> Iterator[KafkaConsumer]:
    """A consumer outside any group.

    Args:
        settings: where the brokers are.
        fetch_wait_ms: how long the broker may hold a fetch while nothing arrives.
    """
    with _kafka_errors(settings):
        client = KafkaConsumer(
            **_connection(settings),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            fetch_max_wait_ms=fetch_wait_ms,
            max_partition_fetch_bytes=settings.max_message_bytes,
        )
        try:
            yield client
        finally:
            client.close()


def _first_fetch(client: KafkaConsumer, partition: TopicPartition) -> tuple[list[Any], int]:
    """The first records of the only assigned partition, and its high watermark."""
    # A poll that brings nothing takes all of its time: short ones, or empty partitions add up.
    for _ in range(int(READ_TIMEOUT_SECONDS * 1000 / END_WAIT_MS)):
        records = client.poll(timeout_ms=END_WAIT_MS).get(partition, [])
        end = client.highwater(partition)
        if end is not None:
            return records, end
    raise FatalError(f"{partition}: the broker sends nothing for {READ_TIMEOUT_SECONDS:g} s")


def _connection(settings: Settings) -> dict[str, Any]:
    greet_brokers(settings)
    return {
        "bootstrap_servers": settings.brokers.split(","),
        "bootstrap_timeout_ms": max(1, int(settings.connect_timeout_seconds * 1000)),
        "client_id": "stancewire",
        "security_protocol": settings.security_protocol,
        "ssl_context": ssl_context(settings),
        **sasl_options(settings),
    }


@contextmanager
def _kafka_errors(settings: Settings) -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        protocol = settings.security_protocol
        raise FatalError(f"Kafka at {settings.brokers} ({protocol}): {error}") from error
