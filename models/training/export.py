"""From the trained student to the files that are shipped: ONNX with int8 weights and activations.

Activations get fixed scales, measured once on training quotes, in place of ONNX Runtime's dynamic
ones: those depend on everything in the batch, so the same quote would score differently beside
other quotes. Products are written as the operator of ONNX Runtime that scales its result and adds
the bias in one go.
"""

import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn
from torch.export import Dim

from models.training.network import MAX_TOKENS, Head, StanceNetwork, pool

OUTPUT = "vector"
_ORT_DOMAIN = "com.microsoft"


class _Encoder(nn.Module):
    """Token ids to pooled vectors: what the ONNX file computes."""

    def __init__(self, network: StanceNetwork) -> None:
        super().__init__()
        self.encoder = network.encoder

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return pool(states, attention_mask)


def export_encoder(network: StanceNetwork, path: Path) -> None:
    """Write the encoder with pooling to `path`, in full precision, any batch and length."""
    texts = ["a text", "and a longer one"]
    inputs = dict(network.tokenizer(texts, padding=True, return_tensors="pt"))
    axes = {0: Dim("batch"), 1: Dim("length")}
    example = {name: inputs[name] for name in ("input_ids", "attention_mask")}
    to_onnx(_Encoder(network), example, dict.fromkeys(example, axes), OUTPUT, path)


def export_head(head: Head, path: Path) -> None:
    """Write the head to `path`, in full precision, for any number of quotes and hypotheses."""
    width = head.quote.in_features
    example = {"quotes": torch.randn(3, width), "hypotheses": torch.randn(5, width)}
    axes = {name: {0: Dim(name)} for name in example}
    to_onnx(head, example, axes, "logits", path)


def to_onnx(
    module: nn.Module,
    example: dict[str, Tensor],
    axes: dict[str, dict[int, Dim]],
    output: str,
    path: Path,
) -> None:
    """Write `module` to one ONNX file; `example` holds its inputs by name, `axes` what may vary."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():  # the exporter trips over its own deprecations
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            kwargs=example,
            f=path,
            input_names=list(example),
            output_names=[output],
            dynamic_shapes=axes,
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def quantise(full: Path, path: Path, feeds: Sequence[dict[str, NDArray[np.int64]]]) -> None:
    """Write `full` with int8 weights and activations to `path`; `feeds` are typical inputs."""
    quantize_dynamic(
        full,
        path,
        weight_type=QuantType.QInt8,
        per_channel=True,
        # Seven bits: with eight, processors without VNNI instructions overflow and score otherwise.
        reduce_range=True,
        op_types_to_quantize=["MatMul", "Gather"],
    )
    model = onnx.load(path)
    dynamic = [node for node in model.graph.node if node.op_type == "DynamicQuantizeLinear"]
    ranges = _ranges(full, [node.input[0] for node in dynamic], feeds)
    for node in dynamic:
        _fix_scale(model, node, *ranges[node.input[0]])
    for node in [node for node in model.graph.node if node.op_type == "MatMulInteger"]:
        _fuse_product(model.graph, node)
    model.opset_import.append(helper.make_opsetid(_ORT_DOMAIN, 1))
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _ranges(
    full: Path, names: Sequence[str], feeds: Sequence[dict[str, NDArray[np.int64]]]
) -> dict[str, tuple[float, float]]:
    """Lowest and highest value to represent, by tensor; zero always lies between them."""
    model = onnx.load(full)
    known = {output.name for output in model.graph.output}
    model.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        for name in names
        if name not in known
    )
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    low, high = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    for feed in feeds:
        for name, values in zip(names, session.run(list(names), feed), strict=True):
            # Clipping the rarest values would give the rest finer steps, but they carry much: with
            # one in ten thousand clipped, scores move four times as far.
            low[name] = min(low[name], float(values.min()))
            high[name] = max(high[name], float(values.max()))
    return {name: (low[name], high[name]) for name in names}


def _fix_scale(model: ModelProto, node: NodeProto, low: float, high: float) -> None:
    """Put QuantizeLinear with a constant scale in the place of a DynamicQuantizeLinear node."""
    scale = (high - low) / 255 or 1.0
    zero = round(-low / scale)
    quantised, scale_name, zero_name = node.output
    model.graph.initializer.extend(
        [
            numpy_helper.from_array(np.array(scale, np.float32), scale_name),
            numpy_helper.from_array(np.array(zero, np.uint8), zero_name),
        ]
    )
    place = list(model.graph.node).index(node)
    model.graph.node.remove(node)
    fixed = helper.make_node("QuantizeLinear", [node.input[0], scale_name, zero_name], [quantised])
    model.graph.node.insert(place, fixed)


def _fuse_product(graph: GraphProto, product: NodeProto) -> None:
    """Put one MatMulIntegerToFloat in the place of MatMulInteger, Cast, Mul by the scales, Add.

    ONNX Runtime does so by itself where the scale is dynamic, but not where it is fixed; the passes
    over the int32 result that it saves are a fifth of the time.
    """
    cast = _only_user(graph, product)
    scaled = _only_user(graph, cast)
    added = _only_user(graph, scaled)
    scales = next(node for node in graph.node if node.output[0] == scaled.input[1])
    bias = next(name for name in added.input if name != scaled.output[0])
    fused = helper.make_node(
        "MatMulIntegerToFloat",
        [*product.input[:2], *scales.input, *product.input[2:], bias],
        [added.output[0]],
        domain=_ORT_DOMAIN,
    )
    graph.node.insert(list(graph.node).index(added), fused)
    for node in (product, cast, scaled, added, scales):
        graph.node.remove(node)


def _only_user(graph: GraphProto, node: NodeProto) -> NodeProto:
    users: list[NodeProto] = [other for other in graph.node if node.output[0] in other.input]
    (user,) = users
    return user


def feeds(
    network: StanceNetwork, texts: Sequence[str], batch: int = 32
) -> Iterator[dict[str, NDArray[np.int64]]]:
    """Inputs for an exported encoder, in batches of the texts given."""
    for start in range(0, len(texts), batch):
        inputs = network.tokenizer(
            list(texts[start : start + batch]),
            padding=True,
            truncation=True,
            max_length=MAX_TOKENS,
            return_tensors="np",
        )
        yield {name: inputs[name].astype(np.int64) for name in ("input_ids", "attention_mask")}
