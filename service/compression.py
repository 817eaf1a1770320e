"""Undoes what producers compressed, up to a limit. Knows the formats; knows no Kafka client.

Kafka's clients decompress a batch whole and without a limit, and a megabyte of zeros takes a
thousand bytes: whoever may write to the input topic could take all the memory there is.
"""

import gzip
import io
import struct
from collections.abc import Callable
from typing import Protocol

import cramjam
import lz4.frame
import zstandard

Decode = Callable[[bytes], bytes]

PIECE = 256 * 1024
XERIAL = b"\x82SNAPPY\x00"  # how Java's clients frame snappy: this, two versions, blocks
XERIAL_HEADER_BYTES = 16


class TooLargeError(ValueError):
    """What was compressed is larger than the limit."""


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def decoders(limit: int) -> dict[str, Decode]:
    """The codecs of Kafka by their names.

    Args:
        limit: most bytes that may come out.

    Returns:
        functions that raise TooLargeError, or whatever their library raises for what is damaged.
    """
    return {
        "gzip": lambda data: _read(gzip.GzipFile(fileobj=io.BytesIO(data)), limit),
        "lz4": lambda data: _read(lz4.frame.open(io.BytesIO(data)), limit),
        "zstd": lambda data: _read(_zstd(data), limit),
        "snappy": lambda data: _snappy(bytes(data), limit),
    }


def _zstd(data: bytes) -> _Readable:
    return zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True)


def _read(source: _Readable, limit: int) -> bytes:
    pieces = bytearray()
    while piece := source.read(PIECE):
        pieces += piece
        _check(len(pieces), limit)
    return bytes(pieces)


def _snappy(data: bytes, limit: int) -> bytes:
    """A block says how large it will be, and none becomes larger than it says."""
    blocks = _xerial_blocks(data) if data.startswith(XERIAL) else [data]
    _check(sum(map(cramjam.snappy.decompress_raw_len, blocks)), limit)
    return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)


def _xerial_blocks(data: bytes) -> list[bytes]:
    blocks = []
    place = XERIAL_HEADER_BYTES
    while place < len(data):
        (size,) = struct.unpack_from("!I", data, place)
        place += 4
        if size > len(data) - place:
            raise ValueError(f"a block of {size} bytes is cut off")
        blocks.append(data[place : place + size])
        place += size
    return blocks


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise TooLargeError(f"it decompresses to more than {limit} bytes")
