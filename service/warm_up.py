"""The model at work before the worker counts as ready; what it shows is how large calls should be.

A call costs something beside its tokens: on a machine that multiplies bytes fast it is the passage
of all weights through the caches, as much as 16 tokens; on a slower one next to nothing, and then
small calls cost no more than large ones and nobody need wait for company.
"""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from models import Classifier
from models.classifier import EncodedText

log = logging.getLogger(__name__)

SHORT = "Two paths are still open, he said."
LONG = "We will see what they do, and then we will say what we think of it and of them. "
LONG_TEXTS = 6
ROUNDS = 4
LEAST, MOST = 4, 32
"""Bounds of the answer. Handing a call to its thread costs something in any case; and a measurement
that another process disturbed must do no harm."""


def warm_up(classifier: Classifier) -> int:
    """What a call costs beside its tokens, in tokens: 4 to 32.

    As many calls as the model allows run side by side, as they will at work: small ones, then
    large ones; the fastest of each count. Takes a few tenths of a second.
    """
    [small] = classifier.encode([SHORT])
    large = classifier.encode([LONG] * LONG_TEXTS)
    with ThreadPoolExecutor(classifier.parallel_calls) as pool:
        small_seconds = _fastest(pool, classifier, [small])
        large_seconds = _fastest(pool, classifier, large)
    more_tokens = sum(map(len, large)) - len(small)
    token_seconds = max(1e-9, (large_seconds - small_seconds) / more_tokens)
    call_tokens = min(max(round(small_seconds / token_seconds) - len(small), LEAST), MOST)
    log.info("a token takes %.2g s, a call as long as %d more", token_seconds, call_tokens)
    return call_tokens


def _fastest(
    pool: ThreadPoolExecutor, classifier: Classifier, batch: Sequence[EncodedText]
) -> float:
    """Seconds of the fastest of many such calls, with as many at one time as at work."""

    def timed(_: int) -> float:
        started = time.perf_counter()
        classifier.score_encoded(batch)
        return time.perf_counter() - started

    return min(pool.map(timed, range(ROUNDS * classifier.parallel_calls)))
