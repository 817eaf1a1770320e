"""Which paragraphs are the page's own: links, pleas, credits, copies, crossheads.

None of them is read: no quote comes from there, and no name. A new kind of furniture is a word in
one of the two patterns.
"""

import re

from service.quotes.paragraphs import Paragraph
from service.quotes.tokens import WORD

# Words a line of furniture begins with. Those that can begin a sentence need a colon, a bar or
# nothing behind them, and no mark before them: “Listen: we need it” is speech.
BEGINNING = re.compile(
    r"[^\w“\"‘'«]{0,4}(?:"
    r"(?:read more|also read|read also|read next|see also|related|watch|listen|advertisement|video|"
    r"most read|also worth reading|follow our|sign up|subscribe|copyright|photo|image|credit|share|"
    r"source link|recommended|trending)\b(?=\s*(?::|\||$))"
    r"|(?:sign up (?:for|to)|subscribe to|click here|download (?:our|the) app|by clicking)\s"
    r"|(?:copyright\W{0,3})?(?:©|\(c\) \d)"
    r"|follow \S[^.!?]{1,60} on (?:twitter|facebook|instagram|threads)\b"
    r")",
    re.IGNORECASE,
)
BEGINNING_MAX_CHARS = 100
# What only a page says of itself.
ANYWHERE = re.compile(
    r"all rights reserved|may not be published, broadcast|to your inbox|browser is no longer",
    re.IGNORECASE,
)
ANYWHERE_MAX_CHARS = 400


def is_furniture(text: str, paragraph: Paragraph) -> bool:
    """Say whether the paragraph is the page's own: a link to another article, an advertisement."""
    start, end = paragraph.start, paragraph.end
    if BEGINNING.match(text, start, min(end, start + BEGINNING_MAX_CHARS)):
        return True
    return end - start <= ANYWHERE_MAX_CHARS and ANYWHERE.search(text, start, end) is not None


def paragraph_words(text: str, paragraph: Paragraph) -> str:
    """Return a paragraph's words: captions printed twice differ only in the kind of their marks."""
    return " ".join(WORD.findall(text, paragraph.start, paragraph.end)).casefold().replace("’", "'")
