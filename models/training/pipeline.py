"""From data to shipped files, one step after the other: `make train`.

Each step leaves its result in a folder of its own for this data, so a run that was stopped goes on
where it was, and a change of the data starts anew.
"""

import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from torch import nn

from models.explain import write_neighbours
from models.folder import STANCE_CONFIG
from models.labels import DEFAULT_LABELS, load_labels
from models.loading import PACKAGED
from models.stance import Calibration, StanceModel
from models.training import calibrate, export
from models.training.base import NAME as BASE_NAME
from models.training.base import base_encoder
from models.training.data import (
    Quote,
    Split,
    data_digest,
    read_attitudes,
    read_quotes,
    stance_quotes,
    training_quotes,
)
from models.training.loop import Recipe
from models.training.network import MAX_TOKENS, StanceNetwork
from models.training.student import distil, make_items
from models.training.targets import read_stances
from models.training.teacher import train_on_labels

NAME = "stancewire-mpnet-6"
TEACHER_LAYERS = 12
STUDENT_LAYERS = 6
TEACHER = Recipe(epochs=2, batch=32, encoder_rate=5e-5)
STUDENT = Recipe(epochs=3, batch=64, encoder_rate=1e-4)
REFERENCE = "reference.json"
REFERENCE_QUOTES = 200
SCALE_TEXTS = 256
"""How many training quotes the scales of int8 activations are measured on."""

_console = Console(stderr=True)


def run(work: Path, out: Path = PACKAGED, labels_file: Path = DEFAULT_LABELS) -> None:
    """Make the packaged model in `out` and set the threshold in `labels_file`."""
    if torch.get_num_threads() == 1:
        _console.print("one thread only: this will take long")
    quotes = training_quotes(read_quotes())
    work = work / data_digest()[:12]
    _console.print(f"{len(quotes)} training quotes; results in {work}")
    student = trained_student(work, quotes)
    full = work / "encoder.full.onnx"
    if not full.is_file():
        export.export_encoder(student, full)
    ship(student, full, quotes, out, labels_file)


def trained_teacher(work: Path, quotes: Sequence[Quote]) -> StanceNetwork:
    """The teacher, trained or read from `work`."""
    network = StanceNetwork.from_base(base_encoder(work.parent), TEACHER_LAYERS).to(_device())
    if not load_weights(network, work / "teacher.pt"):
        train_on_labels("teacher", network, quotes, read_stances(), read_attitudes(), TEACHER, work)
        torch.save(network.state_dict(), work / "teacher.pt")
    return network


def trained_student(work: Path, quotes: Sequence[Quote]) -> StanceNetwork:
    """The student, distilled or read from `work`."""
    network = StanceNetwork.from_base(base_encoder(work.parent), STUDENT_LAYERS).to(_device())
    if not load_weights(network, work / "student.pt"):
        teacher = trained_teacher(work, quotes)
        _start_from(network, teacher)
        distil(
            "student",
            network,
            teacher,
            make_items(quotes, STUDENT.seed),
            read_stances(),
            read_attitudes(),
            STUDENT,
            work,
        )
        torch.save(network.state_dict(), work / "student.pt")
    return network.cpu()


def ship(
    network: StanceNetwork, full: Path, quotes: Sequence[Quote], out: Path, labels_file: Path
) -> None:
    """Quantise, calibrate, choose the threshold, embed the training quotes, record references."""
    out.mkdir(parents=True, exist_ok=True)
    texts = random.Random("scales").sample([quote.text for quote in quotes], SCALE_TEXTS)
    export.quantise(full, out / "encoder.onnx", list(export.feeds(network, texts)))
    export.export_head(network.head, out / "head.onnx")
    network.tokenizer.backend_tokenizer.save(str(out / "tokenizer.json"))
    _write_config(out, network, Calibration())
    model = StanceModel(out, NAME, load_labels(labels_file))
    held_out = stance_quotes(Split.DEVELOPMENT)
    logits = model.label_logits([quote.text for quote in held_out])
    names = model.labels.names
    held = np.array([[quote.label == name for name in names] for quote in held_out])
    calibration = calibrate.fit(logits, held)
    scores = calibration.probabilities(logits).astype(np.float64)
    gold = [quote.label for quote in held_out]
    calibrate.write_threshold(labels_file, calibrate.threshold(scores, gold, names))
    _write_config(out, network, calibration)
    vectors = model.embed([quote.text for quote in quotes])
    write_neighbours(out, [(quote.text, quote.label) for quote in quotes], vectors)
    _write_reference(out, full, model)


def _write_reference(out: Path, full: Path, model: StanceModel) -> None:
    """Scores in full precision for some test quotes: what int8 is compared with."""
    texts = [quote.text for quote in stance_quotes(Split.TEST)]
    texts = random.Random("reference").sample(texts, REFERENCE_QUOTES)
    exact = out.parent / "full-precision"
    exact.mkdir(exist_ok=True)
    for name in (STANCE_CONFIG, "head.onnx", "tokenizer.json"):
        shutil.copy(out / name, exact / name)
    shutil.copy(full, exact / "encoder.onnx")
    scores = StanceModel(exact, NAME, model.labels).score(texts)
    shutil.rmtree(exact)
    rows = [
        {"text": text, "scores": {name: round(value, 4) for name, value in row.items()}}
        for text, row in zip(texts, scores, strict=True)
    ]
    hypotheses = [h for label in model.labels.labels for h in label.hypotheses]
    content = {"version": model.version, "hypotheses": hypotheses, "quotes": rows}
    _write_json(out / REFERENCE, content)


def _write_config(out: Path, network: StanceNetwork, calibration: Calibration) -> None:
    config = {
        "name": NAME,
        "max_tokens": MAX_TOKENS,
        "pad_id": network.tokenizer.pad_token_id,
        "calibration": asdict(calibration),
        "training_data": data_digest(),
        "base": {"name": BASE_NAME, "licence": "Apache-2.0", "layers": STUDENT_LAYERS},
    }
    _write_json(out / STANCE_CONFIG, config)


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _start_from(student: StanceNetwork, teacher: StanceNetwork) -> None:
    """The student begins as the teacher's first layers, with the teacher's head."""
    student.encoder.load_state_dict(teacher.encoder.state_dict(), strict=False)
    student.head.load_state_dict(teacher.head.state_dict())


def load_weights(network: nn.Module, path: Path) -> bool:
    """Whether `path` was there; if so `network` has its weights now."""
    if not path.is_file():
        return False
    network.load_state_dict(torch.load(path, weights_only=True, map_location=_device()))
    network.eval()
    return True


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
