"""The network that is trained: one encoder for quotes and hypotheses, one head for their pairs.

`u` is a quote's vector, `v` a hypothesis': mean-pooled, normalised to length sqrt(width). The head
sees u, v, |u-v| and u*v (Conneau et al. 2017, InferSent) and adds a scaled cosine, which is what
carries over to hypotheses never trained on. Quotes pass the encoder once, whatever the labels are.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

HIDDEN = 128
MAX_TOKENS = 128


class Head(nn.Module):
    """Logits of "the hypothesis holds" for every pair of quote and hypothesis."""

    def __init__(self, width: int, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.quote = nn.Linear(width, hidden)
        self.hypothesis = nn.Linear(width, hidden, bias=False)
        self.difference = nn.Linear(width, hidden, bias=False)
        self.product = nn.Linear(width, hidden, bias=False)
        self.out = nn.Linear(hidden, 1)
        self.cosine = nn.Parameter(torch.tensor(5.0))
        nn.init.zeros_(self.out.weight)
        nn.init.constant_(self.out.bias, -2.0)

    def forward(self, quotes: Tensor, hypotheses: Tensor) -> Tensor:
        """(quotes, width) and (hypotheses, width) to (quotes, hypotheses)."""
        u, v = quotes, hypotheses
        apart = (u[:, None] - v[None]).abs()
        both = u[:, None] * v[None]
        hidden = self.quote(u)[:, None] + self.hypothesis(v)[None]
        hidden = nn.functional.gelu(hidden + self.difference(apart) + self.product(both))
        cosine = u @ v.T / u.shape[1]
        logits: Tensor = self.out(hidden)[..., 0] + self.cosine * cosine
        return logits


class StanceNetwork(nn.Module):
    """Encoder and head; `tokenizer` belongs to the encoder."""

    def __init__(self, encoder: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        super().__init__()
        self.encoder = encoder
        self.tokenizer = tokenizer
        self.width: int = encoder.config.hidden_size
        self.head = Head(self.width)

    @classmethod
    def from_base(cls, folder: Path, layers: int) -> "StanceNetwork":
        """A new network on the first `layers` layers of the encoder in `folder`.

        Word embeddings stay as they are: the quotes show few of the words, and the rest must not
        fall behind. No dropout: few passes over varied texts do not overfit, and it costs a third
        of the time.
        """
        encoder = AutoModel.from_pretrained(
            folder,
            dtype=torch.float32,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            local_files_only=True,
            use_safetensors=True,
        )
        encoder.encoder.layer = encoder.encoder.layer[:layers]
        encoder.config.num_hidden_layers = layers
        encoder.embeddings.word_embeddings.weight.requires_grad_(False)
        return cls(encoder, AutoTokenizer.from_pretrained(folder, local_files_only=True))

    def embed(self, texts: list[str]) -> Tensor:
        """(texts, width), each row of length sqrt(width)."""
        inputs = self.tokenizer(
            texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        ).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            states = self.encoder(**inputs).last_hidden_state
        return pool(states.float(), inputs["attention_mask"])

    def embed_both(self, texts: list[str], hypotheses: list[str]) -> tuple[Tensor, Tensor]:
        """`embed` for both, in one context of lower precision: it casts the weights once."""
        with torch.autocast(self.device.type, torch.bfloat16):
            return self.embed(texts), self.embed(hypotheses)

    @torch.inference_mode()
    def embed_all(self, texts: list[str], batch: int = 64) -> Tensor:
        """`embed` without gradients for any number of texts, in the texts' order."""
        self.eval()
        order = np.argsort(self.lengths(texts), kind="stable").tolist()
        rows = torch.empty(len(texts), self.width)
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            rows[chosen] = self.embed([texts[i] for i in chosen]).cpu()
        return rows

    def lengths(self, texts: list[str]) -> list[int]:
        """How many tokens each text has."""
        encoded = self.tokenizer(texts, truncation=True, max_length=MAX_TOKENS)
        return [len(ids) for ids in encoded["input_ids"]]

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.head.cosine.device


def pool(states: Tensor, attention_mask: Tensor) -> Tensor:
    """(texts, tokens, width) to (texts, width): mean over the real tokens, length sqrt(width)."""
    mask = attention_mask[..., None].to(states.dtype)
    mean = (states * mask).sum(dim=1) / mask.sum(dim=1)
    pooled: Tensor = nn.functional.normalize(mean, dim=1) * mean.shape[1] ** 0.5
    return pooled
