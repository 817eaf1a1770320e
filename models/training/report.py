"""The figures of the model card: `make eval-stance` prints them, `--write` puts them into the card.

Everything is measured with the shipped files, on quotes that neither training nor calibration nor
thresholds saw: our own test split, quotes by a different hand, and attitudes never trained on.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from models.folder import STANCE_CONFIG, read_object
from models.labels import NONE, load_labels
from models.loading import PACKAGED
from models.stance import StanceModel
from models.training.data import OTHER_HAND, Quote, Split, read_file, stance_quotes
from models.training.measure import Quality, Scores, quality, reliability
from models.training.pipeline import REFERENCE
from models.training.zero_shot import unseen_attitudes

CARD = PACKAGED / "README.md"
BEGIN, END = "<!-- figures: make eval-stance -->", "<!-- end of figures -->"


def packaged() -> StanceModel:
    """The packaged model with the default labels."""
    name = read_object(PACKAGED, STANCE_CONFIG)["name"]
    return StanceModel(PACKAGED, name, load_labels())


def held_out_sets() -> dict[str, list[Quote]]:
    """The sets that are reported, by name."""
    test = stance_quotes(Split.TEST)
    return {
        "own test split": test,
        "of it: hard": [q for q in test if q.hard],
        "of it: as political news prints it": [q for q in test if q.source.startswith("politics")],
        "of it: agency copy on crises": [q for q in test if q.source == "crises"],
        "a different hand, other domains": list(read_file(OTHER_HAND)),
    }


def measure(model: StanceModel, quotes: Sequence[Quote]) -> Quality:
    """Quality of the model's decisions on the quotes."""
    thresholds = [label.threshold for label in model.labels.labels]
    gold = [quote.label for quote in quotes]
    return quality(_scores(model, quotes), gold, model.labels.names, thresholds)


def int8_difference(model: StanceModel, folder: Path = PACKAGED) -> float:
    """Mean absolute difference between the shipped scores and the recorded full-precision ones."""
    rows = json.loads((folder / REFERENCE).read_text(encoding="utf-8"))["quotes"]
    scores = model.score([row["text"] for row in rows])
    return float(
        np.mean(
            [
                [abs(now[k] - row["scores"][k]) for k in now]
                for now, row in zip(scores, rows, strict=True)
            ]
        )
    )


def figures(model: StanceModel) -> str:
    """All figures as Markdown."""
    return "\n".join(_lines(model)) + "\n"


def _lines(model: StanceModel) -> Iterator[str]:
    names = model.labels.names
    sets = held_out_sets()
    yield f"Model {model.name}, version `{model.version}`, labels `{model.labels.version}`."
    yield ""
    yield (
        "| quotes | number | accuracy among the stances | macro-F1 | F1 "
        + " / ".join((*names, NONE))
        + " | AUC "
        + " / ".join(names)
        + " | ECE |"
    )
    yield "|---|---|---|---|---|---|---|"
    for title, quotes in sets.items():
        q = measure(model, quotes)
        f1s, aucs = (" / ".join(f"{v:.2f}" for v in values.values()) for values in (q.f1, q.auc))
        overall = f"{q.quotes} | {q.accuracy:.3f} | {q.macro_f1:.3f}"
        yield f"| {title} | {overall} | {f1s} | {aucs} | {q.ece:.3f} |"
    yield ""
    yield "Reliability on the own test split: pairs of quote and stance by score."
    yield ""
    yield "| score from | pairs | mean score | share that holds |"
    yield "|---|---|---|---|"
    test = sets["own test split"]
    held = np.array([[quote.label == name for name in names] for quote in test]).ravel()
    for count, mean, share in reliability(_scores(model, test).ravel(), held):
        yield f"| {int(mean * 10) / 10:.1f} | {count} | {mean:.2f} | {share:.2f} |"
    yield ""
    found = unseen_attitudes(model)
    listed = ", ".join(f"{name} {value:.2f}" for name, value in found.items())
    yield f"Attitudes never trained on: mean AUC {np.mean(list(found.values())):.3f} ({listed})."
    yield ""
    yield f"int8 against full precision: mean difference of a score {int8_difference(model):.4f}."


def _scores(model: StanceModel, quotes: Sequence[Quote]) -> Scores:
    rows = _known_rows(model)
    new = list(dict.fromkeys(quote.text for quote in quotes if quote.text not in rows))
    rows.update(zip(new, model.score(new), strict=True))
    return np.array([[rows[quote.text][name] for name in model.labels.names] for quote in quotes])


@cache
def _known_rows(_model: StanceModel) -> dict[str, dict[str, float]]:
    """The model's scores so far, by text: the sets overlap."""
    return {}


def main(arguments: Sequence[str]) -> None:
    """Print the figures; with `--write` put them into the card as well."""
    text = figures(packaged())
    print(text)
    if "--write" in arguments:
        card = CARD.read_text(encoding="utf-8")
        before, after = card.split(BEGIN)[0], card.split(END)[1]
        CARD.write_text(f"{before}{BEGIN}\n{text}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
