"""The one shape every classifier has, whatever model is behind it."""

from collections.abc import Sequence
from typing import Protocol

from models.labels import LabelSet


class Classifier(Protocol):
    """Texts in, scores out.

    `name` is the model's name, `version` a short digest of its weights, `labels` what it scores.
    One thread at a time is enough for an implementation to serve.
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

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """One dict a text, in the texts' order; [] for [].

        Keys are the label names in label order, values lie in [0, 1] and are independent: they
        need not add up to one.
        """
