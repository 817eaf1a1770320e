"""Where paragraphs begin and end. Knows lines, not marks or words.

A blank line always ends a paragraph. A single line break ends one too, because most pages give one
line to a paragraph, unless the lines were wrapped by hand at some column: then a quote may run on.
"""

import itertools
import re
from dataclasses import dataclass

# Wrapped lines are neither short, as a menu's are, nor long, as a paragraph on one line is.
WRAPPED_MIN_CHARS = 40
WRAPPED_MAX_CHARS = 100

SENTENCE_ENDS = frozenset(".!?:…”\"’')")
# “MOREL: Let us begin.”: a turn of a transcript, with or without marks around it.
TRANSCRIPT_LABEL = re.compile(r"[\W_]{0,3}([A-Z][A-Z.'’-]{1,30}(?: [A-Z][A-Z.'’-]{1,30}){0,3}):\s")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A stretch of the received text, code point offsets, end exclusive, white space trimmed."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    last: str
    starts_lower: bool


def split_paragraphs(text: str) -> list[Paragraph]:
    """Return the paragraphs of `text` in order; together they hold everything but white space."""
    paragraphs: list[Paragraph] = []
    block: list[_Line] = []
    offset = 0
    for raw in text.splitlines(keepends=True):
        stripped = raw.strip()
        if stripped:
            start = offset + len(raw) - len(raw.lstrip())
            end = start + len(stripped)
            block.append(_Line(start, end, stripped[-1], stripped[0].islower()))
        else:
            paragraphs += _paragraphs_of_block(block)
            block = []
        offset += len(raw)
    return paragraphs + _paragraphs_of_block(block)


def _paragraphs_of_block(block: list[_Line]) -> list[Paragraph]:
    """Cut a run of lines with no blank line between them at those breaks that end a paragraph."""
    if not block:
        return []
    wrapped = _is_wrapped(block)
    paragraphs = []
    start = block[0].start
    for line, following in itertools.pairwise(block):
        if not (wrapped or (following.starts_lower and line.last not in SENTENCE_ENDS)):
            paragraphs.append(Paragraph(start, line.end))
            start = following.start
    paragraphs.append(Paragraph(start, block[-1].end))
    return paragraphs


def _is_wrapped(block: list[_Line]) -> bool:
    """Say whether the lines are of like length and mostly stop in mid-sentence: then wrapped."""
    inner = block[:-1]
    if not inner or any(line.end - line.start > WRAPPED_MAX_CHARS for line in block):
        return False
    if any(line.end - line.start < WRAPPED_MIN_CHARS for line in inner):
        return False
    mid_sentence = sum(line.last not in SENTENCE_ENDS for line in inner)
    return 2 * mid_sentence >= len(inner)
