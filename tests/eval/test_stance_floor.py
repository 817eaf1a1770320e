"""The quality gate of the packaged model: it may get better, never worse than the floors.

`floors.json` holds, a small margin below what was measured, the floors for quotes that neither
training nor calibration nor thresholds saw (models/training/data/), and the SHA-256 of that data.
Nothing here writes the file: raising or lowering a floor, or changing the data, is somebody's
decision. `make eval-stance` prints what the model reaches.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import Classifier
from models.stance import StanceModel
from models.training.data import OTHER_HAND, data_digest, read_attitudes
from models.training.measure import Quality
from models.training.report import BEGIN, CARD, END, figures, held_out_sets, measure, packaged
from models.training.zero_shot import unseen_attitudes

FLOORS: dict[str, Any] = json.loads((Path(__file__).parent / "floors.json").read_text())["stance"]


@pytest.fixture(scope="module")
def model() -> StanceModel:
    return packaged()


@pytest.fixture(scope="module")
def reached(model: StanceModel) -> dict[str, Quality]:
    return {name: measure(model, quotes) for name, quotes in held_out_sets().items()}


def test_the_floors_were_measured_on_this_data() -> None:
    assert FLOORS["data_sha256"] == data_digest()
    assert FLOORS["other_hand_sha256"] == hashlib.sha256(OTHER_HAND.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", FLOORS["sets"])
@pytest.mark.parametrize("figure", ["accuracy", "macro_f1"])
def test_quality_is_not_below_its_floor(
    reached: dict[str, Quality], name: str, figure: str
) -> None:
    assert getattr(reached[name], figure) >= FLOORS["sets"][name][figure]


def test_scores_are_probabilities(reached: dict[str, Quality]) -> None:
    assert reached["own test split"].ece <= FLOORS["ece_ceiling"]


def test_the_figures_of_the_card_are_what_is_measured(model: StanceModel) -> None:
    written = CARD.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]
    rows = [line for line in written.splitlines() if line.startswith("|")]
    now = [line for line in figures(model).splitlines() if line.startswith("|")]
    assert len(rows) == len(now)
    for row, measured in zip(rows, now, strict=True):
        assert numbers(row) == pytest.approx(numbers(measured), abs=0.02), row


def numbers(row: str) -> list[float]:
    """Shares and areas of a table's row; counts may move between bins on another processor."""
    words = row.replace("|", " ").replace("/", " ").split()
    return [float(word) for word in words if word.startswith(("0.", "1."))]


def test_attitudes_never_trained_on_are_found(model: StanceModel) -> None:
    found = unseen_attitudes(model)
    assert found.keys() == {a.name for a in read_attitudes().values() if a.unseen}
    assert np.mean(list(found.values())) >= FLOORS["unseen_attitudes_auc"]


@pytest.mark.parametrize(
    ("text", "stance"),
    [
        (
            "According to our intelligence, Russian units are not withdrawing, but repositioning",
            "sceptical",
        ),
        ("Two paths are still open", "conciliatory"),
    ],
)
def test_the_quotes_people_see_first_come_out_right(
    model: Classifier, text: str, stance: str
) -> None:
    assert model.labels.decide(model.score([text])[0]) == stance


def test_scores_do_not_depend_on_the_batch(model: Classifier) -> None:
    texts = [quote.text for quote in held_out_sets()["own test split"][:24]]
    texts.append("We doubt it. " * 300)
    for text, scores in zip(texts, model.score(texts), strict=True):
        assert scores == pytest.approx(model.score([text])[0], abs=1e-4)
