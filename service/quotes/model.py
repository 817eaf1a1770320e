"""What leaves this package: a quotation and the one who said it. Knows not how they are found."""

from dataclasses import dataclass
from typing import Literal

QuoteKind = Literal["quote", "fragment"]


@dataclass(frozen=True, slots=True)
class Speaker:
    """The one a quote is attributed to.

    `name` is resolved inside the article ("Jens Stoltenberg"), `mention` is what is printed at the
    quote ("he", "Mr Stoltenberg") without the role, `role` is what the article prints beside that
    mention, if anything ("Nato Secretary General").
    """

    name: str
    mention: str
    role: str | None


@dataclass(frozen=True, slots=True)
class Quote:
    """One quotation.

    `segments` are code point offsets into the received text, end exclusive, ascending, without the
    marks. `text` is the segments joined by one space, every run of white space inside them (a line
    break of a wrapped text, a no-break space) folded to one space. `kind` is "fragment" when the
    segments together hold fewer than four words.
    """

    text: str
    segments: tuple[tuple[int, int], ...]
    speaker: Speaker | None
    cue: str | None
    kind: QuoteKind
