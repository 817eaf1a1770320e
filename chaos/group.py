"""The embedded broker's consumer group, which can wedge: found here, proven here, freed here.

After network faults in the middle of a rebalance the broker may go on waiting for members that are
long dead. No client can join that group any more, while other groups work. Apache Kafka drops such
members; there is nothing a worker can do about it, so it must not count as the worker's failure.
"""

import contextlib
import time

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from service.settings import Settings

PATIENCE_SECONDS = 25.0
"""Well beyond session and rebalance time-outs of a chaos run: by then the dead must be dropped."""


def is_wedged(settings: Settings) -> bool:
    """A plain client cannot join the group, but can join another. Asked while no worker lives."""
    return not _can_join(settings, settings.group) and _can_join(settings, "chaos-witness")


def free(settings: Settings, partitions: int) -> None:
    """Delete the group and make it anew with the positions that it had committed."""
    places = [TopicPartition(settings.topic_articles, n) for n in range(partitions)]
    client = KafkaConsumer(
        bootstrap_servers=settings.brokers, group_id=settings.group, enable_auto_commit=False
    )
    admin = KafkaAdminClient(bootstrap_servers=settings.brokers)
    try:
        committed = {place: client.committed(place) for place in places}
        admin.delete_groups([settings.group])
        client.assign(places)
        client.commit(
            {
                place: OffsetAndMetadata(offset, "", -1)
                for place, offset in committed.items()
                if offset is not None
            }
        )
    finally:
        admin.close()
        client.close()


def _can_join(settings: Settings, group: str) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (left := deadline - time.monotonic()) > 0:
        try:
            if _joins(settings, group, left):
                return True
        except KafkaError:  # the dead were of another kind, and are not dropped yet
            time.sleep(1)
    return False


def _joins(settings: Settings, group: str, seconds: float) -> bool:
    client = KafkaConsumer(
        settings.topic_articles,
        bootstrap_servers=settings.brokers,
        group_id=group,
        enable_auto_commit=False,
        session_timeout_ms=int(settings.session_timeout_seconds * 1000),
        heartbeat_interval_ms=int(settings.heartbeat_seconds * 1000),
    )
    deadline = time.monotonic() + seconds
    try:
        while not client.assignment() and time.monotonic() < deadline:
            client.poll(timeout_ms=200, max_records=1)
        return bool(client.assignment())
    finally:
        with contextlib.suppress(Exception):  # it may wait for the same broker
            client.close(timeout_ms=1000)
