"""Numbers for the model card, from scores and labels alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
BINS = 10


@dataclass(frozen=True, slots=True)
class Quality:
    """How good decisions are; every number in [0, 1].

    `accuracy` is among the quotes of a stance: is the highest score the right one? `f1` is by
    class, "none" included, `auc` by stance against all other quotes, `ece` over all pairs of quote
    and stance.
    """

    quotes: int
    accuracy: float
    f1: dict[str, float]
    auc: dict[str, float]
    ece: float

    @property
    def macro_f1(self) -> float:
        """The mean of `f1`."""
        return sum(self.f1.values()) / len(self.f1)


def quality(
    scores: Scores, gold: Sequence[str], names: Sequence[str], thresholds: Sequence[float]
) -> Quality:
    """`scores` is (quotes, labels), columns as in `names`; `gold` holds names or "none"."""
    best = [names[i] for i in scores.argmax(axis=1)]
    stanced = [b == g for b, g in zip(best, gold, strict=True) if g in names]
    decided = decide(scores, names, thresholds)
    held = np.array([[g == name for name in names] for g in gold])
    return Quality(
        quotes=len(gold),
        accuracy=sum(stanced) / max(1, len(stanced)),
        f1={name: f1(gold, decided, name) for name in (*names, "none")},
        auc={name: auc(scores[:, i], held[:, i]) for i, name in enumerate(names)},
        ece=calibration_error(scores.ravel(), held.ravel()),
    )


def decide(scores: Scores, names: Sequence[str], thresholds: Sequence[float]) -> list[str]:
    """As LabelSet.decide does: the highest score at or above its threshold, else "none"."""
    reached = np.where(scores >= np.array(thresholds), scores, -1.0)
    return [
        names[i] if row[i] >= 0 else "none"
        for row, i in zip(reached, reached.argmax(axis=1), strict=True)
    ]


def f1(gold: Sequence[str], decided: Sequence[str], name: str) -> float:
    """F1 of one class; 0 when it is neither there nor chosen."""
    hits = sum(g == d == name for g, d in zip(gold, decided, strict=True))
    total = sum(g == name for g in gold) + sum(d == name for d in decided)
    return 2 * hits / max(1, total)


def auc(scores: Scores, held: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: the share of (true, false) pairs in the right order, ties half.

    NaN when one of the two kinds is missing.
    """
    positive, negative = scores[held], np.sort(scores[~held])
    if not len(positive) or not len(negative):
        return float("nan")
    below = np.searchsorted(negative, positive, "left")
    up_to = np.searchsorted(negative, positive, "right")
    return float((below + up_to).sum() / 2 / len(positive) / len(negative))


def reliability(scores: Scores, held: NDArray[np.bool_]) -> list[tuple[int, float, float]]:
    """For ten equal bins of score: how many, mean score, share that held. No empty bins."""
    places = np.minimum((scores * BINS).astype(int), BINS - 1)
    rows = []
    for place in range(BINS):
        inside = places == place
        if inside.any():
            rows.append(
                (int(inside.sum()), float(scores[inside].mean()), float(held[inside].mean()))
            )
    return rows


def calibration_error(scores: Scores, held: NDArray[np.bool_]) -> float:
    """Expected calibration error (Guo et al. 2017): bins weighted by their number."""
    rows = reliability(scores, held)
    return sum(n * abs(mean - share) for n, mean, share in rows) / max(1, len(scores))
