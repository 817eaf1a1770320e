"""Sentence encoder as a zero-shot classifier: how much nearer a text is to a label than to nothing.

One pass a text, however many labels there are; hypotheses are embedded once. Sentence encoders:
Reimers & Gurevych 2019 (Sentence-BERT). Knows nothing of where its folder comes from.
"""

import threading
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModel

from models.batches import BATCH_CHARS, batches_by_length, encodable
from models.classifier import EncodedText
from models.errors import ModelError
from models.folder import read_json, read_object, weights_version
from models.labels import LabelSet, load_labels
from models.pretrained import encode_texts, load_tokenizer, load_weights, max_tokens

POOLING_CONFIG = "1_Pooling/config.json"
_KNOWN_MODULES = ("Transformer", "Pooling", "Normalize")
_POOLING_MODES = (
    "cls_token",
    "mean_tokens",
    "max_tokens",
    "mean_sqrt_len_tokens",
    "weightedmean_tokens",
    "lasttoken",
)

SHARPNESS = 10.0
"""How much the nearest hypotheses of a label outweigh its others, in the log of the mean of
exp(SHARPNESS * cosine): 0 would be the plain mean, infinity the maximum. Of 5, 8, 10, 12 and 15
this had the best development accuracy among the stances (models/README.md)."""

SCALE = 25.0
MIDPOINT = 0.05
"""score = sigmoid(SCALE * (advantage - MIDPOINT)): chosen so that thresholds lie around one half
and clear cases near 0 and 1. They set how scores look, not which label wins; a score is no
probability."""


class SentenceEncoder:
    """Scores by cosine similarity to hypotheses, contrasted with background sentences.

    `folder` is a sentence-transformers folder with mean or cls pooling. A label set without a
    background gets the packaged one. Raises: ModelError.
    """

    def __init__(self, folder: Path, name: str, labels: LabelSet) -> None:
        self._uses_cls = _pools_by_cls(folder)
        transformer = _transformer_folder(folder)
        self._tokenizer = load_tokenizer(transformer)
        self._model = load_weights(AutoModel, transformer)
        limit = read_object(transformer, "sentence_bert_config.json").get("max_seq_length")
        longest = max_tokens(self._tokenizer, self._model.config)
        self._max_tokens = min(limit, longest) if isinstance(limit, int) else longest
        self.parallel_calls = 1  # that call uses all threads
        self._lock = threading.Lock()  # a fast tokenizer cannot be used by two threads at once
        self.name = name
        self.version = weights_version(transformer)
        self.labels = labels
        self._anchors = [self._embed(label.examples or label.hypotheses) for label in labels.labels]
        self._background = self._embed(labels.background or load_labels().background)
        self._neutral = torch.stack([_neutral_level(a, self._background) for a in self._anchors])

    def encode(self, texts: Sequence[str]) -> list[EncodedText]:
        """See Classifier."""
        with self._lock:
            return encode_texts(self._tokenizer, texts)

    def score_encoded(self, batch: Sequence[EncodedText]) -> list[dict[str, float]]:
        """See Classifier."""
        return self.score([one.text for one in batch])

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """One dict a text; see Classifier."""
        if not texts:
            return []
        with self._lock:
            embeddings = self._embed(texts)
        scores = torch.sigmoid(SCALE * (self._advantages(embeddings) - MIDPOINT))
        return [dict(zip(self.labels.names, row, strict=True)) for row in scores.tolist()]

    def _advantages(self, embeddings: Tensor) -> Tensor:
        """(texts, width) to (texts, labels): how much nearer to the label than to the background.

        Zero is what a background sentence itself gets on average, so labels with many or with
        general hypotheses have no head start. No label's value depends on another label.
        """
        levels = torch.stack([_level(embeddings, anchors) for anchors in self._anchors], dim=1)
        return levels - _level(embeddings, self._background)[:, None] - self._neutral

    def _embed(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors, (texts, width), in the texts' order."""
        clean = [encodable(text) for text in texts]
        rows: list[Tensor] = [torch.empty(0)] * len(clean)
        for batch in batches_by_length([len(text) for text in clean], BATCH_CHARS):
            inputs = self._prepare([clean[i] for i in batch])
            for i, vector in zip(batch, self._infer(inputs), strict=True):
                rows[i] = vector
        return torch.stack(rows)

    def _prepare(self, texts: list[str]) -> dict[str, Tensor]:
        encoded = self._tokenizer(
            texts, padding=True, truncation=True, max_length=self._max_tokens, return_tensors="pt"
        )
        return dict(encoded.to(self._model.device))

    def _infer(self, inputs: dict[str, Tensor]) -> Tensor:
        with torch.inference_mode():
            states: Tensor = self._model(**inputs).last_hidden_state
            if self._uses_cls:
                pooled = states[:, 0]
            else:
                mask = inputs["attention_mask"][..., None].to(states.dtype)
                pooled = (states * mask).sum(dim=1) / mask.sum(dim=1)
            return torch.nn.functional.normalize(pooled, dim=1).cpu()


def _level(embeddings: Tensor, anchors: Tensor) -> Tensor:
    """(texts, width) and (anchors, width) to (texts,): nearness to the anchors, soft maximum."""
    return _soft_mean(embeddings @ anchors.T)


def _soft_mean(similarities: Tensor) -> Tensor:
    """(texts, anchors) to (texts,): between the mean and the maximum of each row."""
    total = torch.logsumexp(SHARPNESS * similarities, dim=1)
    count = torch.isfinite(similarities).sum(dim=1)
    return (total - count.log()) / SHARPNESS


def _neutral_level(anchors: Tensor, background: Tensor) -> Tensor:
    """The mean advantage of background sentences, each measured against the other ones."""
    if len(background) == 1:
        return torch.tensor(0.0)
    among = background @ background.T
    among.fill_diagonal_(-torch.inf)
    return (_level(background, anchors) - _soft_mean(among)).mean()


def _pools_by_cls(folder: Path) -> bool:
    """True for cls pooling, False for mean pooling. Raises: ModelError for any other."""
    config = read_object(folder, POOLING_CONFIG)
    modes = {mode for mode in _POOLING_MODES if config.get(f"pooling_mode_{mode}")}
    modes |= {config["pooling_mode"]} if "pooling_mode" in config else set()
    if len(modes) != 1 or not modes <= {"cls_token", "mean_tokens", "cls", "mean"}:
        raise ModelError(f"{folder}: wrong kind: its pooling is neither mean nor cls")
    return modes.pop().startswith("cls")


def _transformer_folder(folder: Path) -> Path:
    """Where the transformer lies: the folder itself, or a folder in it in older layouts."""
    path = ""
    for module in read_json(folder, "modules.json") or []:
        kind = str(module.get("type")).rpartition(".")[2]
        if kind not in _KNOWN_MODULES:
            raise ModelError(f"{folder}: wrong kind: its {kind} layer is not supported")
        if kind == "Transformer":
            path = module.get("path", "")
    return folder / path
