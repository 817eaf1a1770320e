"""How fast is the packaged stance model? Side by side with what a user would write himself.

    python -m benchmarks.stance_speed            five rounds; the last line is JSON

(a) transformers' zero-shot-classification pipeline, one quote at a time, three labels, with an
entailment model of the same size: same architecture and layers, random weights, since only time is
measured. (b) the packaged model through `load_classifier`, in batches. Rounds alternate, so that
noise hits both.
"""

import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from models import load_classifier
from models.training.data import Split, stance_quotes
from service.bench.peers import entailment_pipeline

ROUNDS = 5
QUOTES = 640
QUOTES_ONE_BY_ONE = 60


def main() -> None:
    """Print the table and the JSON line."""
    threads = len(os.sched_getaffinity(0))
    torch.set_num_threads(threads)
    texts = [q.text for q in stance_quotes(Split.DEVELOPMENT, Split.TEST)[:QUOTES]]
    model = load_classifier(threads=threads)
    with TemporaryDirectory() as folder:
        naive = entailment_pipeline(Path(folder))
        few = texts[:: len(texts) // QUOTES_ONE_BY_ONE]
        model.score(texts[:64])
        _one_by_one(naive, few[:5])
        rounds = [
            (
                len(few) / _seconds(lambda: _one_by_one(naive, few)),
                len(texts) / _seconds(lambda: model.score(texts)),
                _seconds(lambda: model.score(few[:1])),
            )
            for _ in range(ROUNDS)
        ]
    slow, fast, single = (list(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(fast) / statistics.median(slow)
    print(f"pipeline, one at a time  {_spread(slow)} quotes/s")
    print(f"packaged, in batches     {_spread(fast)} quotes/s")
    print(f"packaged, one quote      {statistics.median(single) * 1000:.1f} ms")
    print(f"ratio of the medians     {ratio:.1f}")
    print(
        json.dumps(
            {
                "threads": threads,
                "pipeline_quotes_per_second": round(statistics.median(slow), 2),
                "packaged_quotes_per_second": round(statistics.median(fast), 1),
                "one_quote_seconds": round(statistics.median(single), 4),
                "ratio": round(ratio, 1),
            }
        )
    )


def _one_by_one(classify: Callable[[str], object], texts: list[str]) -> None:
    for text in texts:
        classify(text)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


if __name__ == "__main__":
    main()
