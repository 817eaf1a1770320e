"""What a reader of the embedded broker was not given is read again."""

from dataclasses import dataclass

from chaos.gaps import PATIENCE_SECONDS, Gaps


@dataclass(frozen=True)
class Record:
    offset: int


def read(gaps: Gaps, begin: int, *offsets: int) -> list[int]:
    return [one.offset for one in gaps.before("quotes-0", begin, [Record(n) for n in offsets])]


def test_all_is_taken_where_nothing_is_missing() -> None:
    gaps = Gaps()
    assert read(gaps, 0, 0, 1, 2) == [0, 1, 2]
    assert read(gaps, 3, 3) == [3]
    assert read(gaps, 4) == []


def test_nothing_behind_a_gap_is_taken() -> None:
    gaps = Gaps()
    assert read(gaps, 0, 1, 2) == []
    assert read(gaps, 5, 5, 6, 8, 9) == [5, 6]
    assert read(gaps, 7, 7, 8, 9) == [7, 8, 9]


def test_a_gap_that_stays_is_passed() -> None:
    now = 0.0
    gaps = Gaps(clock=lambda: now)
    assert read(gaps, 0, 0, 2, 3) == [0]
    now = PATIENCE_SECONDS
    assert read(gaps, 1, 2, 3, 5) == [2, 3]  # but not another one
