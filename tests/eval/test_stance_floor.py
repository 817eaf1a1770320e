"""The quality gate of the default classifier: it may get better, never worse than the floors.

    python tests/eval/test_stance_floor.py        prints what the default model reaches

`stances.jsonl` holds quotes written for this project: invented speakers, many domains, as many
of each stance as of none. `floors.json` holds the data's SHA-256 and, a small margin below what
was measured, the floors. Nothing here writes either file: raising or lowering a floor, or
changing the data, is somebody's decision.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from models import NONE, Classifier, load_classifier

HERE = Path(__file__).parent
DATA = HERE / "stances.jsonl"
FLOORS = HERE / "floors.json"


@dataclass(frozen=True)
class Quality:
    """How good decisions are, every number in [0, 1].

    `accuracy_among_stances` leaves out `none`: is the highest score the right one? `f1` is by
    class, `none` included; `macro_f1` is its mean.
    """

    accuracy_among_stances: float
    f1: dict[str, float]

    @property
    def macro_f1(self) -> float:
        return sum(self.f1.values()) / len(self.f1)


def measure(classifier: Classifier, rows: list[dict[str, str]]) -> Quality:
    scores = classifier.score([row["text"] for row in rows])
    gold = [row["label"] for row in rows]
    decided = [classifier.labels.decide(one) for one in scores]
    right = [max(s, key=s.__getitem__) == g for s, g in zip(scores, gold, strict=True) if g != NONE]
    f1 = {}
    for name in (*classifier.labels.names, NONE):
        hits = sum(g == d == name for g, d in zip(gold, decided, strict=True))
        f1[name] = 2 * hits / max(1, gold.count(name) + decided.count(name))
    return Quality(sum(right) / len(right), f1)


def read_rows() -> list[dict[str, str]]:
    return [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_classifier(threads=2)


@pytest.fixture(scope="module")
def quality(classifier: Classifier) -> Quality:
    return measure(classifier, read_rows())


@pytest.fixture(scope="module")
def floors() -> dict[str, float]:
    content: dict[str, float] = json.loads(FLOORS.read_text(encoding="utf-8"))["floors"]
    return content


def test_the_floors_were_measured_on_this_data() -> None:
    digest = hashlib.sha256(DATA.read_bytes()).hexdigest()
    assert json.loads(FLOORS.read_text(encoding="utf-8"))["data_sha256"] == digest


def test_the_data_is_balanced_and_has_no_duplicates() -> None:
    rows = read_rows()
    labels = [row["label"] for row in rows]
    assert len({labels.count(label) for label in set(labels)}) == 1
    assert len({row["text"] for row in rows}) == len(rows)


def test_accuracy_among_the_stances_is_not_below_its_floor(
    quality: Quality, floors: dict[str, float]
) -> None:
    assert quality.accuracy_among_stances >= floors["accuracy_among_stances"]


def test_macro_f1_is_not_below_its_floor(quality: Quality, floors: dict[str, float]) -> None:
    assert quality.macro_f1 >= floors["macro_f1"]


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
    classifier: Classifier, text: str, stance: str
) -> None:
    assert classifier.labels.decide(classifier.score([text])[0]) == stance


def test_the_default_scores_do_not_depend_on_the_batch(classifier: Classifier) -> None:
    texts = [row["text"] for row in read_rows()[:12]] + ["We doubt it. " * 300]
    together = classifier.score(texts)
    for text, scores in zip(texts, together, strict=True):
        assert scores == pytest.approx(classifier.score([text])[0], abs=1e-5)


def report() -> None:
    loaded = load_classifier(threads=2)
    reached = measure(loaded, read_rows())
    print(f"{loaded.name} {loaded.version}, labels {loaded.labels.version}")
    print(f"accuracy among the stances  {reached.accuracy_among_stances:.3f}")
    print(f"macro-F1 over four classes  {reached.macro_f1:.3f}")
    for name, value in reached.f1.items():
        print(f"F1 {name:24} {value:.3f}")


if __name__ == "__main__":
    report()
