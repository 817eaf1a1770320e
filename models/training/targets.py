"""What training asks of a batch: its hypotheses, and for every pair whether one holds.

Three answers for a pair of quote and hypothesis: holds, does not hold, unknown. Unknown pairs count
for nothing: a defiant quote may well be a threat, so "threatening" is never a wrong answer for it
unless its author said so.
"""

import random
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models.training.data import HYPOTHESES, Attitude, Quote

STANCE_WORDINGS = 2
"""How many wordings of each stance a batch sees."""
OTHER_ATTITUDES = 4
"""How many attitudes a batch sees beside those of its own quotes."""
ATTITUDE_WEIGHT = 0.5
DOUBTFUL_WEIGHT = 0.1
"""Weight of "does not hold" between a quote of a stance or none and an attitude: seldom wrong, but
nobody has judged these pairs."""


@dataclass(frozen=True, slots=True)
class Stance:
    """A stance for training: its wordings, and the attitudes that it may go with."""

    name: str
    hypotheses: tuple[str, ...]
    may_hold: frozenset[str]


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts and hypotheses of one step; `target` and `weight` are (texts, hypotheses)."""

    texts: list[str]
    hypotheses: list[str]
    target: Tensor
    weight: Tensor


def read_stances() -> list[Stance]:
    """The stances of `hypotheses.toml` in their order."""
    content = tomllib.loads(HYPOTHESES.read_text(encoding="utf-8"))
    return [
        Stance(table["name"], tuple(table["hypotheses"]), frozenset(table["may_hold"]))
        for table in content["stance"]
    ]


class Targets:
    """Builds batches from quotes, for the stances and the seen attitudes given."""

    def __init__(self, stances: Sequence[Stance], attitudes: dict[str, Attitude]) -> None:
        self._stances = list(stances)
        self._attitudes = {a.name: a for a in attitudes.values() if not a.unseen}

    def batch(self, quotes: Sequence[Quote | None], texts: list[str], rng: random.Random) -> Batch:
        """One step's batch; `texts` are the quotes' texts, changed or not; None has no label."""
        named: list[tuple[str, str]] = []
        for stance in self._stances:
            named += [(stance.name, w) for w in rng.sample(stance.hypotheses, STANCE_WORDINGS)]
        for name in self._attitudes_for(quotes, rng):
            named.append((name, rng.choice(self._attitudes[name].hypotheses)))
        cells = [[self._judge(quote, name) for name, _ in named] for quote in quotes]
        return Batch(
            texts=texts,
            hypotheses=[wording for _, wording in named],
            target=torch.tensor([[holds for holds, _ in row] for row in cells]),
            weight=torch.tensor([[weight for _, weight in row] for row in cells]),
        )

    def _attitudes_for(self, quotes: Sequence[Quote | None], rng: random.Random) -> list[str]:
        present = sorted({quote.label for quote in quotes if quote} & self._attitudes.keys())
        others = sorted(self._attitudes.keys() - set(present))
        return present + rng.sample(others, min(OTHER_ATTITUDES, len(others)))

    def _judge(self, quote: Quote | None, name: str) -> tuple[float, float]:
        """Whether `name` holds for `quote` (0 or 1), and how much that counts."""
        if quote is None:
            return 0.0, 0.0
        if quote.label == name:
            return 1.0, 1.0
        if name in self._attitudes:
            return 0.0, self._attitude_weight(quote, name)
        return self._stance_of(quote, name)

    def _attitude_weight(self, quote: Quote, name: str) -> float:
        if not quote.is_attitude:
            stance = next((s for s in self._stances if s.name == quote.label), None)
            return 0.0 if stance and name in stance.may_hold else DOUBTFUL_WEIGHT
        own, other = self._attitudes[quote.label], self._attitudes[name]
        return 0.0 if name in own.near or quote.label in other.near else ATTITUDE_WEIGHT

    def _stance_of(self, quote: Quote, name: str) -> tuple[float, float]:
        if not quote.is_attitude:
            return 0.0, 1.0
        if quote.stances is not None:
            return float(name in quote.stances), ATTITUDE_WEIGHT
        stance = next(s for s in self._stances if s.name == name)
        return 0.0, 0.0 if quote.label in stance.may_hold else ATTITUDE_WEIGHT
