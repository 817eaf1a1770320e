"""The received text made readable, with the way back. Knows characters, no words or paragraphs.

Pages arrive with marks written as entities, with tags left in, and decoded with the wrong table
(“â€œ” for an opening mark). All later stages read the repaired text; what leaves the package is
counted in code points of the received one.
"""

import html
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import lru_cache

# A character of UTF-8 whose bytes were each read as Windows-1252 or Latin-1, once or twice over.
NEXT_BYTE = "[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
MISREAD_ONCE = rf"(?:[ÂÃÅË]{NEXT_BYTE}|â[€‚\u0080\u0082]{NEXT_BYTE}?)"
MISREAD = rf"Ã¢{MISREAD_ONCE}{{1,2}}|Ã[ƒ‚\u0083\u0082]{MISREAD_ONCE}|{MISREAD_ONCE}"
MAX_MISREADINGS = 2
# The last byte of a closing mark has no character in Windows-1252 and is often lost.
CUT_CLOSING_MARK = "â€"

ENTITY = r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});"
TAG = r"</?[a-zA-Z!][^<>]*>"
DAMAGE = re.compile(f"{TAG}|{ENTITY}|{MISREAD}")


@dataclass(slots=True)
class CleanText:
    """A repaired text, and how its offsets and those of the received text go together.

    `repaired_ends` and `received_ends` are parallel, ascending: where each repair ends, in either
    text. `kept` holds both for the repairs that left a character.
    """

    text: str
    repaired_ends: list[int] = field(default_factory=list)
    received_ends: list[int] = field(default_factory=list)
    kept: dict[int, int] = field(default_factory=dict)

    def received(self, start: int, end: int) -> tuple[int, int]:
        """Return a span of the repaired text, end exclusive and not empty, in received offsets."""
        return self._received_start(start), self.kept.get(end, self._received_start(end - 1) + 1)

    def _received_start(self, offset: int) -> int:
        repairs = bisect_right(self.repaired_ends, offset)
        if not repairs:
            return offset
        return offset - self.repaired_ends[repairs - 1] + self.received_ends[repairs - 1]


def clean(text: str) -> CleanText:
    """Repair a received text; one without damage comes back as it is."""
    cleaned = CleanText(text)
    pieces: list[str] = []
    position = length = 0
    for found in DAMAGE.finditer(text):
        repaired = "" if found.group().startswith("<") else _repair(found.group())
        if repaired == found.group():
            continue
        pieces += [text[position : found.start()], repaired]
        length += found.start() - position + len(repaired)
        position = found.end()
        cleaned.repaired_ends.append(length)
        cleaned.received_ends.append(position)
        if repaired:
            cleaned.kept[length] = position
    if pieces:
        cleaned.text = "".join([*pieces, text[position:]])
    return cleaned


@lru_cache(maxsize=512)
def _repair(damaged: str) -> str:
    """Return the character an entity or a misread one stood for; unchanged if for none."""
    if damaged.startswith("&"):
        return html.unescape(damaged)
    for _ in range(MAX_MISREADINGS):
        try:
            damaged = "”" if damaged == CUT_CLOSING_MARK else _read_again(damaged)
        except UnicodeError:
            break
    return damaged


def _read_again(misread: str) -> str:
    """Decode the bytes that were read as these characters; UnicodeError when they are no UTF-8."""
    return b"".join(
        character.encode("latin-1" if character <= "\u00ff" else "cp1252") for character in misread
    ).decode()
