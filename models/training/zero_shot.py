"""How zero-shot is it? Run as `python -m models.training.zero_shot [stance ...]`.

For each stance a student-sized network is trained on everything but that stance's quotes and
hypotheses, then ranks the quotes that no network was trained on by that stance's hypotheses. The
unseen attitudes need no such training: the packaged model never saw them.
"""

import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from models.labels import load_labels
from models.stance import StanceModel
from models.training.base import base_encoder
from models.training.data import (
    Split,
    data_digest,
    read_attitudes,
    read_quotes,
    stance_quotes,
    training_quotes,
)
from models.training.loop import Recipe
from models.training.measure import auc
from models.training.network import StanceNetwork
from models.training.pipeline import STUDENT_LAYERS, load_weights
from models.training.targets import read_stances
from models.training.teacher import train_on_labels

RECIPE = Recipe(epochs=1, batch=32, encoder_rate=8e-5)


def left_out(stance: str, work: Path) -> float:
    """AUC of a stance that training did not see, on development and test quotes together."""
    seen = [
        q
        for q in training_quotes(read_quotes())
        if q.label != stance and stance not in (q.stances or ())
    ]
    network = StanceNetwork.from_base(base_encoder(work), STUDENT_LAYERS)
    others = [s for s in read_stances() if s.name != stance]
    folder = work / data_digest()[:12]
    name = f"without-{stance}"
    if not load_weights(network, folder / f"{name}.pt"):
        train_on_labels(name, network, seen, others, read_attitudes(), RECIPE, folder)
        torch.save(network.state_dict(), folder / f"{name}.pt")
    held_out = stance_quotes(Split.DEVELOPMENT, Split.TEST)
    wordings = next(label.hypotheses for label in load_labels().labels if label.name == stance)
    with torch.inference_mode():
        vectors = network.embed_all([q.text for q in held_out])
        logits = network.head(vectors, network.embed_all(list(wordings))).mean(dim=1)
    return auc(logits.numpy(), np.array([q.label == stance for q in held_out]))


@cache
def unseen_attitudes(model: StanceModel) -> dict[str, float]:
    """AUC of each attitude never trained on: its quotes against others and test quotes."""
    attitudes = {a.name: a for a in read_attitudes().values() if a.unseen}
    pool = [q for q in read_quotes() if q.label in attitudes] + stance_quotes(Split.TEST)
    vectors = model.embed([q.text for q in pool])
    found = {}
    for attitude in attitudes.values():
        counted = np.array([q.label == attitude.name or q.label not in attitude.near for q in pool])
        logits = model.judge(vectors, model.embed(attitude.hypotheses)).mean(axis=1)
        held = np.array([q.label == attitude.name for q in pool])
        found[attitude.name] = auc(logits[counted], held[counted])
    return found


def main(arguments: Sequence[str]) -> None:
    """Print AUC for the stances named, or for all."""
    work = Path("build/train")
    for stance in arguments or [s.name for s in read_stances()]:
        Console().print(f"{stance} left out of training: AUC {left_out(stance, work):.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])
