"""Where quotation marks open and close. Knows characters and paragraphs, no words or speakers.

Marks come in two families, double and single. Inside one paragraph openers and closers are matched
like brackets; only the outermost pair is a quotation, what is marked inside it belongs to it.
Whether a straight mark opens or closes, and whether a single one is an apostrophe, is told by its
neighbours.
"""

import re
from dataclasses import dataclass, field

from service.quotes.paragraphs import Paragraph

MARK = re.compile("''|``|[“”„«»\"‘’']")
MARK_CHARS = "“”„«»\"‘’'`"
OPENING_PUNCTUATION = frozenset("([{—–-/…“‘\"'«„")
# Words that begin with an apostrophe: no quote opens there.
ELISION = re.compile(r"(?:\d\ds?|em|til|tis|twas|cause|n|bout|round|cos)\b", re.IGNORECASE)
FEET_AND_INCHES = re.compile(r"\d['’′] ?\d{1,2}$")
# "soldiers’ boots", "workin’ hard": may be an apostrophe though a space follows.
APOSTROPHE_ENDINGS = ("s", "in")
PAIRS = {"‘": "’", "'": "'", "“": "”", '"': '"', "«": "»"}
CLOSERS = {closer: opener for opener, closer in PAIRS.items()}
DOUBLED = ("''", "``")
OPENED = r"(?<!\w){}(?=\w)"
# So doubtful a closer may end a short quote only.
WEAK_CLOSER_MAX_CHARS = 80


@dataclass(frozen=True, slots=True)
class Marked:
    """What stands between two marks: `outer_*` with the marks, `start`/`end` without them, trimmed.

    All are code point offsets into the received text, end exclusive.
    """

    outer_start: int
    outer_end: int
    start: int
    end: int


@dataclass(slots=True)
class MarkedParagraph:
    """The outermost marked spans of one paragraph in order, and its openers without a closer.

    Of those `unclosed` holds the offset of the last one for each mark: only it can begin a quote
    that goes on in the next paragraph.
    """

    paragraph: Paragraph
    spans: list[Marked] = field(default_factory=list)
    unclosed: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Mark:
    start: int
    text: str
    double: bool
    opens: bool
    closes: bool
    weak: bool = False  # closes, but may be an apostrophe


def find_marked(text: str, paragraph: Paragraph) -> MarkedParagraph:
    """Match the marks of one paragraph; unmatched openers are listed, never an error."""
    marks = [_read_mark(text, paragraph, found) for found in _marks_in(text, paragraph)]
    pairs, unclosed = _match(marks)
    found = MarkedParagraph(paragraph, unclosed=unclosed)
    last_end = paragraph.start
    for opener, closer in sorted(pairs, key=lambda pair: pair[0].start):
        if opener.start < last_end:
            continue  # inside the pair before it
        last_end = closer.start + len(closer.text)
        span = trim(text, opener.start, last_end)
        if span is not None:  # else there is no letter in the pairs inside it either
            found.spans.append(span)
    return found


def trim(text: str, outer_start: int, outer_end: int) -> Marked | None:
    """Take marks and white space off both ends; None when no letter or digit is left."""
    start, end = outer_start, outer_end
    while start < end and (text[start] in MARK_CHARS or text[start].isspace()):
        start += 1
    while start < end and (text[end - 1] in MARK_CHARS or text[end - 1].isspace()):
        end -= 1
    if not any(text[i].isalnum() for i in range(start, end)):
        return None
    start, end = _with_inner_marks(text, start, end, outer_start, outer_end)
    return Marked(outer_start, outer_end, start, end)


def _with_inner_marks(
    text: str, start: int, end: int, outer_start: int, outer_end: int
) -> tuple[int, int]:
    """Take a mark back in whose other half is inside: “He said, ‘Never.’” ends with two."""
    width = 2 if text.startswith(DOUBLED, outer_start) else 1
    closer = text[end] if outer_end - end > width else ""
    opener = text[start - 1] if start - outer_start > width else ""
    if closer in CLOSERS and re.search(OPENED.format(CLOSERS[closer]), text[start:end]):
        return start, end + 1
    whole = PAIRS.get(opener) == closer  # “‘…’” is marked twice, nothing in it is
    if opener in PAIRS and not whole and not ELISION.match(text, start):
        closing = text.find(PAIRS[opener], start, end)
        if closing > 0 and not text[closing + 1 : closing + 2].isalnum():
            return start - 1, end
    return start, end


def _marks_in(text: str, paragraph: Paragraph) -> list[re.Match[str]]:
    return list(MARK.finditer(text, paragraph.start, paragraph.end))


