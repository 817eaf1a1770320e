"""Every kind of classifier keeps the same promises; the real models are tiny and random."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    PreTrainedTokenizerFast,
    pipeline,
)

from models import Classifier, Label, LabelSet, ModelError, load_classifier, load_labels

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
MAX_TOKENS = 48


def save_tokenizer(folder: Path) -> None:
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)] + list("0123456789.,;'")
    words = ["we", "will", "no", "not", "the", "talk", "doubt", "strike", "price", "they"]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{c}" for c in letters), *words]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    # transformers' constructors are untyped: hence the ignores here and below.
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        model_max_length=MAX_TOKENS,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    ).save_pretrained(folder)


def tiny_config(names: tuple[str, ...] = ("no", "yes")) -> BertConfig:
    return BertConfig(
        vocab_size=128,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=MAX_TOKENS,
        initializer_range=0.4,
        id2label=dict(enumerate(names)),
        label2id={name: number for number, name in enumerate(names)},
    )


def save_bert(folder: Path, seed: int) -> None:
    torch.manual_seed(seed)
    BertModel(tiny_config()).save_pretrained(folder)  # type: ignore[no-untyped-call]


def save_encoder(folder: Path, pooling: str = "mean_tokens") -> Path:
    save_bert(folder, seed=5)
    save_tokenizer(folder)
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({f"pooling_mode_{pooling}": True}))
    kinds = ["Transformer", "Pooling", "Normalize"]
    modules = [{"path": "", "type": f"sentence_transformers.models.{kind}"} for kind in kinds]
    (folder / "modules.json").write_text(json.dumps(modules))
    return folder


def save_nli(folder: Path, names: tuple[str, ...]) -> Path:
    torch.manual_seed(7)
    model = BertForSequenceClassification(tiny_config(names))  # type: ignore[no-untyped-call]
    model.save_pretrained(folder)
    save_tokenizer(folder)
    return folder


NLI_LABELS = {
    "contradiction first": ("contradiction", "neutral", "entailment"),
    "entailment first": ("ENTAILMENT", "neutral", "contradiction"),
    "two labels": ("entailment", "not_entailment"),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    def new(name: str) -> Path:
        return tmp_path_factory.mktemp(name)

    return {
        "mean encoder": save_encoder(new("mean")),
        "cls encoder": save_encoder(new("cls"), pooling="cls_token"),
        **{name: save_nli(new("nli"), labels) for name, labels in NLI_LABELS.items()},
    }


KINDS = ["mean encoder", "cls encoder", "contradiction first", "entailment first", "keywords"]


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


@pytest.mark.parametrize("kind", NLI_LABELS)
def test_entailment_scores_equal_the_zero_shot_pipeline(
    folders: dict[str, Path], kind: str
) -> None:
    texts = [text for text in TEXTS if text] + ["We doubt it. " * 50]  # it refuses empty texts
    reference = pipeline("zero-shot-classification", model=str(folders[kind]), device="cpu")
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
