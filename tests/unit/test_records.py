"""Reading what was fetched: nothing that a producer may send ends it or is passed over."""

import struct
import sys
from collections.abc import Iterator

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import ConsumerRecord, TopicPartition
from hypothesis import given, settings
from hypothesis import strategies as st

from service.dead_letters import MAX_KEY_BYTES
from service.errors import Reason
from service.records import (
    DECOMPRESSED_MESSAGES,
    MAX_HEADERS,
    CarefulRecords,
    Unread,
    read_carefully,
)
from tests.raw_batches import (
    CODECS,
    HEAD_BYTES,
    LAST_OFFSET_DELTA,
    Record,
    at_offset,
    batch,
    claimed,
    compress,
    compressed,
    counting,
    sealed,
    with_foreign_header_name,
)

LIMIT = 65_536
GOOD: list[Record] = [(b"k%d" % n, b"v%d" % n, [("h", b"%d" % n)]) for n in range(3)]
COMPRESSED = [name for name in CODECS if name != "none"]


@pytest.fixture(autouse=True)
def careful() -> Iterator[None]:
    """As in a worker; what is changed in the client is put back."""
    client = sys.modules[DefaultRecordBatch.__module__]
    before = {name: value for name, value in vars(client).items() if name.endswith("_decode")}
    records = fetcher.PartitionRecords
    read_carefully(LIMIT)
    yield
    fetcher.PartitionRecords = records
    vars(client).update(before)


def fetched(*batches: bytes, position: int = 0) -> CarefulRecords:
    """One fetch of these batches, which the log has one behind the other."""
    log, offset = b"", 0
    for made in batches:
        log += at_offset(made, offset)
        offset += DefaultRecordBatch(made).next_offset
    records: CarefulRecords = fetcher.PartitionRecords(
        TopicPartition("articles", 0), MemoryRecords(log), None, position, None, None, True, 0
    )
    return records


def read(*batches: bytes, position: int = 0) -> list[ConsumerRecord]:
    records = fetched(*batches, position=position)
    given = list(records)
    offsets = [record.offset for record in given]
    assert offsets == list(range(position, records.next_fetch_offset)), "not each offset once"
    return given


def problem_of(record: ConsumerRecord) -> Unread:
    assert isinstance(record.value, Unread)
    return record.value


@pytest.mark.parametrize("codec", CODECS)
def test_good_records_come_as_they_were_sent(codec: str) -> None:
    made = bytes(batch(GOOD)) if codec == "none" else compressed(codec, batch(GOOD))
    assert [(one.key, one.value, list(one.headers)) for one in read(made)] == GOOD


