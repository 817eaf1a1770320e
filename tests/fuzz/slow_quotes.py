"""Looks for texts whose time grows faster than they do, by chance alone.

Run: make fuzz-quotes SECONDS=3600, which gives this half of the time, or
python -m tests.fuzz.slow_quotes SECONDS. Texts are up to four pieces one after the other, each many
times over: words of the rules' own lists, marks, lines of the grammar, running numbers. A finding
is a text of 20,000 characters that takes a second, or eight times as long as its quarter, and again
eight times as long at 80,000 characters. Only what is measured without a fuzzer's counters counts,
so this is a search of its own. Findings belong into `hostile`.
"""

import random
import sys
import time
from collections.abc import Callable

from service.quotes import extract_quotes
from tests.fuzz.grammar import BREAKS, LISTS, MARKS, PEOPLE, WORDS, article, soup

SMALL, LARGE, CONFIRMED = 5_000, 20_000, 80_000
MAX_SECONDS = 1.0
MAX_GROWTH = 8  # of the time when the text is four times as long
CLOCK_SECONDS = 0.05  # below this the clock says nothing
MAX_PIECE_CHARS = 60
MORE = [
    "(", "--", "…", ". ", ", ", ": ", "; ", " {n} ", "{n}.\n", "☃", "A.", "’s ", " " * 20, "a" * 20,
]  # fmt: skip


def main(seconds: float) -> int:
    """Search for so long; 1 when something was found."""
    rng = random.Random()
    end = time.monotonic() + seconds
    tried = 0
    found = False
    while time.monotonic() < end:
        pieces = [_piece(rng) for _ in range(rng.randint(1, 4))]
        tried += 1
        if _is_slow(pieces):
            print(f"Slow: {pieces!a}")
            found = True
    print(f"{tried} texts tried")
    return int(found)


def _is_slow(pieces: list[str]) -> bool:
    large = _seconds(pieces, LARGE)
    if large < CLOCK_SECONDS or large < min(MAX_SECONDS, MAX_GROWTH * _seconds(pieces, SMALL)):
        return False
    large = min(_seconds(pieces, LARGE) for _ in range(3))  # once may be the machine's fault
    if large >= MAX_SECONDS:
        return True
    small = min(_seconds(pieces, SMALL) for _ in range(3))
    # A cause that sets in at some length alone, such as what is furniture, is not growth.
    return large > MAX_GROWTH * small and _seconds(pieces, CONFIRMED) > MAX_GROWTH * large


def _seconds(pieces: list[str], size: int) -> float:
    text = "".join(_fill(piece, size // len(pieces)) for piece in pieces)
    started = time.process_time()
    extract_quotes(text)
    return time.process_time() - started


def _fill(piece: str, size: int) -> str:
    repeats = size // len(piece) + 1
    return "".join(piece.replace("{n}", str(number)) for number in range(repeats))[:size]


def _piece(rng: random.Random) -> str:
    """Return one to three short texts joined, never empty."""
    made: list[Callable[[], str]] = [
        lambda: rng.choice(rng.choice(LISTS)),
        lambda: rng.choice(rng.choice(LISTS)).capitalize(),
        lambda: rng.choice([*WORDS, *PEOPLE, *BREAKS, *MORE]),
        lambda: rng.choice(rng.choice(MARKS)),
        lambda: "{n}".join(rng.choice(MARKS)),
        lambda: article(rng.randrange)[:MAX_PIECE_CHARS],
        lambda: soup(rng.randrange)[:MAX_PIECE_CHARS],
    ]
    glue = rng.choice(["", " ", " {n} ", ", "])
    return glue.join(rng.choice(made)() for _ in range(rng.randint(1, 3))) or "a"


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
