"""What the encoder and the entailment model share: loading with transformers.

A model folder is what transformers' `save_pretrained` writes. Only safetensors weights are read
and no code from the folder ever runs.
"""

from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging as transformers_logging

from models.batches import encodable
from models.classifier import EncodedText
from models.errors import ModelError

_VOCABULARY_FILES = ("tokenizer.json", "vocab.*", "*.model")
_LONGEST_SENSIBLE_INPUT = 100_000
"""Tokenizers without a limit of their own report a huge number; above this it means "none"."""

_ROBERTA_OFFSET = 2
"""RoBERTa-like models use up two of their positions for padding."""


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The folder's tokenizer. Raises: ModelError."""
    # Without these transformers 5 makes up an empty tokenizer, and every text is "unknown".
    if not any(path for pattern in _VOCABULARY_FILES for path in folder.glob(pattern)):
        raise ModelError(f"{folder}: has no tokenizer (no tokenizer.json or vocabulary)")
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
    except Exception as error:
        raise ModelError(f"{folder}: its tokenizer cannot be loaded: {_line(error)}") from error
    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        raise ModelError(f"{folder}: its tokenizer is of an unknown kind")
    return tokenizer


def encode_texts(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[EncodedText]:
    """The texts with the ids of all their tokens, special ones left out."""
    if not texts:
        return []
    ids = tokenizer([encodable(text) for text in texts], add_special_tokens=False)["input_ids"]
    return [EncodedText(text, array("I", row)) for text, row in zip(texts, ids, strict=True)]


def load_config(folder: Path) -> PreTrainedConfig:
    """The folder's config.json as transformers understands it. Raises: ModelError."""
    try:
        with quiet():
            config = AutoConfig.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
    except Exception as error:
        raise ModelError(f"{folder}: its config.json cannot be loaded: {_line(error)}") from error
    if not isinstance(config, PreTrainedConfig):
        raise ModelError(f"{folder}: its config.json is of an unknown kind")
    return config


def load_weights(auto_class: Any, folder: Path) -> PreTrainedModel:
    """The folder's model in fp32, in evaluation mode, on a GPU where there is one.

    `auto_class` is one of transformers' Auto classes. Raises: ModelError, also when weights that
    take part in the result are not in the folder (transformers would fill them with noise).
    """
    try:
        with quiet():
            model, report = auto_class.from_pretrained(
                folder,
                dtype=torch.float32,
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
    except Exception as error:
        raise ModelError(f"{folder}: its weights cannot be loaded: {_line(error)}") from error
    missing = sorted(key for key in report["missing_keys"] if not key.startswith("pooler."))
    if missing:
        raise ModelError(f"{folder}: its weights lack {missing[0]} ({len(missing)} missing)")
    loaded: PreTrainedModel = model.eval()
    if torch.cuda.is_available():
        loaded.cuda()
    return loaded


def max_tokens(tokenizer: PreTrainedTokenizerBase, config: Any) -> int:
    """How many tokens the model takes, special tokens included."""
    if tokenizer.model_max_length <= _LONGEST_SENSIBLE_INPUT:
        return int(tokenizer.model_max_length)
    return int(getattr(config, "max_position_embeddings", 512)) - _ROBERTA_OFFSET


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' progress bars and warnings off the terminal, then put them back."""
    verbosity = transformers_logging.get_verbosity()
    bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()


def _line(error: Exception) -> str:
    """The first line of what `error` says."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__
