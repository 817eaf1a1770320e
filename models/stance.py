"""Our own kind of model: an encoder, and a head that says whether a hypothesis holds for a quote.

A quote passes the encoder once, whatever the labels are; hypotheses are embedded when the model is
loaded. Everything runs in ONNX Runtime, with activations quantised at fixed scales: a score does
not depend on what else is in the batch. `models/training/` makes such a folder, `models/packaged/`
is one:

    stance_model.json   name, limits, calibration
    encoder.onnx        token ids -> vector
    head.onnx           vectors of quotes and hypotheses -> logits
    tokenizer.json
"""

import os
from array import array
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.batches import BATCH_TOKENS, batches_by_length, encodable
from models.classifier import EncodedText
from models.errors import ModelError
from models.folder import STANCE_CONFIG, read_object, weights_version
from models.labels import LabelSet
from models.sessions import available_cores, open_session

# Its threads wait for each other by spinning, on the cores that the encoder needs.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Calibration:
    """From a logit to a probability: sigmoid(scale * logit + bias) (Platt 1999)."""

    scale: float = 1.0
    bias: float = 0.0

    def probabilities(self, logits: Floats) -> Floats:
        """The same shape, values in [0, 1]."""
        clipped = np.clip(self.scale * logits + self.bias, -60, 60)
        values: Floats = 1 / (1 + np.exp(-clipped))
        return values


class StanceModel:
    """Scores a label by the mean logit of its hypotheses.

    `folder` is laid out as above; `threads` None: one a core. Each call runs on one thread, and
    calls run side by side: threads that share a call wait for each other at every layer, the more
    so when something else needs a core. Raises: ModelError.
    """

    def __init__(
        self, folder: Path, name: str, labels: LabelSet, threads: int | None = None
    ) -> None:
        config = read_object(folder, STANCE_CONFIG)
        self.name = name
        self.folder = folder
        self.version = weights_version(folder, "*.onnx")
        self.labels = labels
        self._calibration = _calibration(folder, config)
        self._tokenizer, self._pad_id = _tokenizer(folder, config)
        self.parallel_calls = threads or available_cores()
        self._encoder = open_session(folder / "encoder.onnx", threads=1)
        self._head = open_session(folder / "head.onnx", threads=1)
        self._hypotheses = self.embed([h for label in labels.labels for h in label.hypotheses])
        self._sizes = [len(label.hypotheses) for label in labels.labels]

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """One dict a text; see Classifier."""
        if not texts:
            return []
        return self._decode(self.embed(texts))

    def encode(self, texts: Sequence[str]) -> list[EncodedText]:
        """See Classifier; texts are cut at the model's limit."""
        clean = [_without_comma(encodable(text)) for text in texts]
        encodings = self._tokenizer.encode_batch_fast(clean)
        return [
            EncodedText(text, array("I", encoding.ids))
            for text, encoding in zip(texts, encodings, strict=True)
        ]

    def score_encoded(self, batch: Sequence[EncodedText]) -> list[dict[str, float]]:
        """See Classifier."""
        return self._decode(self._infer(batch)) if batch else []

    def score_hypotheses(self, vectors: Floats) -> Floats:
        """Vectors of texts to (texts, hypotheses): each hypothesis' probability, in label order."""
        return self._calibration.probabilities(self.judge(vectors, self._hypotheses))

    def label_logits(self, texts: Sequence[str]) -> Floats:
        """(texts, labels), before calibration: means over each label's hypotheses."""
        return self._label_logits(self.embed(texts))

    def judge(self, quotes: Floats, hypotheses: Floats) -> Floats:
        """Vectors of both to logits, (quotes, hypotheses)."""
        values: Floats = self._head.run(None, {"quotes": quotes, "hypotheses": hypotheses})[0]
        return values

    def embed(self, texts: Sequence[str]) -> Floats:
        """(texts, width), in the texts' order."""
        encoded = self.encode(texts)
        batches = list(batches_by_length([len(one) for one in encoded], BATCH_TOKENS))
        with ThreadPoolExecutor(self.parallel_calls) as pool:
            parts = list(pool.map(self._infer, ([encoded[i] for i in batch] for batch in batches)))
        rows = np.empty((len(texts), parts[0].shape[1]), np.float32)
        for batch, part in zip(batches, parts, strict=True):
            rows[batch] = part
        return rows

    def _infer(self, batch: Sequence[EncodedText]) -> Floats:
        """One pass of the encoder: (texts, width)."""
        shape = len(batch), max(map(len, batch))
        inputs = {
            "input_ids": np.full(shape, self._pad_id, np.int64),
            "attention_mask": np.zeros(shape, np.int64),
        }
        for row, one in enumerate(batch):
            inputs["input_ids"][row, : len(one)] = one.ids
            inputs["attention_mask"][row, : len(one)] = 1
        vectors: Floats = self._encoder.run(None, inputs)[0]
        return vectors

    def _label_logits(self, vectors: Floats) -> Floats:
        starts = np.cumsum([0, *self._sizes[:-1]])
        sums = np.add.reduceat(self.judge(vectors, self._hypotheses), starts, axis=1)
        return (sums / self._sizes).astype(np.float32)

    def _decode(self, vectors: Floats) -> list[dict[str, float]]:
        rows = self._calibration.probabilities(self._label_logits(vectors)).tolist()
        return [dict(zip(self.labels.names, row, strict=True)) for row in rows]


def _without_comma(text: str) -> str:
    """A comma before the closing mark belongs to the sentence around, not to the words."""
    return text.rstrip().removesuffix(",")


def _tokenizer(folder: Path, config: dict[str, Any]) -> tuple[Tokenizer, int]:
    """The tokenizer, and the id of the token that fills a batch up."""
    try:
        pad_id = int(config["pad_id"])
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.enable_truncation(config["max_tokens"])
        tokenizer.no_padding()
    except Exception as error:  # the library raises bare Exceptions
        raise ModelError(f"{folder}: its tokenizer cannot be loaded: {error}") from error
    return tokenizer, pad_id


def _calibration(folder: Path, config: dict[str, Any]) -> Calibration:
    try:
        return Calibration(**{key: float(value) for key, value in config["calibration"].items()})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            f"{folder}: {STANCE_CONFIG} has no usable calibration: {error!r}"
        ) from error
