"""Why these scores: the hypotheses one by one, and the training quotes most alike to the model."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.classifier import Classifier
from models.errors import ModelError
from models.stance import Floats, StanceModel

VECTORS = "neighbours.npy"
"""int8, (training quotes, width): the vectors of `QUOTES`, compressed."""
QUOTES = "neighbours.jsonl"
"""The training quotes, one object a line: text and label."""

_STEPS = 127
_CLIP = 6.0
"""Vectors have length sqrt(width), so entries beyond 6 are as rare as six sigma."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A hypothesis of a label; `score` is the probability that it holds."""

    label: str
    hypothesis: str
    score: float


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A training quote; `similarity` is the cosine of the two vectors, in [-1, 1]."""

    text: str
    label: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Hypotheses from the most to the least likely, neighbours from the nearest on."""

    hypotheses: list[Hypothesis]
    similar: list[Neighbour]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


class Explainer:
    """Explains what a model of our own kind says. Raises: ModelError for any other kind."""

    def __init__(self, classifier: Classifier) -> None:
        if not isinstance(classifier, StanceModel):
            raise ModelError(f"{classifier.name}: this kind of model cannot explain its scores")
        self._model = classifier
        self._quotes, self._vectors = _read_neighbours(classifier.folder)
        self._hypotheses = [(lb.name, h) for lb in classifier.labels.labels for h in lb.hypotheses]

    def explain(self, texts: Sequence[str], similar: int = 3) -> list[Explanation]:
        """One explanation a text; `similar` is how many training quotes each names."""
        if not texts:
            return []
        vectors = self._model.embed(texts)
        scores = self._model.score_hypotheses(vectors)
        return [
            Explanation(self._judged(row), self._nearest(vector, similar))
            for row, vector in zip(scores, vectors, strict=True)
        ]

    def _judged(self, scores: Floats) -> list[Hypothesis]:
        judged = [
            Hypothesis(label, wording, round(float(score), 4))
            for (label, wording), score in zip(self._hypotheses, scores, strict=True)
        ]
        return sorted(judged, key=lambda one: -one.score)

    def _nearest(self, vector: Floats, count: int) -> list[Neighbour]:
        similarities = self._vectors @ (vector / np.linalg.norm(vector))
        best = np.argsort(-similarities, kind="stable")[:count]
        return [
            Neighbour(text, label, round(float(similarities[i]), 4))
            for i, (text, label) in ((i, self._quotes[i]) for i in best)
        ]


def write_neighbours(folder: Path, quotes: Sequence[tuple[str, str]], vectors: Floats) -> None:
    """Save (text, label) of every training quote and its vector, (quotes, width), in `folder`."""
    np.save(folder / VECTORS, np.rint(np.clip(vectors / _CLIP, -1, 1) * _STEPS).astype(np.int8))
    lines = (json.dumps({"text": t, "label": lb}, ensure_ascii=False) + "\n" for t, lb in quotes)
    (folder / QUOTES).write_text("".join(lines), encoding="utf-8")


def _read_neighbours(folder: Path) -> tuple[list[tuple[str, str]], Floats]:
    """The quotes and their unit vectors. Raises: ModelError."""
    try:
        lines = (folder / QUOTES).read_text(encoding="utf-8").splitlines()
        quotes = [(row["text"], row["label"]) for row in map(json.loads, lines)]
        compressed: NDArray[np.int8] = np.load(folder / VECTORS, allow_pickle=False)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{folder}: its training quotes cannot be read: {error}") from error
    if len(compressed) != len(quotes):
        raise ModelError(f"{folder}: {VECTORS} and {QUOTES} do not belong together")
    vectors = compressed.astype(np.float32)
    return quotes, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
