"""Tiny random models of every kind, made in a second: what the tests of `models` run on."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from torch.export import Dim
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    PreTrainedTokenizerFast,
)

from models.training.export import export_encoder, export_head, feeds, quantise, to_onnx
from models.training.network import StanceNetwork

MAX_TOKENS = 48
NLI_LABELS = {
    "contradiction first": ("contradiction", "neutral", "entailment"),
    "entailment first": ("ENTAILMENT", "neutral", "contradiction"),
    "two labels": ("entailment", "not_entailment"),
}


def tokenizer() -> PreTrainedTokenizerFast:
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)] + list("0123456789.,;'")
    words = ["we", "will", "no", "not", "the", "talk", "doubt", "strike", "price", "they"]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{c}" for c in letters), *words]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        model_max_length=MAX_TOKENS,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    )


def config(names: tuple[str, ...] = ("no", "yes")) -> BertConfig:
    return BertConfig(
        vocab_size=128,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=MAX_TOKENS,
        initializer_range=0.4,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        id2label=dict(enumerate(names)),
        label2id={name: number for number, name in enumerate(names)},
    )


def save_bert(folder: Path, seed: int) -> None:
    torch.manual_seed(seed)
    BertModel(config()).save_pretrained(folder)


def save_encoder(folder: Path, pooling: str = "mean_tokens") -> Path:
    save_bert(folder, seed=5)
    tokenizer().save_pretrained(folder)
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({f"pooling_mode_{pooling}": True}))
    kinds = ["Transformer", "Pooling", "Normalize"]
    modules = [{"path": "", "type": f"sentence_transformers.models.{kind}"} for kind in kinds]
    (folder / "modules.json").write_text(json.dumps(modules))
    return folder


def save_nli(folder: Path, names: tuple[str, ...]) -> Path:
    torch.manual_seed(7)
    model = BertForSequenceClassification(config(names))
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def save_onnx_nli(folder: Path, names: tuple[str, ...]) -> Path:
    """An ONNX file beside the configuration, in the folder that exporters use; no safetensors."""
    save_nli(folder, names)
    model = BertForSequenceClassification.from_pretrained(folder)
    (folder / "onnx").mkdir()
    example = dict(tokenizer()(["we talk"], ["no"], return_tensors="pt"))
    axes = {0: Dim("batch"), 1: Dim("length")}
    to_onnx(model, example, dict.fromkeys(example, axes), "scores", folder / "onnx" / "model.onnx")
    (folder / "model.safetensors").unlink()
    return folder


def network(seed: int = 11) -> StanceNetwork:
    torch.manual_seed(seed)
    made = StanceNetwork(BertModel(config()), tokenizer())
    torch.nn.init.normal_(made.head.out.weight)  # a new head's is zero: every text the same
    return made.eval()


def save_stance(folder: Path, seed: int = 11) -> Path:
    """A folder of our own kind, made by the functions that make the packaged one."""
    made = network(seed)
    export_encoder(made, folder / "full.onnx")
    texts = ["we doubt the price", "they will talk", "no strike, no talk, not yet"]
    quantise(folder / "full.onnx", folder / "encoder.onnx", list(feeds(made, texts)))
    (folder / "full.onnx").unlink()
    export_head(made.head, folder / "head.onnx")
    made.tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    content = {
        "name": "tiny",
        "max_tokens": MAX_TOKENS,
        "pad_id": 0,
        "calibration": {"scale": 1.5, "bias": -0.5},
    }
    (folder / "stance_model.json").write_text(json.dumps(content))
    return folder
