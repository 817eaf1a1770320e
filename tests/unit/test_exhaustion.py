"""Memory that ran out is told from an article that is bad: by real failures in a real process."""

import sys
from textwrap import dedent

import pytest

from service.exhaustion import is_out_of_memory
from tests.unit.short_of_memory import run_short_of_memory

BEGIN = """
import threading
from service.exhaustion import is_out_of_memory
"""
FAIL = """
try:
    fail()
except Exception as error:
    print(is_out_of_memory(error), repr(error)[:200])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are Linux'")
@pytest.mark.parametrize(
    "failing",
    [
        "def fail(): bytearray(2**28)",
        "def fail(): threading.Thread(target=print).start()",
        """
        import mmap
        def fail(): mmap.mmap(-1, 2**28)
        """,
        """
        import torch
        def fail(): torch.zeros(2**27)
        """,
        """
        from models.loading import load_classifier
        classifier = load_classifier("default")
        texts = classifier.encode([f"{n} " + "word " * 200 for n in range(200)])
        def fail(): classifier.score_encoded(texts)
        """,
    ],
    ids=["bytes", "thread", "mmap", "PyTorch", "ONNX Runtime"],
)
def test_memory_that_ran_out_is_known_whoever_says_so(failing: str) -> None:
    done = run_short_of_memory(BEGIN + dedent(failing), FAIL)
    assert done.stdout.startswith("True"), (done.stdout, done.stderr[-2000:])


def test_an_error_that_comes_from_exhausted_memory_is_known() -> None:
    error = ValueError("cannot parse this")
    error.__context__ = MemoryError()
    assert is_out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("cannot read this"),
        OSError(2, "No such file or directory"),
        RuntimeError('cannot score "can\'t start new thread"'),
        RuntimeError("can't start new thread, said the minister"),
        RuntimeError("[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Unexpected input data type"),
    ],
)
def test_other_errors_and_texts_that_speak_of_memory_are_the_articles(error: Exception) -> None:
    assert not is_out_of_memory(error)
