"""Labels: names, the hypotheses that say what they mean, thresholds, and the decision.

A label set is data (TOML), so another set needs no retraining. Knows nothing of models: the same
set serves every kind of classifier.
"""

import hashlib
import json
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import LabelsError

NONE = "none"
"""The decision when no label reaches its threshold; no label may carry this name."""

DEFAULT_LABELS = Path(__file__).parent / "labels" / "stances.toml"
_VERSION_HEX_DIGITS = 12
_LABEL_FIELDS = {"name", "threshold", "hypotheses"}
_OPTIONAL_FIELDS = {"examples"}


@dataclass(frozen=True, slots=True)
class Label:
    """One label.

    `hypotheses` say in plain English what holds for a quote of this label: one, or several wordings
    of the same. `threshold` lies in (0, 1) and is the lowest score at which the label can be the
    decision. `examples` are quotes of this label: sentence encoders compare with them rather than
    with the hypotheses where there are any.
    """

    name: str
    hypotheses: tuple[str, ...]
    threshold: float
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelSet:
    """Labels in their order, and sentences that are none of them.

    `background` is what sentence encoders contrast the labels with; entailment models do not
    need it. Raises: LabelsError when the labels are no usable set.
    """

    labels: tuple[Label, ...]
    background: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check(self)

    @property
    def names(self) -> tuple[str, ...]:
        """Label names in label order."""
        return tuple(label.name for label in self.labels)

    @property
    def version(self) -> str:
        """Twelve hex digits of the SHA-256 over the content: same content, same version."""
        content = {
            "labels": [
                [label.name, label.threshold, label.hypotheses, label.examples]
                for label in self.labels
            ],
            "background": self.background,
        }
        canonical = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:_VERSION_HEX_DIGITS]

    def decide(self, scores: Mapping[str, float]) -> str:
        """The label with the highest score among those at or above their threshold.

        `scores` holds one number in [0, 1] for every label. A tie goes to the first in label
        order; NONE when no label reaches its threshold.
        """
        reached = [label.name for label in self.labels if scores[label.name] >= label.threshold]
        return max(reached, key=scores.__getitem__, default=NONE)


def load_labels(path: Path | None = None) -> LabelSet:
    """Read a label set from a TOML file; None is the packaged default.

    Raises: LabelsError in one line that names the file and the field.
    """
    path = DEFAULT_LABELS if path is None else path
    try:
        return _label_set(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise LabelsError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise LabelsError(f"{path}: is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise LabelsError(f"{path}: is not valid TOML: {error}") from error
    except LabelsError as error:
        raise LabelsError(f"{path}: {error}") from error


def _label_set(content: dict[str, Any]) -> LabelSet:
    _known_fields(content, {"label", "background"}, "")
    tables = content.get("label")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise LabelsError("label: needs one or more [[label]] tables")
    background = content.get("background", {})
    if not isinstance(background, dict):
        raise LabelsError("background: needs to be a [background] table")
    _known_fields(background, {"hypotheses"}, "background.")
    return LabelSet(
        labels=tuple(_label(table, f"label {n}") for n, table in enumerate(tables, start=1)),
        background=_sentences(background.get("hypotheses", []), "background.hypotheses"),
    )


def _label(table: dict[str, Any], place: str) -> Label:
    missing = sorted(_LABEL_FIELDS - table.keys())
    if missing:
        raise LabelsError(f"{place}: {missing[0]} is missing")
    _known_fields(table, _LABEL_FIELDS | _OPTIONAL_FIELDS, f"{place}: ")
    name, threshold = table["name"], table["threshold"]
    if not isinstance(name, str):
        raise LabelsError(f"{place}: name must be a string, not {name!r}")
    if isinstance(threshold, bool) or not isinstance(threshold, int | float):
        raise LabelsError(f"{place} ({name}): threshold must be a number, not {threshold!r}")
    hypotheses = _sentences(table["hypotheses"], f"{place} ({name}): hypotheses")
    examples = _sentences(table.get("examples", []), f"{place} ({name}): examples")
    return Label(name, hypotheses, float(threshold), examples)


def _sentences(value: object, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise LabelsError(f"{place} must be a list of strings")
    return tuple(value)


def _known_fields(table: dict[str, Any], known: set[str], place: str) -> None:
    unknown = sorted(table.keys() - known)
    if unknown:
        raise LabelsError(f"{place}{unknown[0]} is not a known field")


def _check(labels: LabelSet) -> None:
    if not labels.labels:
        raise LabelsError("label: needs one or more labels")
    name, count = Counter(labels.names).most_common(1)[0]
    if count > 1:
        raise LabelsError(f"name: {name!r} is used by {count} labels")
    for label in labels.labels:
        _check_label(label)
    if not all(sentence.strip() for sentence in labels.background):
        raise LabelsError("background.hypotheses: holds an empty sentence")


def _check_label(label: Label) -> None:
    if not label.name or label.name != label.name.strip():
        raise LabelsError(f"name: {label.name!r} is empty or has spaces around it")
    if label.name == NONE:
        raise LabelsError(f"name: {NONE!r} is reserved for what is left when no label fits")
    if not label.hypotheses:
        raise LabelsError(f"{label.name}.hypotheses: needs one or more sentences")
    if not all(sentence.strip() for sentence in label.hypotheses):
        raise LabelsError(f"{label.name}.hypotheses: holds an empty sentence")
    if not all(sentence.strip() for sentence in label.examples):
        raise LabelsError(f"{label.name}.examples: holds an empty sentence")
    if not 0 < label.threshold < 1:
        raise LabelsError(
            f"{label.name}.threshold: {label.threshold!r} is not between 0 and 1 (both excluded)"
        )
