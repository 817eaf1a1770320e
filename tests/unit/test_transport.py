"""What waits in a partition, beside what its lag says. The rest of the consumer: integration."""

from types import SimpleNamespace

import pytest
from faust.types import TP

from service.offsets import OffsetLedger
from service.transport import LedgerConsumer

TP0 = TP("articles", 0)


class Partition:
    """A consumer of one partition, without its Kafka client."""

    def __init__(self) -> None:
        self.position: int | None = 0
        self.consumer = object.__new__(LedgerConsumer)
        self.consumer.ledger = OffsetLedger(lambda: 1)
        self.consumer._committed_offset = {TP0: None}
        self.consumer._handed_out = {}
        thread = SimpleNamespace(read_position=lambda _: self.position)
        self.consumer._thread = thread  # type: ignore[assignment]

    def hand_out(self, *, until: int) -> None:
        """Faust has got all below `until`."""
        self.position = self.consumer._handed_out[TP0] = until

    def waiting(self, end: int, begin: int = 0) -> int:
        return self.consumer.waiting(TP0, begin, end)


@pytest.fixture
def partition() -> Partition:
    return Partition()


def test_what_is_not_read_waits(partition: Partition) -> None:
    assert partition.waiting(end=9) == 9


def test_what_is_read_and_not_delivered_waits(partition: Partition) -> None:
    partition.hand_out(until=5)
    assert partition.waiting(end=5) == 5
    partition.consumer.ledger.begin(TP0, 1, 0)
    partition.consumer.ledger.delivered(TP0, 1, 0)
    assert partition.waiting(end=5) == 4


def test_what_is_delivered_does_not_wait_though_it_is_not_committed(partition: Partition) -> None:
    partition.hand_out(until=1)
    partition.consumer.ledger.begin(TP0, 1, 0)
    partition.consumer.ledger.delivered(TP0, 1, 0)
    assert partition.waiting(end=1) == 0


def test_a_transaction_marker_behind_the_last_message_does_not_wait(partition: Partition) -> None:
    partition.hand_out(until=3)
    partition.consumer._committed_offset[TP0] = 3
    partition.position = 4  # the client steps over the marker and hands out nothing
    assert partition.waiting(end=4) == 0


def test_a_group_that_began_with_the_latest_message_has_nothing_waiting(
    partition: Partition,
) -> None:
    partition.position = 1_000
    assert partition.waiting(end=1_000) == 0


def test_a_client_that_does_not_know_where_to_read_leaves_all_waiting(partition: Partition) -> None:
    partition.position = None
    partition.consumer._committed_offset[TP0] = 2
    assert partition.waiting(end=9) == 7


def test_what_the_broker_has_deleted_does_not_wait(partition: Partition) -> None:
    partition.hand_out(until=5)
    partition.position = 20
    assert partition.waiting(begin=20, end=20) == 0


def test_a_record_bears_the_generation_it_was_fetched_in_whatever_has_begun_since(
    partition: Partition,
) -> None:
    consumer = partition.consumer
    consumer._fetched_in = 1
    consumer.app = SimpleNamespace(consumer_generation_id=2)  # type: ignore[assignment]
    fields = ("timestamp_type", "headers", "key", "value", "checksum")
    sizes = ("serialized_key_size", "serialized_value_size")
    record = SimpleNamespace(
        topic="articles", partition=0, offset=7, timestamp=0, **dict.fromkeys(fields + sizes)
    )
    message = consumer._to_message(TP0, record)
    assert (message.offset, message.generation_id) == (7, 1)
