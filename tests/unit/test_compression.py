"""What producers compressed comes out as it went in, and never more than the limit."""

import struct
import tracemalloc

import cramjam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.compression import XERIAL, TooLargeError, decoders
from tests.raw_batches import CODECS, compress

NAMES = [name for name in CODECS if name != "none"]
LIMIT = 100_000
ZEROS = bytes(50_000_000)


def raw_snappy(data: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(data))


@pytest.mark.parametrize("codec", NAMES)
@settings(deadline=None)
@given(data=st.binary(max_size=2_000), times=st.sampled_from([0, 1, 40]))
def test_what_was_compressed_comes_back(codec: str, data: bytes, times: int) -> None:
    assert decoders(LIMIT)[codec](compress(codec, data * times)) == data * times


def test_snappy_comes_back_without_frames_too() -> None:
    assert decoders(LIMIT)["snappy"](raw_snappy(b"abc" * 99)) == b"abc" * 99


@pytest.mark.parametrize("codec", ["gzip", "lz4", "zstd"])
def test_frames_one_after_the_other_are_read_to_the_last(codec: str) -> None:
    two = compress(codec, b"one ") + compress(codec, b"two")
    assert decoders(LIMIT)[codec](two) == b"one two"


@pytest.mark.parametrize("codec", NAMES)
def test_exactly_the_limit_comes_out_and_one_byte_more_does_not(codec: str) -> None:
    assert decoders(LIMIT)[codec](compress(codec, bytes(LIMIT))) == bytes(LIMIT)
    with pytest.raises(TooLargeError, match="more than 100000 bytes"):
        decoders(LIMIT)[codec](compress(codec, bytes(LIMIT + 1)))


@pytest.mark.parametrize("codec", NAMES)
def test_of_a_bomb_little_more_than_the_limit_is_ever_in_memory(codec: str) -> None:
    bomb = compress(codec, ZEROS)
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError):
            decoders(LIMIT)[codec](bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * len(bomb) + 1_000_000


@pytest.mark.parametrize("codec", NAMES)
@settings(deadline=None)
@given(st.binary(max_size=200))
def test_rubbish_raises_and_nothing_else(codec: str, rubbish: bytes) -> None:
    for data in (rubbish, compress(codec, b"abc" * 50)[:-8] + rubbish, XERIAL + rubbish):
        try:
            result = decoders(LIMIT)[codec](data)
        except Exception:
            continue
        assert len(result) <= LIMIT


@pytest.mark.parametrize("size", [0, 2**31, 2**32 - 4, 2**32 - 1], ids=hex)
def test_snappy_blocks_of_any_claimed_size_end(size: int) -> None:
    """Read as a signed number, a size can lead back to where it stands, for ever."""
    framed = XERIAL + bytes(8) + struct.pack("!I", size) + raw_snappy(b"abc")
    with pytest.raises((ValueError, cramjam.DecompressionError)):
        decoders(LIMIT)["snappy"](framed)
