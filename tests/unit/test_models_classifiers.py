"""Every kind of classifier keeps the same promises; the real models are tiny and random."""

import json
import math
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from transformers import pipeline

from models import Classifier, Label, LabelSet, ModelError, load_classifier, load_labels
from models.sessions import available_cores
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
    return load_classifier(model, LABELS, threads=2)


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
    encoded = classifier.encode([text, "We doubt it."])
    for got, wanted in zip(classifier.score_encoded(encoded), scores, strict=True):
        assert got == pytest.approx(wanted, abs=1e-4)
    assert all(0 <= value <= 1 for row in scores for value in row.values())
    assert_close(scores[1:], classifier.score(["We doubt it."]))


def test_encoded_texts_are_scored_like_the_texts(classifier: Classifier) -> None:
    encoded = classifier.encode(TEXTS)
    exact = classifier.name == "keywords"
    for got, wanted in zip(classifier.score_encoded(encoded), classifier.score(TEXTS), strict=True):
        assert got == (wanted if exact else pytest.approx(wanted, abs=1e-4))
    alone = [classifier.score_encoded([one])[0] for one in encoded]
    assert_close(classifier.score_encoded(encoded[::-1]), alone[::-1])


def test_encoded_texts_keep_their_text_and_order_and_have_a_length(classifier: Classifier) -> None:
    encoded = classifier.encode(TEXTS)
    assert [one.text for one in encoded] == TEXTS
    assert all(len(one) > 0 for one in encoded if one.text)
    short, long = classifier.encode(["Yes", "We doubt their figures, and there is no evidence."])
    assert len(short) < len(long)


def test_equal_texts_have_equal_ids_and_others_do_not(classifier: Classifier) -> None:
    texts = [text for text in TEXTS if text]
    ids = [one.ids.tobytes() for one in classifier.encode(texts)]
    assert [one.ids.tobytes() for one in classifier.encode(texts[::-1])] == ids[::-1]
    assert [classifier.encode([text])[0].ids.tobytes() for text in texts] == ids
    assert len(set(ids)) == len(texts)


def test_no_text_is_encoded_to_none_and_scored_to_none(classifier: Classifier) -> None:
    assert classifier.encode([]) == []
    assert classifier.score_encoded([]) == []


def test_as_many_calls_as_it_says_may_run_while_texts_are_encoded(classifier: Classifier) -> None:
    assert classifier.parallel_calls >= 1
    encoded, wanted = classifier.encode(TEXTS), classifier.score(TEXTS)
    with ThreadPoolExecutor(classifier.parallel_calls + 1) as pool:
        calls = [
            pool.submit(classifier.score_encoded, encoded)
            for _ in range(4 * classifier.parallel_calls)
        ]
        encodings = [pool.submit(classifier.encode, TEXTS) for _ in range(8)]
        for call in calls:
            for got, one in zip(call.result(), wanted, strict=True):
                assert got == pytest.approx(one, abs=1e-4)
        assert all(encoding.result() == encoded for encoding in encodings)


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


def test_a_stance_model_runs_a_call_on_each_of_its_threads(folders: dict[str, Path]) -> None:
    assert load_classifier(str(folders["stance"]), LABELS, threads=3).parallel_calls == 3
    assert load_classifier(str(folders["stance"]), LABELS).parallel_calls == available_cores()


def test_a_stance_models_scores_are_exactly_equal_for_encoded_texts(
    folders: dict[str, Path],
) -> None:
    stance = load_classifier(str(folders["stance"]), LABELS, threads=1)
    for text in TEXTS:  # a call of its own each: what is beside a text decides the last digits
        assert stance.score_encoded(stance.encode([text])) == stance.score([text])


def test_a_comma_before_the_closing_mark_does_not_make_another_text_for_a_stance_model(
    folders: dict[str, Path],
) -> None:
    stance = load_classifier(str(folders["stance"]), LABELS)
    first, second = stance.encode(["We doubt it", "We doubt it,"])
    assert first.ids == second.ids


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
