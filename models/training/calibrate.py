"""Scores become probabilities, and thresholds are chosen: both on the development split alone."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.stance import Calibration
from models.training.measure import Scores, decide, f1

_GRID = np.arange(0.10, 0.91, 0.01)
_SMOOTHED_OVER = 5
"""Steps of the grid on either side over which F1 is averaged: a plateau beats a lucky peak."""
_BY_CHANCE = 0.005
"""Macro-F1 on some 1,500 quotes has about twice this standard error."""


def fit(logits: NDArray[np.float32], held: NDArray[np.bool_]) -> Calibration:
    """Platt's scale and bias for any number of pairs, by maximum likelihood."""
    x = torch.from_numpy(logits.ravel()).double()
    y = torch.from_numpy(held.ravel()).double()
    parameters = torch.tensor([1.0, 0.0], dtype=torch.double, requires_grad=True)
    optimizer = torch.optim.LBFGS([parameters], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(parameters[0] * x + parameters[1], y)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    scale, bias = parameters.tolist()
    return Calibration(round(scale, 4), round(bias, 4))


def threshold(scores: Scores, gold: Sequence[str], names: Sequence[str]) -> float:
    """One threshold for all labels, by macro-F1 with "none".

    Scores are probabilities, so one threshold means the same for each label, and one half is where
    to be in doubt. Between thresholds that differ by less than chance does, the nearest to one half
    is taken: a threshold for each stance, or the very peak, lies anywhere from 0.2 to 0.7.
    """
    values = [_macro_f1(scores, gold, names, [float(t)] * len(names)) for t in _GRID]
    window = np.ones(2 * _SMOOTHED_OVER + 1)
    counts = np.convolve(np.ones(len(values)), window, "same")
    smooth = np.convolve(values, window, "same") / counts
    good = _GRID[smooth >= smooth.max() - _BY_CHANCE]
    return round(float(good[np.abs(good - 0.5).argmin()]), 2)


def write_threshold(path: Path, value: float) -> None:
    """Put the value in all `threshold = ...` lines of a label file."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^threshold = .*$", f"threshold = {value:.2f}", text)
    path.write_text(text, encoding="utf-8")


def _macro_f1(
    scores: Scores, gold: Sequence[str], names: Sequence[str], values: Sequence[float]
) -> float:
    decided = decide(scores, names, values)
    return sum(f1(gold, decided, name) for name in (*names, "none")) / (len(names) + 1)
