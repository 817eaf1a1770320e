"""ONNX Runtime sessions: how every ONNX file here is opened."""

from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import ModelError

if TYPE_CHECKING:
    import onnxruntime

SLOW_FUSIONS = ["SkipLayerNormFusion", "BiasGeluFusion"]
"""Left out: on a CPU what they fuse runs two to seven times as fast unfused (1.31, AVX-512)."""


def available_cores() -> int:
    """Cores that this process may use: affinity and the container's limit (cgroup) count."""
    from loky import cpu_count  # only where a model is loaded: it imports multiprocessing

    return int(cpu_count())


def open_session(path: Path, threads: int | None = None) -> "onnxruntime.InferenceSession":
    """A session on the CPU with `threads` threads (None: one a core). Raises: ModelError."""
    import onnxruntime  # only where a model is loaded

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # One pattern for each shape of a batch would be kept, and there are hundreds of shapes.
    options.enable_mem_pattern = False
    # Idle threads must sleep, not spin: the event loop and the splitter share these cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if threads is not None:
        options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(
            path,
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=SLOW_FUSIONS,
        )
    except Exception as error:  # its exceptions share no base but Exception
        first = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise ModelError(f"{path}: cannot be loaded by ONNX Runtime: {first}") from error
