"""Builds the ONNX graph of a BERT-style sentence encoder from its weights; no torch needed.

The graph takes ``input_ids`` and ``attention_mask`` (both int64, batch x tokens) and gives weighted
means of the tokens, of length one (float32, batch x width): ``embedding`` of the last layer, which
is what the encoder was trained to give, and ``middle`` of the layer at two thirds of the height,
which still knows how something was said (a question, a wish, a complaint) and not only what about.
The architecture is BERT's (https://arxiv.org/abs/1810.04805); the names of the weights are those
of its files on disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = npt.NDArray[Any]

OPSET = 17
OUTPUTS = ("embedding", "middle")
# Where BERT's vocabulary begins with words; single signs and rare letters stand before them.
_FIRST_WORD = 1996
# Chosen on BANKING77's training part; between 0.003 and 0.03 hardly anything changes.
_SMOOTHING, _ZIPF_OFFSET = 0.03, 2.7
_FAR_BELOW = -1e4  # added to the scores of padding; small enough that softmax gives it nothing
# Weights take 7 bits of their 8: without VNNI, x86 adds two products of uint8 x int8 in 16 bits,
# which would overflow. So all processors give the same numbers.
_INT8_MAX = 63


@dataclass(frozen=True)
class Shape:
    """The sizes of an encoder, as its ``config.json`` gives them."""

    layers: int
    heads: int
    width: int
    norm_eps: float

    @property
    def middle(self) -> int:
        """The layer, counted from one, whose mean is the second output."""
        return max(1, self.layers * 2 // 3)

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Shape:
        """Reads ``config.json``.

        Raises:
            ValueError: It is not a BERT encoder with the usual positions and activation.
        """
        expected = {
            "model_type": "bert",
            "hidden_act": "gelu",
            "position_embedding_type": "absolute",
        }
        for key, value in expected.items():
            if config.get(key, value) != value:
                raise ValueError(f"{key} is {config[key]!r}, only {value!r} can be built")
        return cls(
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            width=config["hidden_size"],
            norm_eps=config["layer_norm_eps"],
        )


def token_weights(vocabulary: Mapping[str, int]) -> Array | None:
    """How much each token counts in the mean: usual words less, as they say little.

    Smooth inverse frequency (Arora et al. 2017, https://openreview.net/forum?id=SyK00v5xx), with
    frequency by Zipf's law from a word's place in the vocabulary.

    Returns:
        A number up to one for each token, float32; None where the vocabulary is not that of BERT's
        uncased English encoders, whose words stand in the order of their frequency.
    """
    first = vocabulary.get("the")
    if first != _FIRST_WORD:
        return None
    ranks = np.maximum(np.arange(len(vocabulary)) - first, 0) + _ZIPF_OFFSET
    shares = 1 / ranks / np.sum(1 / ranks)
    weights = np.asarray(_SMOOTHING / (_SMOOTHING + shares), np.float32)
    for name in ("[CLS]", "[SEP]"):
        weights[vocabulary[name]] = _SMOOTHING
    return weights


def build(
    weights: Mapping[str, Array],
    shape: Shape,
    int8: bool = True,
    counts: Array | None = None,
) -> bytes:
    """The serialized ONNX model.

    Args:
        weights: All tensors of the encoder by name.
        shape: Its sizes.
        int8: Store weights in 8 bits, a scale for each output channel, and multiply in integers:
            a quarter of the size, three times as fast, cosine to the full numbers above 0.99.
        counts: How much each token counts in the means, as `token_weights` gives it; None: alike.

    Raises:
        KeyError: A tensor is missing.
    """
    return _Builder(weights, shape, int8, counts).build()


class _Builder:
    def __init__(
        self, weights: Mapping[str, Array], shape: Shape, int8: bool, counts: Array | None
    ) -> None:
        self._weights, self._shape, self._int8 = weights, shape, int8
        self._counts = counts
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._quantized_inputs: dict[str, tuple[str, str, str]] = {}

    def build(self) -> bytes:
        mask = self._op("Cast", "attention_mask", to=TensorProto.FLOAT)
        hidden = self._embed()
        bias = self._mask_bias(mask)
        if self._counts is not None:
            own = self._op("Gather", self._constant("counts", self._counts), "input_ids")
            mask = self._op("Mul", mask, own)
        for number in range(self._shape.layers):
            hidden = self._layer(f"encoder.layer.{number}.", hidden, bias)
            if number + 1 == self._shape.middle:
                self._pool(hidden, mask, OUTPUTS[1])
        self._pool(hidden, mask, OUTPUTS[0])
        return self._model()

    def _model(self) -> bytes:
        dims = ["batch", "tokens"]
        graph = helper.make_graph(
            self._nodes,
            "sentence_encoder",
            [
                helper.make_tensor_value_info(name, TensorProto.INT64, dims)
                for name in ("input_ids", "attention_mask")
            ],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", self._shape.width])
                for name in OUTPUTS
            ],
            list(self._constants.values()),
        )
        # IR version 8 goes with opset 17; a newer one would shut out older runtimes.
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8
        )
        onnx.checker.check_model(model)
        serialized: bytes = model.SerializeToString()
        return serialized

    # --- the parts of the network ---

    def _embed(self) -> str:
        words = self._weights["embeddings.word_embeddings.weight"]
        # There is only one sentence, so its type vector can go into every position for good.
        positions = (
            self._weights["embeddings.position_embeddings.weight"]
            + self._weights["embeddings.token_type_embeddings.weight"][0]
        )
        if self._int8:
            stored, scales = _quantize(words, axis=1)
            rows = self._op("Gather", self._constant("words", stored), "input_ids")
            scale = self._op("Gather", self._constant("word_scales", scales), "input_ids")
            word = self._op("Mul", self._op("Cast", rows, to=TensorProto.FLOAT), scale)
        else:
            word = self._op("Gather", self._constant("words", words), "input_ids")
        length = self._op("Shape", "input_ids", start=1, end=2)
        position = self._op(
            "Slice",
            self._constant("positions", positions),
            self._constant("first", np.array([0])),
            length,
        )
        return self._norm("embeddings.LayerNorm", self._op("Add", word, position))

    def _mask_bias(self, mask: str) -> str:
        wide = self._op("Unsqueeze", mask, self._constant("head_axes", np.array([1, 2])))
        padding = self._op("Sub", self._number("one", 1.0), wide)
        return self._op("Mul", padding, self._number("far_below", _FAR_BELOW))

    def _layer(self, name: str, hidden: str, bias: str) -> str:
        attended = self._attention(f"{name}attention.", hidden, bias)
        hidden = self._norm(f"{name}attention.output.LayerNorm", self._op("Add", attended, hidden))
        inner = self._gelu(self._dense(f"{name}intermediate.dense", hidden))
        outer = self._dense(f"{name}output.dense", inner)
        return self._norm(f"{name}output.LayerNorm", self._op("Add", outer, hidden))

    def _attention(self, name: str, hidden: str, bias: str) -> str:
        heads, width = self._shape.heads, self._shape.width
        size = width // heads
        parts = [f"{name}self.{part}" for part in ("query", "key", "value")]
        # One product for all three is faster than three. The scale goes into the query.
        scales = [size**-0.5, 1.0, 1.0]
        matrix = np.concatenate(
            [self._weights[f"{p}.weight"].T * s for p, s in zip(parts, scales, strict=True)], axis=1
        )
        offset = np.concatenate(
            [self._weights[f"{p}.bias"] * s for p, s in zip(parts, scales, strict=True)]
        )
        merged = self._product(f"{name}qkv", hidden, matrix, offset)
        split = self._op(
            "Reshape", merged, self._constant("qkv_shape", np.array([0, 0, 3, heads, size]))
        )
        sides = {"query": [0, 2, 1, 3], "key": [0, 2, 3, 1], "value": [0, 2, 1, 3]}
        query, key, value = (
            self._op(
                "Transpose",
                self._op("Gather", split, self._constant(f"part{i}", np.array(i)), axis=2),
                perm=order,
            )
            for i, order in enumerate(sides.values())
        )
        scores = self._op("Add", self._op("MatMul", query, key), bias)
        mixed = self._op("MatMul", self._op("Softmax", scores, axis=-1), value)
        joined = self._op(
            "Reshape",
            self._op("Transpose", mixed, perm=[0, 2, 1, 3]),
            self._constant("joined_shape", np.array([0, 0, width])),
        )
        return self._dense(f"{name}output.dense", joined)

    def _gelu(self, x: str) -> str:
        erf = self._op("Erf", self._op("Div", x, self._number("sqrt2", 2.0**0.5)))
        grown = self._op("Mul", x, self._op("Add", erf, self._number("one", 1.0)))
        return self._op("Mul", grown, self._number("half", 0.5))

    def _pool(self, hidden: str, counts: str, output: str) -> None:
        weight = self._op("Unsqueeze", counts, self._constant("last", np.array([-1])))
        axis = self._constant("token_axis", np.array([1]))
        total = self._op("ReduceSum", self._op("Mul", hidden, weight), axis, keepdims=0)
        count = self._op("ReduceSum", weight, axis, keepdims=0)
        mean = self._op("Div", total, self._op("Max", count, self._number("tiny", 1e-9)))
        length = self._op("ReduceL2", mean, axes=[-1], keepdims=1)
        safe = self._op("Max", length, self._number("tiny_length", 1e-12))
        self._nodes.append(helper.make_node("Div", [mean, safe], [output]))

    # --- the building stones ---

    def _norm(self, name: str, x: str) -> str:
        scale = self._constant(f"{name}.weight", self._weights[f"{name}.weight"])
        offset = self._constant(f"{name}.bias", self._weights[f"{name}.bias"])
        return self._op(
            "LayerNormalization", x, scale, offset, axis=-1, epsilon=self._shape.norm_eps
        )

    def _dense(self, name: str, x: str) -> str:
        return self._product(
            name, x, self._weights[f"{name}.weight"].T, self._weights[f"{name}.bias"]
        )

    def _product(self, name: str, x: str, matrix: Array, offset: Array) -> str:
        """``x @ matrix + offset``; the operators are those that onnxruntime fuses into one."""
        bias = self._constant(f"{name}.bias", offset)
        if not self._int8:
            weight = self._constant(f"{name}.weight", matrix)
            return self._op("Add", self._op("MatMul", x, weight), bias)
        stored, scales = _quantize(matrix, axis=0)
        weight = self._constant(f"{name}.weight", stored)
        channel = self._constant(f"{name}.scale", scales[0])
        zero = self._constant("zero", np.array(0, np.int8))
        quantized, scale, zero_point = self._quantize_input(x)
        integers = self._op("MatMulInteger", quantized, weight, zero_point, zero)
        numbers = self._op("Cast", integers, to=TensorProto.FLOAT)
        scaled = self._op("Mul", numbers, self._op("Mul", scale, channel))
        return self._op("Add", scaled, bias)

    def _quantize_input(self, x: str) -> tuple[str, str, str]:
        if x not in self._quantized_inputs:
            names = (f"{x}.int8", f"{x}.scale", f"{x}.zero")
            self._nodes.append(helper.make_node("DynamicQuantizeLinear", [x], list(names)))
            self._quantized_inputs[x] = names
        return self._quantized_inputs[x]

    def _op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        output = f"{kind}.{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def _number(self, name: str, value: float) -> str:
        return self._constant(name, np.array(value, np.float32))

    def _constant(self, name: str, value: Array) -> str:
        if name not in self._constants:
            # numpy's own "make contiguous" would turn a single number into a list of one.
            self._constants[name] = numpy_helper.from_array(value.copy(order="C"), name)
        return name


def _quantize(matrix: Array, axis: int) -> tuple[Array, Array]:
    """Whole numbers in [-63, 63] and the scale that each line along `axis` shares."""
    scales = np.abs(matrix).max(axis=axis, keepdims=True) / _INT8_MAX
    scales = np.where(scales == 0, 1, scales).astype(np.float32)
    return np.round(matrix / scales).astype(np.int8), scales
