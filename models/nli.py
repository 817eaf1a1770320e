"""Entailment model as a zero-shot classifier: whether the text entails the hypothesis.

One pass for every pair of text and hypothesis, with ONNX Runtime when the folder has an ONNX file,
else with torch. The method is that of Yin et al. 2019, "Benchmarking Zero-shot Text
Classification"; the scores equal those of transformers' zero-shot-classification pipeline with
`multi_label=True` and `hypothesis_template="{}"`.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModelForSequenceClassification

from models.batches import BATCH_CHARS, batches_by_length, encodable
from models.classifier import EncodedText
from models.errors import ModelError
from models.folder import ONNX_FILES, is_entailment_label, weights_version
from models.labels import LabelSet
from models.pretrained import (
    encode_texts,
    load_config,
    load_tokenizer,
    load_weights,
    max_tokens,
)
from models.sessions import open_session


class EntailmentModel:
    """Scores a label by its best hypothesis: entailment against contradiction.

    `folder` holds a sequence classifier with an entailment label. `threads` is for ONNX Runtime;
    None: one a core. Raises: ModelError.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        labels: LabelSet,
        threads: int | None = None,
    ) -> None:
        config = load_config(folder)
        onnx = next((file for file in ONNX_FILES if (folder / file).is_file()), None)
        self._tokenizer = load_tokenizer(folder)
        self._run = _onnx_runner(folder / onnx, threads) if onnx else _torch_runner(folder)
        self._columns = _logit_columns(folder, config.label2id or {})
        self._max_tokens = max_tokens(self._tokenizer, config)
        self.parallel_calls = 1  # that call uses all threads
        self._lock = threading.Lock()  # a fast tokenizer cannot be used by two threads at once
        self.name = name
        self.version = weights_version(folder, onnx or "*.safetensors")
        self.labels = labels
        self._hypotheses = [h for label in labels.labels for h in label.hypotheses]

    def encode(self, texts: Sequence[str]) -> list[EncodedText]:
        """See Classifier; the hypotheses' tokens, the same for each, are not counted."""
        with self._lock:
            return encode_texts(self._tokenizer, texts)

    def score_encoded(self, batch: Sequence[EncodedText]) -> list[dict[str, float]]:
        """See Classifier."""
        return self.score([one.text for one in batch])

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """One dict a text; see Classifier."""
        if not texts:
            return []
        pairs = [(encodable(text), h) for text in texts for h in self._hypotheses]
        with self._lock:
            entailed = self._entailed(pairs)
        return self._decode(entailed.reshape(len(texts), len(self._hypotheses)))

    def _entailed(self, pairs: list[tuple[str, str]]) -> Tensor:
        """(pairs,): in [0, 1], in the pairs' order."""
        results = torch.empty(len(pairs))
        lengths = [len(text) + len(hypothesis) for text, hypothesis in pairs]
        for batch in batches_by_length(lengths, BATCH_CHARS):
            results[batch] = self._infer(self._prepare([pairs[i] for i in batch]))
        return results

    def _prepare(self, pairs: list[tuple[str, str]]) -> dict[str, Tensor]:
        encoded = self._tokenizer(
            [text for text, _ in pairs],
            [hypothesis for _, hypothesis in pairs],
            padding=True,
            truncation="only_first",
            max_length=self._max_tokens,
            return_tensors="pt",
        )
        return dict(encoded)

    def _infer(self, inputs: dict[str, Tensor]) -> Tensor:
        return self._run(inputs)[:, self._columns].softmax(dim=1)[:, 1]

    def _decode(self, entailed: Tensor) -> list[dict[str, float]]:
        """(texts, hypotheses) to one dict a text: the best hypothesis of each label."""
        sizes = [len(label.hypotheses) for label in self.labels.labels]
        columns = [part.amax(dim=1) for part in torch.split(entailed, sizes, dim=1)]
        rows = torch.stack(columns, dim=1).tolist()
        return [dict(zip(self.labels.names, row, strict=True)) for row in rows]


def _torch_runner(folder: Path) -> Callable[[dict[str, Tensor]], Tensor]:
    model = load_weights(AutoModelForSequenceClassification, folder)

    def run(inputs: dict[str, Tensor]) -> Tensor:
        with torch.inference_mode():
            logits: Tensor = model(**{k: v.to(model.device) for k, v in inputs.items()}).logits
            return logits.cpu()

    return run


def _onnx_runner(path: Path, threads: int | None) -> Callable[[dict[str, Tensor]], Tensor]:
    session = open_session(path, threads)
    wanted = [node.name for node in session.get_inputs()]

    def run(inputs: dict[str, Tensor]) -> Tensor:
        return torch.from_numpy(session.run(None, {k: inputs[k].numpy() for k in wanted})[0])

    return run


def _logit_columns(folder: Path, label2id: Mapping[str, int | str]) -> list[int]:
    """Columns of contradiction and entailment, found the way transformers' pipeline does."""
    entailment = next((int(i) for name, i in label2id.items() if is_entailment_label(name)), None)
    if entailment is None or len(label2id) < 2:
        raise ModelError(f"{folder}: wrong kind: needs an entailment label and one beside it")
    return [-1 if entailment == 0 else 0, entailment]