def _read_mark(text: str, paragraph: Paragraph, found: re.Match[str]) -> _Mark:
    """Classify one mark by the characters beside it."""
    start, end, mark = found.start(), found.end(), found.group()
    before = text[start - 1] if start > paragraph.start else " "
    after = text[end] if end < paragraph.end else " "
    if mark in ("‘", "’", "'"):
        return _read_single(text, start, mark, before, after)
    if before.isdigit() and FEET_AND_INCHES.search(text, max(paragraph.start, start - 6), start):
        return _Mark(start, mark, True, opens=False, closes=False)
    if mark in ("„", "``"):
        return _Mark(start, mark, True, opens=True, closes=False)
    can_open = (before.isspace() or before in OPENING_PUNCTUATION) and not after.isspace()
    can_close = not before.isspace() and not after.isalnum()
    if mark == "«":
        # »Reversed marks« close with it.
        closes = not (before.isspace() or before in OPENING_PUNCTUATION or after.isalnum())
        return _Mark(start, mark, True, opens=not closes, closes=closes)
    if mark == "“":
        # Some pages close with an opening mark: “Mostly false.“
        return _Mark(start, mark, True, opens=True, closes=can_close and not can_open)
    if mark in "”»":
        # Nothing can be closed where a paragraph begins: ”We are open,” she said.
        opens = start == paragraph.start or (can_open and after.isalnum())
        return _Mark(start, mark, True, opens=opens, closes=start > paragraph.start)
    doubtful = can_open == can_close
    return _Mark(start, mark, True, opens=can_open or doubtful, closes=can_close or doubtful)


def _read_single(text: str, start: int, mark: str, before: str, after: str) -> _Mark:
    """Tell a single mark from an apostrophe as far as its neighbours can."""
    free_before = before.isspace() or before in OPENING_PUNCTUATION
    opens = mark != "’" and free_before and not after.isspace() and after not in ".,;:!?)"
    if opens and ELISION.match(text, start + 1):
        opens = False
    closes = mark != "‘" and not before.isspace() and not after.isalnum() and not opens
    weak = closes and after == " " and text[start + 2 : start + 3].isalpha()
    weak = weak and text.endswith(APOSTROPHE_ENDINGS, max(0, start - 2), start)
    return _Mark(start, mark, False, opens=opens, closes=closes, weak=weak)


def _match(marks: list[_Mark]) -> tuple[list[tuple[_Mark, _Mark]], dict[str, int]]:
    """Match openers and closers as brackets, each mark looked at once."""
    sure_closer_follows = _sure_closer_follows(marks)
    closer_follows = _closer_follows(marks)
    pairs: list[tuple[_Mark, _Mark]] = []
    stack: list[_Mark] = []
    unclosed: dict[str, int] = {}
    doubles = 0
    for index, mark in enumerate(marks):
        if mark.double:
            if mark.closes and doubles:
                while not stack[-1].double:  # a single mark left open inside a double quote
                    stack.pop()
                pairs.append((stack.pop(), mark))
                doubles -= 1
                continue
        elif mark.closes and stack and not stack[-1].double:
            if not mark.weak or _weak_closes(mark, stack[-1], sure_closer_follows[index]):
                pairs.append((stack.pop(), mark))
            continue
        if not mark.opens:
            continue
        if closer_follows[index]:
            stack.append(mark)
            doubles += mark.double
        else:
            unclosed[mark.text] = mark.start
    for mark in stack:
        unclosed[mark.text] = max(mark.start, unclosed.get(mark.text, 0))
    return pairs, unclosed


def _weak_closes(mark: _Mark, opener: _Mark, sure_closer_follows: bool) -> bool:
    return not sure_closer_follows and mark.start - opener.start <= WEAK_CLOSER_MAX_CHARS


def _closer_follows(marks: list[_Mark]) -> list[bool]:
    """Say for each mark whether a closer of its family follows in this paragraph."""
    follows = [False] * len(marks)
    seen = {True: False, False: False}
    for index in range(len(marks) - 1, -1, -1):
        mark = marks[index]
        follows[index] = seen[mark.double]
        seen[mark.double] = seen[mark.double] or mark.closes
    return follows


def _sure_closer_follows(marks: list[_Mark]) -> list[bool]:
    """Say for each mark whether a sure single closer follows before the next single opener."""
    follows = [False] * len(marks)
    seen = False
    for index in range(len(marks) - 1, -1, -1):
        mark = marks[index]
        follows[index] = seen
        if not mark.double and mark.opens:
            seen = False
        elif not mark.double and mark.closes and not mark.weak:
            seen = True
    return follows