DAMAGED = {
    **{f"{codec} garbage": claimed(codec, b"\x00garbage" * 9, records=3) for codec in COMPRESSED},
    **{
        f"{codec} cut off": claimed(codec, compress(codec, bytes(999))[:-9], records=3)
        for codec in COMPRESSED
    },
    **{
        f"{codec} bomb": claimed(
            codec, compress(codec, bytes(DECOMPRESSED_MESSAGES * LIMIT + 1)), records=3
        )
        for codec in COMPRESSED
    },
    "records are garbage": sealed(batch(GOOD)[:HEAD_BYTES] + b"\xff" * 50),
    "no records": sealed(batch(GOOD)[:HEAD_BYTES]),
    "checksum": bytes(batch(GOOD)[:-1]) + b"\xff",
    "header name": with_foreign_header_name([(b"k", b"v", [("NAME", b"")])] * 3, b"\xff\xfe"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_each_record_of_a_damaged_batch_stands_there_unread_and_its_neighbours_are_read(
    name: str,
) -> None:
    before, damaged, after = bytes(batch(GOOD)), DAMAGED[name], compressed("gzip", batch(GOOD))
    records = read(before, damaged, after)
    assert len(records) == 9
    values = [one.value for one in records]
    assert values[:3] == values[6:] == [value for _, value, _ in GOOD]
    for one in records[3:6]:
        unread = problem_of(one)
        assert (one.key, one.value, one.headers, unread.size) == (None, b"", (), None)
        assert unread.problem.reason is Reason.UNREADABLE
        assert "offsets 3 to 5 cannot be read" in str(unread.problem)


def test_records_before_the_damage_are_read() -> None:
    records: list[Record] = [*GOOD[:2], (b"k", b"v", [("NAME", b"")]), *GOOD[:2]]
    read_there = read(with_foreign_header_name(records, b"\xff\xff\xff\xff"))
    assert [one.value for one in read_there[:2]] == [b"v0", b"v1"]
    assert all(isinstance(one.value, Unread) for one in read_there[2:])
    assert "offsets 2 to 4" in str(problem_of(read_there[2]).problem)


@pytest.mark.parametrize("count", [0, 1, 2, 4, 2**31 - 1])
def test_a_batch_that_miscounts_its_records_passes_none_over(count: int) -> None:
    records = read(counting(GOOD, count), bytes(batch(GOOD)))
    assert [one.value for one in records[3:]] == [b"v0", b"v1", b"v2"]


def test_reading_goes_on_in_the_middle_of_a_damaged_batch() -> None:
    """A restarted worker has committed some of its dead letters."""
    records = read(DAMAGED["lz4 garbage"], bytes(batch(GOOD)), position=2)
    assert [one.offset for one in records] == [2, 3, 4, 5]
    assert "offsets 2 to 2" in str(problem_of(records[0]).problem)


@pytest.mark.parametrize(
    ("record", "size"),
    [
        ((b"k", b"x" * LIMIT, []), LIMIT + 1),
        ((b"k", b"v", [("h", b"x" * LIMIT)]), LIMIT + 3),
        ((b"k", None, [("h" * LIMIT, None)]), LIMIT + 1),
    ],
    ids=["value", "header", "header name"],
)
def test_a_message_that_is_too_large_is_not_read(record: Record, size: int) -> None:
    [one] = read(bytes(batch([record])))
    unread = problem_of(one)
    assert (one.key, one.value, one.headers, unread.size) == (b"k", b"", (), size)
    assert unread.problem.reason is Reason.MESSAGE_TOO_LARGE
    assert f"{size} bytes, the limit is {LIMIT}" in str(unread.problem)


def test_a_message_with_very_many_headers_is_not_read() -> None:
    records = [(b"k", b"v", [("h", b"")] * count) for count in (MAX_HEADERS, MAX_HEADERS + 1)]
    most, more = read(bytes(batch(records)))
    assert (most.value, len(most.headers)) == (b"v", MAX_HEADERS)
    assert str(problem_of(more).problem) == "the message has 1001 headers, the limit is 1000"
    assert problem_of(more).problem.reason is Reason.MESSAGE_TOO_LARGE


def test_a_long_key_does_not_stay_with_a_message_that_is_too_large() -> None:
    keys = [b"k" * MAX_KEY_BYTES, b"k" * (MAX_KEY_BYTES + 1), None]
    records = read(bytes(batch([(key, b"x" * LIMIT, []) for key in keys[:2]])))
    assert [one.key for one in records] == [keys[0], None]


def test_a_message_of_just_the_limit_is_read() -> None:
    [one] = read(bytes(batch([(b"k", b"x" * (LIMIT - 3), [("h", b"1")])])))
    assert len(one.value) == LIMIT - 3
    assert not isinstance(one.value, Unread)


def test_one_fetch_brings_no_more_than_fits_into_memory_and_the_next_one_goes_on() -> None:
    bomb = compressed("gzip", batch([(b"k", bytes(LIMIT // 2), [])] * 10))
    batches = [bomb] * 4
    first = read(*batches)
    most = DECOMPRESSED_MESSAGES * LIMIT
    given = sum(len(one.key) + len(one.value) for one in first)
    assert most < given <= most + LIMIT
    second = read(*batches, position=first[-1].offset + 1)
    assert second
    assert [one.offset for one in (*first, *second)] == list(range(len(first) + len(second)))


def test_records_that_compaction_removed_are_passed_over() -> None:
    made = batch(GOOD)
    struct.pack_into(">i", made, LAST_OFFSET_DELTA, 9)
    records = fetched(sealed(made), bytes(batch(GOOD)))
    assert [one.offset for one in records] == [0, 1, 2, 10, 11, 12]


def test_records_out_of_order_stand_there_unread() -> None:
    made = batch(GOOD)
    place = made.rindex(b"\x04\x04k2")  # the offset, as a varint, then the key's length
    made[place] = 0
    assert [isinstance(one.value, Unread) for one in read(sealed(made))] == [False, False, True]


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(
        [bytes(batch(GOOD)), *(compressed(codec, batch(GOOD * 5)) for codec in COMPRESSED)]
    ),
    st.lists(st.tuples(st.integers(0, 10**6), st.binary(min_size=1, max_size=4)), max_size=3),
)
def test_whatever_a_batch_holds_no_offset_comes_twice_and_the_next_batch_is_read(
    made: bytes, damage: list[tuple[int, bytes]]
) -> None:
    body = bytearray(made[HEAD_BYTES:])
    for place, rubbish in damage:
        place %= len(body)
        body[place : place + len(rubbish)] = rubbish
    after = bytes(batch(GOOD))
    records = list(fetched(sealed(bytearray(made[:HEAD_BYTES]) + body), after))
    assert [one.value for one in records[-3:]] == [b"v0", b"v1", b"v2"]
    # One may be missing: a record that claims a later offset looks as if compaction had been there.
    offsets = [one.offset for one in records]
    assert offsets == sorted(set(offsets))
