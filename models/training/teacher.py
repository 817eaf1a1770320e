"""The teacher: the whole base encoder, trained on labelled quotes and attitudes."""

import random
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from models.training.augment import vary
from models.training.data import Attitude, Quote
from models.training.loop import Recipe, train
from models.training.losses import gold_loss
from models.training.network import StanceNetwork
from models.training.targets import Stance, Targets


def train_on_labels(
    name: str,
    network: StanceNetwork,
    quotes: Sequence[Quote],
    stances: Sequence[Stance],
    attitudes: dict[str, Attitude],
    recipe: Recipe,
    folder: Path,
) -> None:
    """Train `network` in place on what the quotes' authors said of them."""
    targets = Targets(stances, attitudes)

    def loss_of(items: list[int], rng: random.Random) -> Tensor:
        chosen = [quotes[i] for i in items]
        batch = targets.batch(chosen, [vary(quote.text, rng) for quote in chosen], rng)
        logits = network.head(*network.embed_both(batch.texts, batch.hypotheses))
        return gold_loss(logits, batch.target.to(logits), batch.weight.to(logits))

    lengths = network.lengths([quote.text for quote in quotes])
    train(name, network, lengths, loss_of, recipe, folder)
