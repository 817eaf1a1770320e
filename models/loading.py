"""From the name of a model to a classifier: finds the folder, sees its kind, loads it.

Everything that can be wrong with a model is said here or below as one ModelError line. torch and
transformers are imported only by the kinds that need them, and only once a folder has passed the
checks that need neither.
"""

import re
from enum import Enum, auto
from pathlib import Path
from typing import Any

from models.classifier import Classifier
from models.errors import ModelError
from models.folder import ONNX_FILES, STANCE_CONFIG, is_entailment_label, read_json, read_object
from models.keywords import NAME as KEYWORDS
from models.keywords import KeywordClassifier
from models.labels import LabelSet, load_labels
from models.sessions import available_cores

DEFAULT = "default"
PACKAGED = Path(__file__).parent / "packaged"

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


def load_classifier(
    model: str | None = None,
    labels: LabelSet | None = None,
    *,
    threads: int | None = None,
) -> Classifier:
    """The classifier for `model`, ready to score.

    `model` is None or "default" (the packaged model, no download), "keywords" (a fake for tests),
    a local folder, or a Hugging Face hub id. `labels` None is the packaged set. `threads` sets how
    many CPU threads inference uses (torch's: in the whole process); None: one for each core that
    this process may use.

    Raises: ModelError when the model cannot be found or is of a wrong kind; LabelsError when the
    packaged labels cannot be read.
    """
    labels = load_labels() if labels is None else labels
    if model == KEYWORDS:
        return KeywordClassifier(labels)
    name, folder = _find(model)
    kind = _kind(folder)
    if kind is _Kind.STANCE:
        from models.stance import StanceModel

        return StanceModel(folder, name, labels, threads)
    threads = threads or available_cores()
    _use_threads(threads)
    if kind is _Kind.ENTAILMENT:
        from models.nli import EntailmentModel

        return EntailmentModel(folder, name, labels, threads)
    from models.encoder import SentenceEncoder

    return SentenceEncoder(folder, name, labels)


class _Kind(Enum):
    STANCE = auto()
    ENTAILMENT = auto()
    ENCODER = auto()


def _find(model: str | None) -> tuple[str, Path]:
    """The model's name and its folder on this machine."""
    if model is None or model == DEFAULT:
        return str(read_object(PACKAGED, STANCE_CONFIG).get("name", DEFAULT)), PACKAGED
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder.resolve().name, folder
    if folder.exists():
        raise ModelError(f"{model}: is a file; give the model's folder")
    if not _HUB_ID.fullmatch(model):
        raise ModelError(f"{model}: no such folder, and not a Hugging Face hub id (owner/name)")
    from models.hub import hub_folder

    return model, hub_folder(model)


def _kind(folder: Path) -> _Kind:
    """What the folder holds. Raises: ModelError when it is nothing that can be loaded."""
    if (folder / STANCE_CONFIG).is_file():
        _need_files(folder, "encoder.onnx", "head.onnx", "tokenizer.json")
        return _Kind.STANCE
    has_modules = isinstance(read_json(folder, "modules.json"), list)
    config = read_object(folder, "config.json")
    if not config and not has_modules:
        raise ModelError(f"{folder}: has no config.json; give a transformers model folder")
    _refuse_code(folder)
    architectures = config.get("architectures") or []
    if any(str(name).endswith("ForSequenceClassification") for name in architectures):
        _need_entailment_label(folder, config)
        if not any((folder / name).is_file() for name in ONNX_FILES):
            _need_safetensors(folder)
        return _Kind.ENTAILMENT
    if not (folder / "1_Pooling" / "config.json").is_file():
        raise ModelError(
            f"{folder}: wrong kind: neither an entailment (NLI) classifier nor a sentence encoder "
            "with a 1_Pooling/config.json"
        )
    _need_safetensors(folder)
    return _Kind.ENCODER


def _need_entailment_label(folder: Path, config: dict[str, Any]) -> None:
    id2label = config.get("id2label")
    names = id2label.values() if isinstance(id2label, dict) else ()
    if not any(is_entailment_label(str(name)) for name in names):
        raise ModelError(
            f"{folder}: wrong kind: a sequence classifier with no entailment label; "
            "give an entailment (NLI) model or a sentence encoder"
        )


def _need_files(folder: Path, *names: str) -> None:
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"{folder}: has no {missing[0]}; a stance model needs {', '.join(names)}")


def _refuse_code(folder: Path) -> None:
    for name in ("config.json", "tokenizer_config.json"):
        if "auto_map" in read_object(folder, name):
            raise ModelError(
                f"{folder}: {name} asks for code of its own (auto_map), which never runs here; "
                "give a model of a kind that transformers knows"
            )


def _need_safetensors(folder: Path) -> None:
    if any(folder.rglob("*.safetensors")):
        return
    pickled = any(folder.rglob("pytorch_model*.bin"))
    found = "only pytorch_model.bin, which can run code when read" if pickled else "no weights"
    raise ModelError(f"{folder}: has {found}; only safetensors or ONNX weights are loaded")


def _use_threads(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
