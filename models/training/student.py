"""The student: a few layers that learn to give the teacher's vectors and scores.

It sees every training quote, and quotes spliced from two, which nobody labelled: the teacher says
what it thinks of them. The teacher reads a text as it stands, the student reads it varied, anew
each time, and shall give the same vector: so it learns what does not matter.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from models.training.augment import vary
from models.training.data import Attitude, Quote
from models.training.loop import Recipe, train
from models.training.losses import GOLD_WEIGHT, direction_loss, gold_loss, teacher_loss
from models.training.network import StanceNetwork
from models.training.targets import Stance, Targets

_SPLICED_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Item:
    """A text for the teacher to judge, and the quote it came from where its label still holds."""

    text: str
    quote: Quote | None


def make_items(quotes: Sequence[Quote], seed: int) -> list[Item]:
    """The quotes, and spliced ones without a label."""
    rng = random.Random(f"{seed}/items")
    items = [Item(quote.text, quote) for quote in quotes]
    for _ in range(int(len(quotes) * _SPLICED_SHARE)):
        first, second = rng.sample(quotes, 2)
        items.append(Item(_splice(first.text, second.text, rng), None))
    return items


def distil(
    name: str,
    student: StanceNetwork,
    teacher: StanceNetwork,
    items: Sequence[Item],
    stances: Sequence[Stance],
    attitudes: dict[str, Attitude],
    recipe: Recipe,
    folder: Path,
) -> None:
    """Train `student` in place on the teacher's vectors and scores and on the labels."""
    targets = Targets(stances, attitudes)
    judged = _teacher_vectors(teacher, [item.text for item in items], folder / f"{name}.vectors.pt")
    seen = [h for s in stances for h in s.hypotheses]
    seen += [h for a in attitudes.values() if not a.unseen for h in a.hypotheses]
    known = dict(zip(seen, teacher.embed_all(seen), strict=True))

    def loss_of(chosen: list[int], rng: random.Random) -> Tensor:
        picked = [items[i] for i in chosen]
        texts = [vary(item.text, rng) for item in picked]
        batch = targets.batch([item.quote for item in picked], texts, rng)
        u, v = student.embed_both(batch.texts, batch.hypotheses)
        logits = student.head(u, v)
        with torch.no_grad():
            u_teacher = judged[chosen].to(u)
            v_teacher = torch.stack([known[h] for h in batch.hypotheses]).to(v)
            opinion = teacher.head(u_teacher, v_teacher)
        return (
            teacher_loss(logits, opinion)
            + direction_loss(u, u_teacher)
            + direction_loss(v, v_teacher)
            + GOLD_WEIGHT * gold_loss(logits, batch.target.to(logits), batch.weight.to(logits))
        )

    lengths = student.lengths([item.text for item in items])
    train(name, student, lengths, loss_of, recipe, folder)


def _teacher_vectors(teacher: StanceNetwork, texts: list[str], path: Path) -> Tensor:
    """The teacher's vectors of all texts; kept in `path`, for a run that goes on."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(teacher.embed_all(texts), path)
    vectors: Tensor = torch.load(path, weights_only=True)
    if len(vectors) != len(texts):
        raise ValueError(f"{path}: holds {len(vectors)} vectors for {len(texts)} texts; delete it")
    return vectors


def _splice(first: str, second: str, rng: random.Random) -> str:
    """The beginning of one text and the end of another, or both whole when they are short."""
    a, b = first.split(), second.split()
    if len(a) + len(b) <= 16:
        return f"{first} {second}"
    return " ".join(a[: rng.randint(len(a) // 2, len(a))] + b[rng.randint(0, len(b) // 2) :])
