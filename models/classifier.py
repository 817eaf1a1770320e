"""The one shape every classifier has, whatever model is behind it."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from models.labels import LabelSet


@dataclass(frozen=True, slots=True)
class EncodedText:
    """A text as the network reads it; `len()` is its number of tokens.

    Texts with equal `ids` have equal scores: the ids tell whether a text was scored before.
    """

    text: str
    ids: "array[int]"  # subscriptable from Python 3.12 on

    def __len__(self) -> int:
        return len(self.ids)


class Classifier(Protocol):
    """Texts in, scores out.

    `name` is the model's name, `version` a short digest of its weights, `labels` what it scores.
    `encode` may be called by one thread while others are in `score_encoded`, and these may be as
    many as `parallel_calls` says: more gain nothing.
    """

    @property
    def name(self) -> str:
        """The model's name, such as "stancewire-mpnet-6"."""

    @property
    def version(self) -> str:
        """Twelve hex digits of the SHA-256 over the weights."""

    @property
    def labels(self) -> LabelSet:
        """The labels that are scored."""

    @property
    def parallel_calls(self) -> int:
        """How many calls of `score_encoded` at one time use all its threads."""

    def encode(self, texts: Sequence[str]) -> list[EncodedText]:
        """One for each text, in the texts' order; cheap beside scoring."""

    def score_encoded(self, batch: Sequence[EncodedText]) -> list[dict[str, float]]:
        """As `score`, for encoded texts; fastest when they are about equally long."""

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """One dict a text, in the texts' order; [] for [].

        Keys are the label names in label order, values lie in [0, 1] and are independent: they
        need not add up to one.
        """
