"""Training on tiny networks: it learns, it goes on where it stopped, and what is shipped is the
same.
"""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from models import Label, LabelSet, load_classifier
from models.explain import Explainer, write_neighbours
from models.stance import StanceModel
from models.training import loop
from models.training.calibrate import fit, threshold, write_threshold
from models.training.data import Quote, Split
from models.training.export import export_encoder, export_head, feeds, quantise
from models.training.loop import Recipe, schedule, train
from models.training.losses import direction_loss, gold_loss, teacher_loss
from models.training.network import StanceNetwork
from models.training.student import distil, make_items
from models.training.targets import Stance
from models.training.teacher import train_on_labels
from tests.unit.tiny_models import network, save_stance

STANCES = [
    Stance("sceptical", ("we doubt it", "doubt"), frozenset()),
    Stance("threatening", ("we will strike", "strike"), frozenset()),
]
QUOTES = [
    *(Quote(f"we doubt {n}", "sceptical", Split.TRAIN, "t") for n in range(12)),
    *(Quote(f"they will strike {n}", "threatening", Split.TRAIN, "t") for n in range(12)),
    *(Quote(f"the price is {n}", "none", Split.TRAIN, "t") for n in range(12)),
]
RECIPE = Recipe(epochs=12, batch=12, encoder_rate=2e-3, head_rate=5e-3)


def probabilities(trained: StanceNetwork, texts: list[str]) -> np.ndarray:
    with torch.inference_mode():
        vectors = trained.embed_all([s.hypotheses[0] for s in STANCES])
        values: Tensor = torch.sigmoid(trained.head(trained.embed_all(texts), vectors))
    return values.numpy()


def test_labels_are_learnt_and_handed_on_to_a_student(tmp_path: Path) -> None:
    teacher = network(seed=1)
    train_on_labels("teacher", teacher, QUOTES, STANCES, {}, RECIPE, tmp_path)
    texts = ["we doubt 7", "they will strike 7", "the price is 7"]
    taught = probabilities(teacher, texts)
    assert taught.argmax(axis=0).tolist() == [0, 1]
    assert taught[2].max() < 0.5
    student = network(seed=2)
    before = np.abs(probabilities(student, texts) - taught).mean()
    longer = replace(RECIPE, epochs=48)
    distil("s", student, teacher, make_items(QUOTES, 1), STANCES, {}, longer, tmp_path)
    assert np.abs(probabilities(student, texts) - taught).mean() < min(0.1, before)


def test_a_run_that_goes_on_ends_as_one_that_was_not_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_STEPS", 2)
    recipe = Recipe(epochs=2, batch=6)
    steps = len(schedule([1] * 20, recipe))

    def weights(stops_after: int | None, folder: Path) -> dict[str, Tensor]:
        left = stops_after

        def loss_of(items: list[int], rng: random.Random) -> Tensor:
            nonlocal left
            if left == 0:
                raise KeyboardInterrupt
            left = None if left is None else left - 1
            texts = [QUOTES[i].text for i in items]
            target = torch.rand(len(items), 1) * rng.random()
            values: Tensor = net.head(net.embed(texts), net.embed(["doubt"]))
            return (values - target).square().mean()

        net = network(seed=3)
        if stops_after is not None:
            with pytest.raises(KeyboardInterrupt):
                train("run", net, [1] * 20, loss_of, recipe, folder)
            left, net = None, network(seed=4)  # another start: the checkpoint must count
        train("run", net, [1] * 20, loss_of, recipe, folder)
        return net.state_dict()

    whole, resumed = weights(None, tmp_path / "a"), weights(steps - 3, tmp_path / "b")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert not list(tmp_path.rglob("*.checkpoint"))


def test_every_item_comes_once_an_epoch() -> None:
    steps = schedule([5, 1, 3, 2, 4] * 9, Recipe(epochs=3, batch=4))
    assert sorted(i for step in steps for i in step) == sorted([*range(45)] * 3)


