"""The shipped files belong together: weights, digest, card, label set and the data they were made
from.
"""

import hashlib
import json
from pathlib import Path

import pytest

from models import load_labels
from models.explain import Explainer
from models.folder import read_object
from models.loading import PACKAGED
from models.stance import StanceModel
from models.training.data import data_digest, read_quotes, training_quotes
from models.training.report import CARD, int8_difference, packaged

MIB = 1024 * 1024
LARGEST_FILE = 90 * MIB
ALL_FILES = 120 * MIB


@pytest.fixture(scope="module")
def model() -> StanceModel:
    return packaged()


def test_the_version_is_the_digest_of_the_shipped_weights(model: StanceModel) -> None:
    digest = hashlib.sha256()
    for name in ("encoder.onnx", "head.onnx"):
        digest.update((PACKAGED / name).read_bytes())
    assert model.version == digest.hexdigest()[:12]


def test_the_card_names_the_shipped_weights_and_labels(model: StanceModel) -> None:
    card = CARD.read_text(encoding="utf-8")
    assert f"version `{model.version}`" in card
    assert f"labels `{model.labels.version}`" in card


def test_the_model_was_made_from_the_data_that_is_here() -> None:
    assert read_object(PACKAGED, "stance_model.json")["training_data"] == data_digest()


def test_int8_scores_stay_near_full_precision(model: StanceModel) -> None:
    reference = read_object(PACKAGED, "reference.json")
    assert reference["version"] == model.version
    assert reference["hypotheses"] == [h for lb in load_labels().labels for h in lb.hypotheses]
    assert len(reference["quotes"]) >= 200
    assert int8_difference(model) <= 0.03


def test_the_shipped_files_are_small_enough_for_the_repository() -> None:
    sizes = {path: path.stat().st_size for path in PACKAGED.rglob("*") if path.is_file()}
    assert max(sizes.values()) <= LARGEST_FILE
    assert sum(sizes.values()) <= ALL_FILES


def test_only_data_is_shipped() -> None:
    suffixes = {path.suffix for path in PACKAGED.rglob("*") if path.is_file()}
    assert suffixes <= {".onnx", ".json", ".jsonl", ".npy", ".md"}


def test_explanations_draw_on_the_training_quotes_and_on_no_others(model: StanceModel) -> None:
    lines = (PACKAGED / "neighbours.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["text"] for line in lines] == [
        quote.text for quote in training_quotes(read_quotes())
    ]
    text = json.loads(lines[0])["text"]
    assert Explainer(model).explain([text])[0].similar[0].text == text


def test_the_folder_loads_from_anywhere(tmp_path: Path, model: StanceModel) -> None:
    from models import load_classifier

    link = tmp_path / "elsewhere"
    link.symlink_to(PACKAGED, target_is_directory=True)
    other = load_classifier(str(link), threads=1)
    assert other.version == model.version
