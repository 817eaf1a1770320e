"""Did memory run out? Then the worker is at fault, not the article that it was working on."""

import errno
import re
from collections.abc import Iterator

SAID = re.compile(
    r"can't start new thread$"  # Python
    r"|\[enforce fail at alloc_cpu"  # PyTorch
    r"|\[ONNXRuntimeError\] .*alloc",  # ONNX Runtime
    re.DOTALL,
)
"""How those say it who raise nothing of their own for it. Looked for at the beginning of what was
said, where no text of an article stands."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: in this error, or in one that it came from."""
    return any(
        isinstance(one, MemoryError)
        or (isinstance(one, OSError) and one.errno == errno.ENOMEM)
        or SAID.match(str(one)) is not None
        for one in _with_origins(error)
    )


def _with_origins(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__
