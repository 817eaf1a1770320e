"""Kafka's record batches made by hand: what no honest producer sends.

Source: the message format of Apache Kafka, version 2 (KIP-98), as its protocol guide has it.
"""

import asyncio
import gzip
import struct
from collections.abc import Callable, Sequence

import lz4.frame
import zstandard
from aiokafka.client import AIOKafkaClient
from aiokafka.codec import snappy_encode
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition

from service.events import Headers

HEAD_BYTES = 61
TIMESTAMP = 1_800_000_000_000
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
LAST_OFFSET_DELTA = 23
_LENGTH, _CRC, _ATTRIBUTES, _COUNT = 8, 17, 21, 57

Record = tuple[bytes | None, bytes | None, Headers]  # key, value, headers


def compress(codec: str, data: bytes) -> bytes:
    """Compress as a producer with this codec does."""
    encoders: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress,
        "snappy": snappy_encode,
        "lz4": lambda data: lz4.frame.compress(data, block_linked=False),
        "zstd": zstandard.ZstdCompressor().compress,
    }
    return encoders[codec](data)


def batch(records: Sequence[Record], *, timestamp: int = TIMESTAMP) -> bytearray:
    """A good batch, not compressed."""
    builder = DefaultRecordBatchBuilder(
        2, 0, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=2**30,
    )  # fmt: skip
    for offset, (key, value, headers) in enumerate(records):
        builder.append(offset, timestamp=timestamp, key=key, value=value, headers=headers)
    return bytearray(builder.build())


def sealed(made: bytearray) -> bytes:
    """The batch with the length and the checksum that its bytes have now."""
    struct.pack_into(">i", made, _LENGTH, len(made) - 12)
    struct.pack_into(">I", made, _CRC, calc_crc32c(bytes(made[_ATTRIBUTES:])))
    return bytes(made)


def claimed(codec: str, data: bytes, *, records: int = 1) -> bytes:
    """A batch that says of its records that they are `data`, compressed with this codec."""
    return _packed(codec, data, batch([(b"k", b"v", [])] * records))


def compressed(codec: str, plain: bytearray) -> bytes:
    """A good batch, compressed."""
    return _packed(codec, compress(codec, bytes(plain[HEAD_BYTES:])), plain)


def _packed(codec: str, data: bytes, plain: bytearray) -> bytes:
    made = plain[:HEAD_BYTES] + data
    struct.pack_into(">h", made, _ATTRIBUTES, CODECS[codec])
    return sealed(made)


def with_foreign_header_name(records: Sequence[Record], name: bytes) -> bytes:
    """A batch in which the header name NAME is replaced by as many other bytes."""
    made = batch(records)
    assert b"NAME" in made
    return sealed(made.replace(b"NAME", name.ljust(4)[:4]))


def counting(records: Sequence[Record], count: int) -> bytes:
    """A batch that says of itself to hold another number of records."""
    made = batch(records)
    struct.pack_into(">i", made, _COUNT, count)
    return sealed(made)


def at_offset(made: bytes, offset: int) -> bytes:
    """The batch as a broker has it at this place of its log."""
    return struct.pack(">q", offset) + made[8:]


def send(brokers: str, topic: str, batches: Sequence[tuple[int, bytes]]) -> list[int]:
    """Produce batches as they are, one after the other.

    Args:
        brokers: bootstrap servers.
        topic: where to.
        batches: (partition, batch).

    Returns:
        the offset of each batch's first record.
    """
    return asyncio.run(_send(brokers, topic, batches))


async def _send(brokers: str, topic: str, batches: Sequence[tuple[int, bytes]]) -> list[int]:
    client = AIOKafkaClient(bootstrap_servers=brokers, request_timeout_ms=60_000)
    await client.bootstrap()
    try:
        await client.set_topics([topic])
        offsets = []
        for partition, made in batches:
            leader = client.cluster.leader_for_partition(TopicPartition(topic, partition))
            request = ProduceRequest(None, -1, 30_000, [(topic, [(partition, made)])])
            answer = await client.send(leader, request)
            [(_, [(_, error, offset, *_)])] = answer.topics
            assert error == 0, f"the broker refuses a batch: error {error}"
            offsets.append(offset)
        return offsets
    finally:
        await client.close()
