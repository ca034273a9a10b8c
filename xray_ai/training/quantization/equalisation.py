"""Channels that no rectifier bends are centred and brought to one span, so that 8 bits serve each of them well.

Between linear bottlenecks an offset and a factor of a channel can move from the convolution that writes it to those
that read it: the network computes what it computed (the idea of Nagel et al., ICCV 2019, where it is exact).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from xray_ai.training.quantization.convolutions import Convolution, convolutions_of

FloatArray = NDArray[np.float64]

LARGEST_FACTOR = 32.0  # a channel that is all but silent is not blown up further


@dataclass(frozen=True, slots=True)
class Stream:
    """Tensors that are added to each other, so that their channels must have one factor."""

    writers: tuple[str, ...]  # tensors that convolutions write
    sums: tuple[tuple[str, tuple[str, ...]], ...]  # tensors that are sums of earlier ones, in order

    @property
    def tensors(self) -> tuple[str, ...]:
        return (*self.writers, *(name for name, _ in self.sums))


def streams_of(model: onnx.ModelProto) -> tuple[Stream, ...]:
    """Find the streams that convolutions write, and only pointwise convolutions and sums read."""
    convolutions = {convolution.name: convolution for convolution in convolutions_of(model)}
    group_of: dict[str, list[str]] = {}
    summands: dict[str, tuple[str, ...]] = {}
    for node in model.graph.node:
        if node.name in convolutions and convolutions[node.name].bias_name:
            group_of[node.output[0]] = [node.output[0]]
        elif node.op_type == "Add" and all(name in group_of for name in node.input):
            summands[node.output[0]] = tuple(node.input)
            joined = [*dict.fromkeys(name for source in node.input for name in group_of[source]), node.output[0]]
            group_of.update(dict.fromkeys(joined, joined))
    kept = _kept_tensors(model, convolutions, frozenset(summands))
    groups = {id(group): group for group in group_of.values()}.values()
    return tuple(
        Stream(
            tuple(name for name in group if name not in summands),
            tuple((name, summands[name]) for name in group if name in summands),
        )
        for group in groups
        if kept.isdisjoint(group)
    )


def equalised(model: onnx.ModelProto, spans: Mapping[str, FloatArray]) -> onnx.ModelProto:
    """Give the same network with equal channels; `spans`: lowest and highest values, (2, channels)."""
    same = onnx.ModelProto()
    same.CopyFrom(model)
    constants = {tensor.name: tensor for tensor in same.graph.initializer}
    for stream in streams_of(model):
        shifts = _shifts(stream, spans)
        reach = np.max([np.abs(spans[name] + shifts[name]).max(axis=0) for name in stream.tensors], axis=0)
        factors = 1 / np.maximum(reach, max(reach.max() / LARGEST_FACTOR, float(np.finfo(np.float32).tiny)))
        for part in convolutions_of(same):
            _move(part, shifts, factors, constants)
    return same


def _move(
    part: Convolution,
    shifts: Mapping[str, FloatArray],
    factors: FloatArray,
    constants: Mapping[str, onnx.TensorProto],
) -> None:
    """Let a convolution that writes into the stream shift and scale, and one that reads it take that back."""
    weights, bias = part.weights.astype(np.float64), part.bias.astype(np.float64)
    if part.target in shifts:
        weights, bias = weights * factors[:, None, None, None], (bias + shifts[part.target]) * factors
    if part.source in shifts:
        bias = bias - weights[:, :, 0, 0] @ shifts[part.source]
        weights = weights / factors[:, None, None]
    for name, values in ((part.weights_name, weights), (part.bias_name, bias)):
        if name:
            constants[name].CopyFrom(numpy_helper.from_array(values.astype(np.float32), name))


def _shifts(stream: Stream, spans: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Centre what convolutions write; a sum is shifted by its summands together."""
    shifts = {name: -spans[name].mean(axis=0) for name in stream.writers}
    for name, parts in stream.sums:
        shifts[name] = np.sum([shifts[part] for part in parts], axis=0)
    return shifts


def _kept_tensors(
    model: onnx.ModelProto, convolutions: Mapping[str, Convolution], sums: frozenset[str]
) -> frozenset[str]:
    """Name tensors that something else reads, or that leave the graph: their values must stay."""
    kept = {tensor.name for tensor in model.graph.output}
    for node in model.graph.node:
        part = convolutions.get(node.name)
        if not (part and part.is_pointwise and part.bias_name) and not (sums & set(node.output)):
            kept.update(node.input)
    return frozenset(kept)
