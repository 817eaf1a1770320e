"""The training data as it lies in `data/`: quotes with labels, attitudes with hypotheses, splits.

Quotes stand in blocks that their authors wrote in one go, contrast sets among them, so whole blocks
of lines go to one split: neighbours in meaning never sit on both sides. Attitudes are all for
training, but for the unseen ones.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
HYPOTHESES = Path(__file__).parent / "hypotheses.toml"
OTHER_HAND = DATA / "other-hand.jsonl"
BLOCK_LINES = 25
_LABELS = {"sceptical", "conciliatory", "threatening", "none"}


class Split(StrEnum):
    """What a quote may be used for."""

    TRAIN = "train"
    DEVELOPMENT = "development"  # model choice, calibration, thresholds: never reported
    TEST = "test"  # reported, and the floors of CI


@dataclass(frozen=True, slots=True)
class Quote:
    """One quote.

    `label` is a stance or "none"; for a quote that shows an attitude it is that attitude's name
    and `stances` says which stances hold as well (None: nobody has judged).
    """

    text: str
    label: str
    split: Split
    source: str
    domain: str = ""
    hard: bool = False
    stances: tuple[str, ...] | None = None

    @property
    def is_attitude(self) -> bool:
        """Whether the label is an attitude, not a stance or "none"."""
        return self.label not in _LABELS


@dataclass(frozen=True, slots=True)
class Attitude:
    """An attitude beside the stances; `near` names attitudes that are often true of its quotes."""

    name: str
    hypotheses: tuple[str, ...]
    near: frozenset[str]
    unseen: bool
    """Kept out of training altogether: it measures zero-shot."""


def read_quotes(folder: Path = DATA) -> list[Quote]:
    """All quotes of `stances/` and `attitudes/`, in a fixed order. Raises: ValueError."""
    files = sorted(folder.glob("stances/*.jsonl")) + sorted(folder.glob("attitudes/*.jsonl"))
    return [quote for path in files for quote in read_file(path)]


def training_quotes(quotes: Sequence[Quote]) -> list[Quote]:
    """What may be trained on: the training split, without unseen attitudes."""
    attitudes = read_attitudes()
    return [
        quote
        for quote in quotes
        if quote.split is Split.TRAIN and not (quote.is_attitude and attitudes[quote.label].unseen)
    ]


def stance_quotes(*splits: Split) -> list[Quote]:
    """The quotes of these splits that are labelled with a stance or "none"."""
    return [q for q in read_quotes() if q.split in splits and not q.is_attitude]


def read_file(path: Path) -> Iterator[Quote]:
    """The quotes of one file. Raises: ValueError with file and line."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        try:
            yield _quote(json.loads(line), path.stem, number)
        except (ValueError, KeyError) as error:
            raise ValueError(f"{path}, line {number + 1}: {error!r}") from error


def read_attitudes(folder: Path = DATA) -> dict[str, Attitude]:
    """All attitudes by name; those of `unseen.toml` are the unseen ones."""
    found = {}
    for path in sorted(folder.glob("attitudes/*.toml")):
        for table in tomllib.loads(path.read_text(encoding="utf-8"))["attitude"]:
            found[table["name"]] = Attitude(
                table["name"],
                tuple(table["hypotheses"]),
                frozenset(table.get("near", ())),
                unseen=path.stem == "unseen",
            )
    return found


def data_digest(folder: Path = DATA) -> str:
    """SHA-256 over everything that training reads, in the order of the files' names."""
    digest = hashlib.sha256()
    for path in [*sorted(folder.glob("*/*")), HYPOTHESES]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _quote(row: dict[str, Any], source: str, line: int) -> Quote:
    label = row.get("attitude") or row["label"]
    stances = row.get("stances")
    return Quote(
        text=row["text"],
        label=label,
        split=Split.TRAIN if "attitude" in row else _split(source, line),
        source=source,
        domain=row.get("domain", ""),
        hard=bool(row.get("hard")),
        stances=None if stances is None else tuple(stances),
    )


def _split(source: str, line: int) -> Split:
    """By block of lines: four fifths train, the rest in halves."""
    key = f"{source}/{line // BLOCK_LINES}".encode()
    part = hashlib.sha256(key).digest()[0] % 10
    return {0: Split.DEVELOPMENT, 1: Split.TEST}.get(part, Split.TRAIN)
