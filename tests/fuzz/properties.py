"""What must hold for the quotes of any text whatever."""

import re
from itertools import pairwise

from service.quotes import Quote, Speaker, extract_quotes
from service.quotes.clean import clean

MARKS = "“”„«»\"‘’'"
PARTNERS = {"‘": "’", "’": "‘", "“": "”", "”": "“", "«": "»", "»": "«", "'": "'", '"': '"'}
FRAGMENT_MAX_WORDS = 3
MAX_SPEAKER_CHARS = 800  # every event of an article repeats them
WORD = re.compile(r"\w+(?:['’-]\w+)*")


def check_quotes(text: str) -> list[Quote]:
    """Return the quotes of the text.

    Raises:
        AssertionError: one of them is not as `Quote` and `Speaker` say.
    """
    quotes = extract_quotes(text)
    readable = clean(text).text
    for quote in quotes:
        _check_segments(text, quote)
        _check_kind(text, quote)
        assert quote.cue is None or _is_printed(quote.cue, readable), quote
        if quote.speaker is not None:
            _check_speaker(quote.speaker, readable)
    segments = [segment for quote in quotes for segment in quote.segments]
    assert all(before[1] <= after[0] for before, after in pairwise(segments)), segments
    return quotes


def _check_segments(text: str, quote: Quote) -> None:
    assert quote.segments, quote
    assert all(0 <= start < end <= len(text) for start, end in quote.segments), quote
    pieces = [text[start:end] for start, end in quote.segments]
    assert quote.text == " ".join(" ".join(piece.split()) for piece in pieces), quote
    for piece in pieces:
        assert piece == piece.strip(), quote
        readable = clean(piece).text  # a misread dash ends with what looks like a mark
        _check_mark(readable[0], readable[1:], quote)
        _check_mark(readable[-1], readable[:-1], quote)
        assert any(character.isalnum() for character in piece), quote


def _check_mark(mark: str, rest: str, quote: Quote) -> None:
    """A mark at either end is another quotation's, inside this one: its other half is there too."""
    assert mark not in MARKS or PARTNERS.get(mark, " ") in rest, quote


def _check_kind(text: str, quote: Quote) -> None:
    words = sum(len(WORD.findall(clean(text[start:end]).text)) for start, end in quote.segments)
    assert quote.kind == ("fragment" if words <= FRAGMENT_MAX_WORDS else "quote"), quote


def _check_speaker(speaker: Speaker, text: str) -> None:
    """No word of a speaker's may come from anywhere but the text; a label's case may differ."""
    for printed in (speaker.name, speaker.mention, speaker.role):
        if printed is not None:
            assert 0 < len(printed) <= MAX_SPEAKER_CHARS, speaker
            assert printed == " ".join(printed.split()), speaker
            assert _is_printed(printed, text), speaker
    assert any(character.isalnum() for character in speaker.name), speaker


def _is_printed(words: str, text: str) -> bool:
    folded = text.casefold()
    return all(word.casefold() in folded for word in words.split())
