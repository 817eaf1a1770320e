"""What holds for any text whatever, and how long it may take."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.quotes import extract_quotes

MARKS = "“”„«»\"‘’'"

PIECES = st.sampled_from(
    [
        *MARKS, *MARKS, "''", " ", " ", ".", ",", ":", "?", "—", "(", ")", "\n", "\n\n", "\r\n",
        "\u2028", "\u00a0", " said ", " says ", " told ", " adding: ", "According to ", " the ",
        "he ", "She ", "it ", "they ", "who ", "Ana Morel", "Mr. Hale", "the minister", "Nordia’s",
        "NATO", "don’t", "’90s", "sailors’ ", "word ", "Word ", "U.S.", "6'2\"", "READ MORE: ",
        "😀", "𝒷", "\ud800", "\udfff", "\x00", "é", "中", "…", "__", "S’s", "’s", "O'", "of ",
        "and ",
    ]
)  # fmt: skip
TEXTS = st.one_of(st.lists(PIECES, max_size=60).map("".join), st.text(max_size=80))


@settings(max_examples=600, deadline=None)
@given(TEXTS)
def test_segments_are_slices_and_make_the_text(text: str) -> None:
    for quote in extract_quotes(text):
        slices = [text[start:end] for start, end in quote.segments]
        assert slices
        assert quote.text == " ".join(" ".join(piece.split()) for piece in slices)
        for piece in slices:
            assert piece == piece.strip()
            assert piece[0] not in MARKS
            assert piece[-1] not in MARKS


@settings(max_examples=600, deadline=None)
@given(TEXTS)
def test_segments_ascend_and_never_overlap(text: str) -> None:
    segments = [segment for quote in extract_quotes(text) for segment in quote.segments]
    assert all(0 <= start < end <= len(text) for start, end in segments)
    assert all(before[1] <= after[0] for before, after in pairwise(segments))


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_same_text_yields_same_quotes(text: str) -> None:
    assert extract_quotes(text) == extract_quotes(text)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_speakers_words_come_from_the_text(text: str) -> None:
    folded = " ".join(text.split())
    for quote in extract_quotes(text):
        if quote.speaker is not None:
            assert quote.speaker.name.strip()
            assert quote.speaker.mention in folded


HOSTILE = {
    "straight marks": '"',
    "opening marks": "“",
    "single marks": "‘’",
    "nested marks": "“‘a",
    "tiny quotes": '"a" ',
    "tiny quotes and verbs": 'saying "a" ',
    "quotes with speakers": "Tom Hale said “we go up now”. ",
    "names and commas": "Hale, ",
    "names without end": "Hale Morel ",
    "paragraphs that only open": "“one two three four\n",
    "possessives": "‘sailors’ boots ",
    "brackets": ") ",
    "one word": "a",
}


@pytest.mark.parametrize("shape", HOSTILE.values(), ids=HOSTILE.keys())
def test_time_grows_no_faster_than_the_text(shape: str) -> None:
    small = shape * (10_000 // len(shape))
    seconds_small = min(_seconds(small) for _ in range(4))
    seconds_large = min(_seconds(small * 4) for _ in range(4))
    # A quadratic step takes sixteen times as long; below 20 ms the clock says nothing.
    assert seconds_large < max(8 * seconds_small, 0.02)


def _seconds(text: str) -> float:
    start = time.perf_counter()
    extract_quotes(text)
    return time.perf_counter() - start
