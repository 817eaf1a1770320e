"""Looks for texts that break extraction, guided by the coverage they reach.

Run: make fuzz-quotes SECONDS=3600. Needs the extra `fuzz` (Linux only). What the fuzzer chooses
are not characters but the choices of a grammar, or where a real article is damaged. A finding is an
exception, a broken promise (`properties`) or a text of up to 4,000 characters that takes a second;
its text is printed, and the choices that led to it are kept as a file that this command replays:
python -m tests.fuzz.fuzz_quotes FILE. Longer texts are searched by `slow_quotes`: counting coverage
makes extraction several times slower.
"""

import json
import re
import sys
import time

import atheris

with atheris.instrument_imports(include=["service.quotes"]):
    import service.quotes  # noqa: F401  its modules count coverage only if they are first read here

from seeds import sample_articles
from tests.fuzz.grammar import Pick, article, soup
from tests.fuzz.properties import check_quotes

MAX_CHARS = 4_000
MAX_SECONDS = 1.0
MAX_REPEATS = 200
PIECE = re.compile(r"\w+|\s+|[^\w\s]")
ARTICLES = [json.loads(line)["text"] for line in sample_articles().read_text("utf-8").splitlines()]


def text_from(data: bytes) -> str:
    """Return the text that these bytes choose."""
    choices = atheris.FuzzedDataProvider(data)

    def pick(count: int) -> int:
        return int(choices.ConsumeIntInRange(0, count - 1))

    kind = pick(16)
    if kind < 7:
        return article(pick)
    if kind < 11:
        return soup(pick)
    if kind < 14:
        return _damaged(pick)
    if kind == 14:  # seldom: these are long
        return _repeated(pick)
    return str(choices.ConsumeUnicode(500))


def check(data: bytes) -> None:
    """Raise AssertionError, or what extraction raises, if the text is a finding."""
    text = text_from(data)[:MAX_CHARS]
    try:
        seconds = _checked_seconds(text)
        if seconds >= MAX_SECONDS:  # once may be the machine's fault
            seconds = min(_checked_seconds(text) for _ in range(2))
        assert seconds < MAX_SECONDS, f"{len(text)} characters took {seconds:.1f} s"
    except BaseException:
        print(f"Finding: {text!a}", file=sys.stderr)
        raise


def _damaged(pick: Pick) -> str:
    """Return a stretch of a real article, pieces of it left out, doubled or replaced."""
    real = ARTICLES[pick(len(ARTICLES))]
    start = pick(len(real))
    pieces = PIECE.findall(real[start : start + 300 + pick(1_500)])
    for _ in range(pick(8)):
        place = pick(len(pieces) or 1)
        pieces[place : place + pick(3)] = [soup(pick)[:60]] * pick(3)
    return "".join(pieces)


def _repeated(pick: Pick) -> str:
    """Return up to three short texts one after the other, each many times over."""
    return "".join(soup(pick)[:40] * pick(MAX_REPEATS) for _ in range(1 + pick(3)))[:MAX_CHARS]


def _checked_seconds(text: str) -> float:
    started = time.process_time()
    check_quotes(text)
    return time.process_time() - started


if __name__ == "__main__":
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