def test_unknown_pairs_change_nothing() -> None:
    logits = torch.tensor([[2.0, -1.0, 9.0]], requires_grad=True)
    target, weight = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[1.0, 1.0, 0.0]])
    torch.autograd.backward(gold_loss(logits, target, weight))
    assert logits.grad is not None
    assert logits.grad[0, 2] == 0
    assert (logits.grad[0, :2] != 0).all()


def test_agreeing_with_the_teacher_costs_nothing() -> None:
    logits, vectors = torch.randn(4, 3), torch.randn(4, 8)
    assert teacher_loss(logits, logits).item() == pytest.approx(0, abs=1e-6)
    assert direction_loss(vectors, 2 * vectors).item() == pytest.approx(0, abs=1e-6)
    assert teacher_loss(logits, -logits) > 0


def test_the_exported_model_scores_as_the_network_does(tmp_path: Path) -> None:
    trained = network()
    export_encoder(trained, tmp_path / "encoder.onnx")
    export_head(trained.head, tmp_path / "head.onnx")
    texts = ["we doubt it", "no talk, no price", "strike"]
    vectors = next(iter(feeds(trained, texts)))
    import onnxruntime

    session = onnxruntime.InferenceSession(tmp_path / "encoder.onnx")
    exact = session.run(None, vectors)[0]
    with torch.inference_mode():
        wanted = trained.embed_all(texts).numpy()
    assert np.abs(exact - wanted).max() < 0.1  # training runs in bfloat16
    quantise(tmp_path / "encoder.onnx", tmp_path / "int8.onnx", [vectors])
    small = onnxruntime.InferenceSession(tmp_path / "int8.onnx").run(None, vectors)[0]
    cosine = (small * exact).sum(axis=1) / 16
    assert cosine.min() > 0.97


def test_calibration_finds_the_scale_and_bias_that_made_the_answers() -> None:
    rng = np.random.default_rng(5)
    logits = rng.normal(0, 2, (20_000, 1)).astype(np.float32)
    held = rng.random((20_000, 1)) < 1 / (1 + np.exp(-(0.5 * logits - 1)))
    found = fit(logits, held)
    assert (found.scale, found.bias) == pytest.approx((0.5, -1), abs=0.05)


def test_the_threshold_separates_what_can_be_separated(tmp_path: Path) -> None:
    scores = np.array([[0.8, 0.1], [0.7, 0.2], [0.3, 0.1], [0.2, 0.6], [0.1, 0.55], [0.2, 0.35]])
    chosen = threshold(scores, ["a", "a", "none", "b", "b", "none"], ["a", "b"])
    assert 0.35 < chosen <= 0.55
    path = tmp_path / "labels.toml"
    path.write_text("threshold = 0.1\n# threshold\nthreshold = 0.2\n")
    write_threshold(path, chosen)
    line = f"threshold = {chosen:.2f}\n"
    assert path.read_text() == f"{line}# threshold\n{line}"


@pytest.fixture(scope="module")
def stance_model(tmp_path_factory: pytest.TempPathFactory) -> StanceModel:
    folder = save_stance(tmp_path_factory.mktemp("stance"))
    labels = LabelSet((Label("doubt", ("we doubt", "no"), 0.5), Label("deal", ("talk",), 0.5)))
    model = load_classifier(str(folder), labels, threads=1)
    assert isinstance(model, StanceModel)
    quotes = [("we talk", "deal"), ("no price", "none"), ("strike, strike", "doubt")]
    write_neighbours(folder, quotes, model.embed([text for text, _ in quotes]))
    return model


def test_an_explanation_ranks_hypotheses_and_finds_the_quote_itself(
    stance_model: StanceModel,
) -> None:
    explanation = Explainer(stance_model).explain(["strike, strike"], similar=2)[0]
    assert {one.hypothesis for one in explanation.hypotheses} == {"we doubt", "no", "talk"}
    scores = [one.score for one in explanation.hypotheses]
    assert scores == sorted(scores, reverse=True)
    assert (explanation.similar[0].text, explanation.similar[0].label) == (
        "strike, strike",
        "doubt",
    )
    assert explanation.similar[0].similarity > 0.99
    assert len(explanation.similar) == 2
