"""What holds for any text whatever, and how long it may take."""

import hashlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.quotes import extract_quotes
from tests.fuzz.grammar import Pick, article, soup
from tests.fuzz.hostile import SHAPES, Shape
from tests.fuzz.properties import check_quotes


def drawn(grammar: Callable[[Pick], str]) -> st.SearchStrategy[str]:
    """Texts of a grammar; what fails shrinks towards its plainest choices."""

    @st.composite
    def texts(draw: st.DrawFn) -> str:
        return grammar(lambda count: draw(st.integers(0, count - 1)))

    return texts()


TEXTS = st.one_of(drawn(article), drawn(soup), st.text(st.characters(), max_size=80))


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_quotes_of_any_text_keep_their_promises(text: str) -> None:
    check_quotes(text)


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_same_text_yields_same_quotes(text: str) -> None:
    assert extract_quotes(text) == extract_quotes(text)


def digest_of_made_up_articles() -> str:
    """A digest of the quotes of 150 articles."""
    rng = random.Random(7)
    texts = [grammar(rng.randrange) for grammar in (article, soup) for _ in range(75)]
    return hashlib.sha256(repr([extract_quotes(text) for text in texts]).encode()).hexdigest()


def test_quotes_do_not_depend_on_the_order_of_a_set() -> None:
    program = "from tests.unit.test_quotes_properties import *; print(digest_of_made_up_articles())"
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_time_grows_no_faster_than_the_text(shape: Shape) -> None:
    small, large = shape(5_000), shape(20_000)
    for _ in range(3):  # a neighbour on the machine can slow one attempt, hardly all
        seconds_small = min(_seconds(small) for _ in range(2))
        seconds_large = _seconds(large)
        # A quadratic step takes sixteen times as long; below 20 ms the clock says nothing.
        if seconds_large < max(8 * seconds_small, 0.02):
            return
    pytest.fail(f"{len(small)} characters: {seconds_small:.3f} s, four times: {seconds_large:.3f}")


def _seconds(text: str) -> float:
    start = time.process_time()
    extract_quotes(text)
    return time.process_time() - start
