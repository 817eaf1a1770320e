"""Every kind of classifier keeps the same promises; the real models are tiny and random."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import pipeline

from models import Classifier, Label, LabelSet, ModelError, load_classifier, load_labels
from tests.unit.tiny_models import (
    NLI_LABELS,
    save_bert,
    save_encoder,
    save_nli,
    save_onnx_nli,
    save_stance,
)

LABELS = LabelSet(
    (
        Label("sceptical", ("We doubt that.", "There is no proof of it."), 0.5),
        Label("conciliatory", ("Let us talk.",), 0.5),
        Label("threatening", ("They will pay a price.", "We will strike.", "Be careful."), 0.5),
    ),
    ("The meeting is at nine.", "She will be missed."),
)
TEXTS = [
    "We doubt their figures, and there is no evidence for the claim.",
    "Talks are possible.",
    "",
    "Yes",
    "They will be punished; we will retaliate and strike at every base they have, 24 hours a day.",
    "The minister arrived.",
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    def new(name: str) -> Path:
        return tmp_path_factory.mktemp(name)

    return {
        "mean encoder": save_encoder(new("mean")),
        "cls encoder": save_encoder(new("cls"), pooling="cls_token"),
        **{name: save_nli(new("nli"), labels) for name, labels in NLI_LABELS.items()},
        "in ONNX": save_onnx_nli(new("onnx"), NLI_LABELS["contradiction first"]),
        "stance": save_stance(new("stance")),
    }


KINDS = [
    "stance",
    "mean encoder",
    "cls encoder",
    "contradiction first",
    "entailment first",
    "in ONNX",
    "keywords",
]


@pytest.fixture(scope="module", params=KINDS)
def classifier(request: pytest.FixtureRequest, folders: dict[str, Path]) -> Classifier:
    model = "keywords" if request.param == "keywords" else str(folders[request.param])
    return load_classifier(model, LABELS, threads=1, batch_size=4)


def assert_close(got: list[dict[str, float]], wanted: list[dict[str, float]]) -> None:
    assert len(got) == len(wanted)
    for one, other in zip(got, wanted, strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_every_text_gets_one_score_a_label_in_label_order(classifier: Classifier) -> None:
    scores = classifier.score(TEXTS)
    assert len(scores) == len(TEXTS)
    assert all(tuple(row) == LABELS.names for row in scores)


def test_scores_are_plain_floats_between_zero_and_one(classifier: Classifier) -> None:
    values = [value for row in classifier.score(TEXTS) for value in row.values()]
    assert all(type(value) is float and 0 <= value <= 1 for value in values)


def test_scores_tell_texts_apart(classifier: Classifier) -> None:
    assert len({tuple(row.values()) for row in classifier.score(TEXTS)}) > 1


def test_order_is_the_texts_order(classifier: Classifier) -> None:
    assert_close(classifier.score(TEXTS[::-1]), classifier.score(TEXTS)[::-1])


def test_scores_do_not_depend_on_what_else_is_in_the_batch(classifier: Classifier) -> None:
    alone = [classifier.score([text])[0] for text in TEXTS]
    assert_close(classifier.score(TEXTS), alone)
    assert_close(classifier.score(TEXTS * 5), alone * 5)


def test_the_same_texts_get_the_same_scores_again(classifier: Classifier) -> None:
    assert classifier.score(TEXTS) == classifier.score(TEXTS)


def test_no_text_gives_no_score(classifier: Classifier) -> None:
    assert classifier.score([]) == []


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n", "🕊️🤝🚀", "x" * 10_000, "We doubt it. " * 800, "да нет", "a\x00b", "\ud83d"],
    ids=["empty", "space", "newline", "emoji", "long word", "long", "cyrillic", "nul", "surrogate"],
)
def test_odd_texts_are_scored_like_any_other(classifier: Classifier, text: str) -> None:
    scores = classifier.score([text, "We doubt it."])
    assert all(0 <= value <= 1 for row in scores for value in row.values())
    assert_close(scores[1:], classifier.score(["We doubt it."]))


def test_name_version_and_labels_are_given(classifier: Classifier) -> None:
    assert classifier.name
    assert len(classifier.version) == 12
    assert classifier.labels == LABELS


def test_a_label_is_scored_the_same_without_the_others(
    classifier: Classifier,
    folders: dict[str, Path],
    request: pytest.FixtureRequest,
) -> None:
    kind = request.node.callspec.params["classifier"]
    model = "keywords" if kind == "keywords" else str(folders[kind])
    one = LabelSet(LABELS.labels[1:2], LABELS.background)
    wanted = [{"conciliatory": row["conciliatory"]} for row in classifier.score(TEXTS)]
    assert_close(load_classifier(model, one).score(TEXTS), wanted)


@pytest.mark.parametrize("kind", [*NLI_LABELS, "in ONNX"])
def test_entailment_scores_equal_the_zero_shot_pipeline(
    folders: dict[str, Path], kind: str
) -> None:
    texts = [text for text in TEXTS if text] + ["We doubt it. " * 50]  # it refuses empty texts
    same = "contradiction first" if kind == "in ONNX" else kind  # torch's file of that model
    reference = pipeline("zero-shot-classification", model=str(folders[same]), device="cpu")
    hypotheses = [h for label in LABELS.labels for h in label.hypotheses]
    results = reference(texts, hypotheses, multi_label=True, hypothesis_template="{}")
    scores = load_classifier(str(folders[kind]), LABELS).score(texts)
    for result, row in zip(results, scores, strict=True):
        by_hypothesis = dict(zip(result["labels"], result["scores"], strict=True))
        for label in LABELS.labels:
            best = max(by_hypothesis[h] for h in label.hypotheses)
            assert row[label.name] == pytest.approx(best, abs=1e-4)


def test_pooling_is_the_one_the_model_asks_for(folders: dict[str, Path]) -> None:
    mean = load_classifier(str(folders["mean encoder"]), LABELS)
    cls = load_classifier(str(folders["cls encoder"]), LABELS)
    assert mean.version == cls.version  # the same weights
    assert mean.score(TEXTS) != cls.score(TEXTS)


def test_an_encoder_takes_labels_without_a_background(folders: dict[str, Path]) -> None:
    packaged = LabelSet(LABELS.labels, load_labels().background)
    bare = load_classifier(str(folders["mean encoder"]), LabelSet(LABELS.labels))
    assert bare.score(TEXTS) == load_classifier(str(folders["mean encoder"]), packaged).score(TEXTS)


def test_an_encoder_takes_a_background_of_one_sentence(folders: dict[str, Path]) -> None:
    labels = LabelSet(LABELS.labels, LABELS.background[:1])
    scores = load_classifier(str(folders["mean encoder"]), labels).score(TEXTS)
    assert all(0 <= value <= 1 for row in scores for value in row.values())


def test_an_encoder_compares_with_examples_where_a_label_has_them(
    folders: dict[str, Path],
) -> None:
    quotes = tuple(
        Label(label.name, ("something else",), label.threshold, label.hypotheses)
        for label in LABELS.labels
    )
    encoder = str(folders["mean encoder"])
    with_examples = load_classifier(encoder, LabelSet(quotes, LABELS.background))
    assert with_examples.score(TEXTS) == load_classifier(encoder, LABELS).score(TEXTS)


def test_a_stance_model_takes_the_mean_of_a_labels_hypotheses(folders: dict[str, Path]) -> None:
    first, second = LABELS.labels[0].hypotheses
    model = str(folders["stance"])

    def logit(*hypotheses: str) -> float:
        labels = LabelSet((Label("sceptical", hypotheses, 0.5),))
        score = load_classifier(model, labels).score(TEXTS[:1])[0]["sceptical"]
        return math.log(score / (1 - score))

    assert logit(first, second) == pytest.approx((logit(first) + logit(second)) / 2, abs=1e-3)


def test_changed_weights_are_another_version(folders: dict[str, Path], tmp_path: Path) -> None:
    other = shutil.copytree(folders["mean encoder"], tmp_path / "other")
    save_bert(other, seed=6)
    assert (
        load_classifier(str(other)).version != load_classifier(str(folders["mean encoder"])).version
    )


def test_an_older_layout_keeps_its_transformer_in_a_folder(tmp_path: Path) -> None:
    save_encoder(tmp_path / "flat")
    expected = load_classifier(str(tmp_path / "flat"), LABELS).score(TEXTS)
    old = tmp_path / "old"
    old.mkdir()
    shutil.move(tmp_path / "flat" / "1_Pooling", old)
    modules = json.loads((tmp_path / "flat" / "modules.json").read_text())
    modules[0]["path"] = "0_Transformer"
    (old / "modules.json").write_text(json.dumps(modules))
    shutil.move(tmp_path / "flat", old / "0_Transformer")
    assert load_classifier(str(old), LABELS).score(TEXTS) == expected


def test_loading_says_nothing(folders: dict[str, Path], capfd: pytest.CaptureFixture[str]) -> None:
    load_classifier(str(folders["mean encoder"]), LABELS).score(TEXTS)
    load_classifier(str(folders["two labels"]), LABELS).score(TEXTS)
    assert capfd.readouterr() == ("", "")


def spoil_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"not weights")


def lose_the_head(folder: Path) -> None:
    save_bert(folder / "headless", seed=5)
    shutil.move(folder / "headless" / "model.safetensors", folder / "model.safetensors")


def lose_the_tokenizer(folder: Path) -> None:
    for path in folder.glob("tokenizer*"):
        path.unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_weights, "its weights cannot be loaded"),
        (lose_the_head, r"its weights lack classifier\.(bias|weight)"),
        (lose_the_tokenizer, "has no tokenizer"),
    ],
)
def test_a_damaged_model_is_refused_in_one_line(
    tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    folder = save_nli(tmp_path / "model", NLI_LABELS["contradiction first"])
    spoil(folder)
    with pytest.raises(ModelError, match=message) as caught:
        load_classifier(str(folder), LABELS)
    assert "\n" not in str(caught.value)
