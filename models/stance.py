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

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.batches import batches_by_length, encodable
from models.errors import ModelError
from models.folder import STANCE_CONFIG, read_object, weights_version
from models.labels import LabelSet
from models.sessions import open_session

Floats = NDArray[np.float32]

BATCH_TOKENS = 512
"""A batch holds at most so many tokens, padding included: what it computes then fits the cache of a
core; four times as many run half as fast."""


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

    `folder` is laid out as above; `threads` None: one a core. Raises: ModelError.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        labels: LabelSet,
        batch_size: int = 32,
        threads: int | None = None,
    ) -> None:
        config = read_object(folder, STANCE_CONFIG)
        self.name = name
        self.folder = folder
        self.version = weights_version(folder, "*.onnx")
        self.labels = labels
        self._calibration = _calibration(folder, config)
        self._tokenizer, self._pad_id = _tokenizer(folder, config)
        self._encoder = open_session(folder / "encoder.onnx", threads)
        self._head = open_session(folder / "head.onnx", threads)
        self._batch_size = batch_size
        self._hypotheses = self.embed([h for label in labels.labels for h in label.hypotheses])
        self._sizes = [len(label.hypotheses) for label in labels.labels]

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """One dict a text; see Classifier."""
        if not texts:
            return []
        rows = self._calibration.probabilities(self.label_logits(texts)).tolist()
        return [dict(zip(self.labels.names, row, strict=True)) for row in rows]

    def score_hypotheses(self, vectors: Floats) -> Floats:
        """Vectors of texts to (texts, hypotheses): each hypothesis' probability, in label order."""
        return self._calibration.probabilities(self.judge(vectors, self._hypotheses))

    def label_logits(self, texts: Sequence[str]) -> Floats:
        """(texts, labels), before calibration: means over each label's hypotheses."""
        starts = np.cumsum([0, *self._sizes[:-1]])
        logits = self.judge(self.embed(texts), self._hypotheses)
        sums = np.add.reduceat(logits, starts, axis=1)
        return (sums / self._sizes).astype(np.float32)

    def judge(self, quotes: Floats, hypotheses: Floats) -> Floats:
        """Vectors of both to logits, (quotes, hypotheses)."""
        values: Floats = self._head.run(None, {"quotes": quotes, "hypotheses": hypotheses})[0]
        return values

    def embed(self, texts: Sequence[str]) -> Floats:
        """(texts, width), in the texts' order."""
        clean = [_without_comma(encodable(text)) for text in texts]
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(clean)]
        rows: list[Floats] = [np.empty(0, np.float32)] * len(clean)
        lengths = [len(ids) for ids in tokens]
        for batch in batches_by_length(lengths, self._batch_size, BATCH_TOKENS):
            for i, vector in zip(batch, self._infer([tokens[i] for i in batch]), strict=True):
                rows[i] = vector
        return np.stack(rows)

    def _infer(self, tokens: list[list[int]]) -> Floats:
        shape = len(tokens), max(len(ids) for ids in tokens)
        inputs = {
            "input_ids": np.full(shape, self._pad_id, np.int64),
            "attention_mask": np.zeros(shape, np.int64),
        }
        for row, ids in enumerate(tokens):
            inputs["input_ids"][row, : len(ids)] = ids
            inputs["attention_mask"][row, : len(ids)] = 1
        vectors: Floats = self._encoder.run(None, inputs)[0]
        return vectors


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
