"""A fake classifier that counts words: for tests and load tests that need no model.

Deterministic, a few microseconds a text, no torch. It is no stance classifier: it sees neither
negation nor irony. Selected with `load_classifier("keywords")`.
"""

import hashlib
import re
from array import array
from collections.abc import Sequence

from models.classifier import EncodedText
from models.labels import LabelSet

NAME = "keywords"

_STEMS = {
    "sceptical": "doubt believe trust credible evidence proof verif question sceptic claim "
    "convinc suspicio repositioning",
    "conciliatory": "talk dialogue compromise apolog sorry peace welcome agree together open "
    "diploma reassur negotiat",
    "threatening": "punish retaliat consequence strike destroy regret force fine sue sanction "
    "attack warn price defend",
}
"""Beginnings of words that count for the default labels."""

_MISS = 0.4
"""One hit scores 0.6, two 0.84, three 0.936: a single hit passes the default thresholds."""

_WORD = re.compile(r"[^\W\d_]+")
_SHORTEST_HYPOTHESIS_WORD = 5


class KeywordClassifier:
    """Scores 1 - 0.4 ** (words of the text that begin with one of the label's stems)."""

    def __init__(self, labels: LabelSet) -> None:
        self.name = NAME
        self.parallel_calls = 1
        self.labels = labels
        self._stems = {label.name: _stems(label.name, label.hypotheses) for label in labels.labels}
        table = repr((_MISS, sorted(self._stems.items())))
        self.version = hashlib.sha256(table.encode()).hexdigest()[:12]

    def encode(self, texts: Sequence[str]) -> list[EncodedText]:
        """See Classifier; here a token is a character."""
        return [EncodedText(text, array("I", map(ord, text))) for text in texts]

    def score_encoded(self, batch: Sequence[EncodedText]) -> list[dict[str, float]]:
        """See Classifier."""
        return [self._score_one(one.text) for one in batch]

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """One dict a text; see Classifier."""
        return [self._score_one(text) for text in texts]

    def _score_one(self, text: str) -> dict[str, float]:
        words = _WORD.findall(text.lower())
        return {
            name: 1 - _MISS ** sum(word.startswith(stems) for word in words)
            for name, stems in self._stems.items()
        }


def _stems(name: str, hypotheses: tuple[str, ...]) -> tuple[str, ...]:
    """The built-in stems of a default label; the longer words of the hypotheses of any other."""
    if name in _STEMS:
        return tuple(_STEMS[name].split())
    words = {word for text in hypotheses for word in _WORD.findall(text.lower())}
    return tuple(sorted(word for word in words if len(word) >= _SHORTEST_HYPOTHESIS_WORD))
