"""Models from the Hugging Face hub: only data files, and a clear word when it is out of reach."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)
from huggingface_hub.utils.tqdm import (
    are_progress_bars_disabled,
    disable_progress_bars,
    enable_progress_bars,
)

from models.errors import ModelError
from models.folder import ONNX_FILES

TIMEOUT_SECONDS = 5.0
_DATA_FILES = [
    "*.json",
    "*.txt",
    "*.model",
    "*.safetensors",
    "encoder.onnx",
    "head.onnx",
    "neighbours.*",
    *ONNX_FILES,
]
_OTHER_RUNTIMES = ["onnx/*.json", "openvino/*"]


def hub_folder(model: str) -> Path:
    """The folder of hub model `model` ("owner/name"), downloaded when it is not here yet.

    Without a network, what an earlier call downloaded is used. Raises: ModelError.
    """
    revision = _latest_revision(model)
    try:
        with _no_progress_bars():
            path = snapshot_download(
                model,
                revision=revision,
                allow_patterns=_DATA_FILES,
                ignore_patterns=_OTHER_RUNTIMES,
                local_files_only=revision is None,
                etag_timeout=TIMEOUT_SECONDS,
            )
    except LocalEntryNotFoundError as error:
        raise ModelError(
            f"{model}: no such folder, not downloaded before, and the hub cannot be reached"
        ) from error
    except (httpx.HTTPError, OSError, ValueError) as error:
        raise ModelError(f"{model}: its download failed ({type(error).__name__})") from error
    return Path(path)


def _latest_revision(model: str) -> str | None:
    """The commit to download; None when the hub cannot be reached.

    Asked first because snapshot_download has no time limit of its own for this question.
    """
    try:
        return HfApi().model_info(model, timeout=TIMEOUT_SECONDS).sha
    except GatedRepoError as error:
        raise ModelError(f"{model}: gated on the hub; accept its terms and log in") from error
    except RepositoryNotFoundError as error:
        raise ModelError(f"{model}: no such folder, and no such model on the hub") from error
    except (httpx.HTTPError, OSError, ValueError):
        return None


@contextmanager
def _no_progress_bars() -> Iterator[None]:
    disabled = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if not disabled:
            enable_progress_bars()
