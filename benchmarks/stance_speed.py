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
from transformers import (
    MPNetConfig,
    MPNetForSequenceClassification,
    PreTrainedTokenizerFast,
    pipeline,
)

from models import load_classifier
from models.loading import PACKAGED
from models.training.data import Split, stance_quotes
from models.training.pipeline import STUDENT_LAYERS

ROUNDS = 5
QUOTES = 640
QUOTES_ONE_BY_ONE = 60
HYPOTHESES = ["doubt about a claim", "an offer of talks", "a threat"]


def main() -> None:
    """Print the table and the JSON line."""
    threads = len(os.sched_getaffinity(0))
    torch.set_num_threads(threads)
    texts = [q.text for q in stance_quotes(Split.DEVELOPMENT, Split.TEST)[:QUOTES]]
    model = load_classifier(threads=threads)
    with TemporaryDirectory() as folder:
        naive = _entailment_pipeline(Path(folder))
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


def _entailment_pipeline(folder: Path) -> Callable[[str], object]:
    """The pipeline on a random entailment model of the packaged model's architecture."""
    config = MPNetConfig(
        vocab_size=30527,
        num_hidden_layers=STUDENT_LAYERS,
        num_labels=3,
        id2label={0: "contradiction", 1: "neutral", 2: "entailment"},
        label2id={"contradiction": 0, "neutral": 1, "entailment": 2},
    )
    MPNetForSequenceClassification(config).save_pretrained(folder)
    special = {"pad_token": "<pad>", "sep_token": "</s>", "cls_token": "<s>"}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(PACKAGED / "tokenizer.json"), model_max_length=512, **special
    )
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    tokenizer.save_pretrained(folder)
    classify = pipeline("zero-shot-classification", model=str(folder), device="cpu")
    return lambda text: classify(
        text, candidate_labels=HYPOTHESES, hypothesis_template="{}", multi_label=True
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
