"""What is wrong with a model is said in one line, fast, before or without loading it."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest

from models import ModelError, load_classifier

SECONDS_TO_FAIL = 10
ENTAILMENT = {
    "architectures": ["BertForSequenceClassification"],
    "id2label": {"0": "contradiction", "1": "neutral", "2": "entailment"},
}
SENTIMENT = {
    "architectures": ["BertForSequenceClassification"],
    "id2label": {"0": "NEGATIVE", "1": "POSITIVE"},
}
PLAIN = {"architectures": ["BertModel"]}
POOLING = {"pooling_mode_mean_tokens": True}
MAX_POOLING = {"pooling_mode_max_tokens": True}
DENSE = [{"path": "2_Dense", "type": "sentence_transformers.models.Dense"}]


def refusal(model: str) -> str:
    started = time.monotonic()
    with pytest.raises(ModelError) as caught:
        load_classifier(model)
    assert time.monotonic() - started < SECONDS_TO_FAIL
    assert "\n" not in str(caught.value)
    assert model.rpartition("/")[2] in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "has no config.json"),
        ({"config.json": "{"}, "config.json cannot be read"),
        ({"config.json": "[]"}, "config.json holds no JSON object"),
        ({"config.json": SENTIMENT, "model.safetensors": ""}, "no entailment label"),
        ({"config.json": PLAIN, "model.safetensors": ""}, "wrong kind: neither an entailment"),
        (
            {"config.json": {**ENTAILMENT, "auto_map": {}}, "model.safetensors": ""},
            "config.json asks for code of its own (auto_map)",
        ),
        (
            {"config.json": ENTAILMENT, "tokenizer_config.json": {"auto_map": {}}},
            "tokenizer_config.json asks for code of its own (auto_map)",
        ),
        ({"config.json": ENTAILMENT}, "has no weights"),
        (
            {"config.json": ENTAILMENT, "pytorch_model.bin": ""},
            "has only pytorch_model.bin",
        ),
        (
            {"stance_model.json": "{}", "encoder.onnx": "", "tokenizer.json": "{}"},
            "has no head.onnx",
        ),
        (
            {
                "stance_model.json": {"max_tokens": 8, "calibration": {"scale": 1, "bias": 0}},
                "encoder.onnx": "",
                "head.onnx": "",
                "tokenizer.json": "{",
            },
            "its tokenizer cannot be loaded",
        ),
        (
            {"stance_model.json": "{}", "encoder.onnx": "", "head.onnx": "", "tokenizer.json": ""},
            "has no usable calibration",
        ),
        (
            {"config.json": PLAIN, "1_Pooling/config.json": POOLING, "pytorch_model.bin": ""},
            "has only pytorch_model.bin",
        ),
        (
            {"config.json": PLAIN, "1_Pooling/config.json": MAX_POOLING, "model.safetensors": ""},
            "wrong kind: its pooling is neither mean nor cls",
        ),
        (
            {
                "config.json": PLAIN,
                "1_Pooling/config.json": POOLING,
                "modules.json": DENSE,
                "model.safetensors": "",
            },
            "wrong kind: its Dense layer is not supported",
        ),
    ],
)
def test_a_wrong_folder_is_refused(tmp_path: Path, files: dict[str, Any], message: str) -> None:
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    assert message in refusal(str(tmp_path))


def test_a_folder_that_is_not_there_is_refused() -> None:
    assert "no such folder" in refusal("./models/not-here")


def test_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.touch()
    assert "is a file" in refusal(str(path))


def test_a_hub_model_is_refused_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert "the hub cannot be reached" in refusal("nobody/no-such-model")


def test_a_hub_model_is_refused_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    assert "the hub cannot be reached" in refusal("nobody/no-such-model")


def test_a_packaged_model_with_a_file_missing_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "stance_model.json").write_text('{"name": "broken"}')
    monkeypatch.setattr("models.loading.PACKAGED", tmp_path)
    with pytest.raises(ModelError, match=r"has no encoder\.onnx"):
        load_classifier()


def test_keywords_needs_no_torch_and_importing_models_is_cheap() -> None:
    code = (
        "import sys, models\n"
        "scores = models.load_classifier('keywords').score(['We doubt that.', 'Good morning.'])\n"
        "assert scores[0]['sceptical'] > 0.5 > scores[1]['sceptical'], scores\n"
        "heavy = {'torch', 'transformers', 'numpy', 'huggingface_hub'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_packaged_model_needs_neither_torch_nor_transformers() -> None:
    code = (
        "import sys, models\n"
        "models.load_classifier(threads=1).score(['We doubt that.'])\n"
        "heavy = {'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_default_is_the_packaged_model() -> None:
    assert load_classifier("default", threads=1).name == "stancewire-mpnet-6"
