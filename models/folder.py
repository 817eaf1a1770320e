"""Reading a model folder's plain files: JSON configuration and the digest of the weights.

Needs neither torch nor transformers, so that a wrong folder is refused before they load.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from models.errors import ModelError

VERSION_HEX_DIGITS = 12
STANCE_CONFIG = "stance_model.json"
"""The file that makes a folder one of our own kind."""

ONNX_FILES = ("model.onnx", "onnx/model.onnx")
"""Where the usual exporters put an entailment model's ONNX file."""


def read_json(folder: Path, name: str) -> Any:
    """What `folder/name` holds; None when there is no such file. Raises: ModelError."""
    try:
        return json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder}: {name} cannot be read: {error}") from error


def read_object(folder: Path, name: str) -> dict[str, Any]:
    """The JSON object in `folder/name`; {} when there is no such file. Raises: ModelError."""
    content = read_json(folder, name)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ModelError(f"{folder}: {name} holds no JSON object")
    return content


def weights_version(folder: Path, pattern: str = "*.safetensors") -> str:
    """Twelve hex digits of the SHA-256 over the weights files, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob(pattern)):
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()[:VERSION_HEX_DIGITS]


def is_entailment_label(name: str) -> bool:
    """Whether transformers' zero-shot pipeline takes this label for the entailment one."""
    return name.lower().startswith("entail")
