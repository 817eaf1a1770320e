"""Reads what was fetched, record by record, and never stops at what cannot be read.

aiokafka raises at a batch that is damaged, and raises again whenever it is asked: a worker would
end there, and after its restart at the same place, for ever. Here each record of such a batch, and
each that is too large, comes with an `Unread` in place of its value, and becomes a dead letter.
"""

import logging
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.legacy_records import LegacyRecordBatch
from aiokafka.structs import ConsumerRecord

from service.compression import decoders
from service.dead_letters import MAX_KEY_BYTES
from service.errors import InvalidArticle, Reason
from service.exhaustion import is_out_of_memory

log = logging.getLogger(__name__)

DECOMPRESSED_MESSAGES = 8
"""A batch may decompress to as many of the largest messages. What a producer sends is smaller: it
measures before it compresses."""

MAX_HEADERS = 1000
"""An empty header of three bytes takes a hundred in memory."""


class Unread(bytes):
    """Stands for a value that was not read: empty, and says why.

    Attributes:
        problem: why.
        size: bytes of the message, where that is known.
    """

    problem: InvalidArticle
    size: int | None

    def __new__(cls, problem: InvalidArticle, size: int | None = None) -> "Unread":
        """Bytes cannot be changed: an empty value is made, then told why."""
        self = super().__new__(cls)
        self.problem = problem
        self.size = size
        return self


def read_carefully(max_message_bytes: int) -> None:
    """Make aiokafka read all that it fetches in this process as `CarefulRecords` does.

    It has no setting for either: these are names that its modules look up at each call.

    Args:
        max_message_bytes: a larger message is not read; nor is a batch that decompresses to more
            than eight of them.
    """
    fetcher.PartitionRecords = partial(CarefulRecords, max_message_bytes)
    bounded = decoders(DECOMPRESSED_MESSAGES * max_message_bytes)
    for batch in (DefaultRecordBatch, LegacyRecordBatch):
        module = sys.modules[batch.__module__]
        for codec, decode in bounded.items():
            if hasattr(module, f"{codec}_decode"):
                setattr(module, f"{codec}_decode", decode)


class CarefulRecords(PartitionRecords):  # type: ignore[misc] # aiokafka has no types here
    """The records of one fetch from one partition.

    Args:
        max_message_bytes: a larger message comes as `Unread`.
        fetched: what `PartitionRecords` takes.
    """

    def __init__(self, max_message_bytes: int, *fetched: Any) -> None:
        self._max_message_bytes = max_message_bytes
        super().__init__(*fetched)

    def _unpack_records(self) -> Iterator[ConsumerRecord]:
        """All of a fetch, or so much of it as fits into memory: the next fetch brings the rest."""
        given = 0
        while self._records.has_next():
            batch = self._records.next_batch()
            # What marks a transaction's end is for the client alone.
            for record, size in [] if batch.is_control_batch else self._read(batch):
                self.next_fetch_offset = record.offset + 1
                yield record
                given += size
                if given > DECOMPRESSED_MESSAGES * self._max_message_bytes:
                    return
            self.next_fetch_offset = max(self.next_fetch_offset, batch.next_offset)

    def _read(self, batch: Any) -> Iterator[tuple[ConsumerRecord, int]]:
        """Records with their bytes."""
        try:
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException("the checksum is wrong")
            start = self.next_fetch_offset
            for record in batch:
                if record.offset < start == self.next_fetch_offset:
                    continue  # read before: a fetch may begin in the middle of a batch
                if not self.next_fetch_offset <= record.offset < batch.next_offset:
                    raise CorruptRecordException(f"offset {record.offset} is out of order")
                yield self._checked(self._consumer_record(self._tp, record))
        except Exception as error:  # whatever a codec may raise
            if is_out_of_memory(error):
                raise
            yield from self._stand_ins(batch, error)

    def _stand_ins(self, batch: Any, error: Exception) -> Iterator[tuple[ConsumerRecord, int]]:
        """For all that is left of the batch: behind its first damage nothing can be found."""
        first, end = self.next_fetch_offset, batch.next_offset
        topic, partition = self._tp
        text = f"offsets {first} to {end - 1} cannot be read, from a damaged batch: {error!r:.300}"
        log.error("%s[%d]: %s", topic, partition, text)
        problem = InvalidArticle(Reason.UNREADABLE, text)
        for offset in range(first, end):
            nothing = Unread(problem)
            stand_in = ConsumerRecord(
                topic, partition, offset, -1, 0, None, nothing, None, -1, 0, headers=()
            )
            yield stand_in, 0

    def _checked(self, record: ConsumerRecord) -> tuple[ConsumerRecord, int]:
        headers, limit = len(record.headers), self._max_message_bytes
        size = None
        if headers > MAX_HEADERS:
            text = f"the message has {headers} headers, the limit is {MAX_HEADERS}"
        else:
            size = len(record.key or b"") + len(record.value or b"")
            size += sum(len(name) + len(content or b"") for name, content in record.headers)
            if size <= limit:
                return record, size
            text = f"the message has {size} bytes, the limit is {limit} (max_message_bytes)"
        nothing = Unread(InvalidArticle(Reason.MESSAGE_TOO_LARGE, text), size)
        key = record.key if len(record.key or b"") <= MAX_KEY_BYTES else None
        stand_in = ConsumerRecord(
            record.topic, record.partition, record.offset, record.timestamp, record.timestamp_type,
            key, nothing, None, -1, 0, headers=(),
        )  # fmt: skip
        return stand_in, 0
