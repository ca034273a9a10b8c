"""The convolutions of an ONNX graph, as numbers: their weights, and the patches of the image that they multiply."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

FloatArray = NDArray[np.float32]

FOLLOWERS = frozenset({"Add", "Clip", "Relu"})  # 8-bit where all that they read is
MOST_PLACES = 1024  # of one image that are looked at; neighbours say much the same


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """A convolution whose weights are constants."""

    name: str
    source: str  # the tensor that it reads
    target: str  # the tensor that it writes
    weights_name: str
    weights: FloatArray  # (outputs, inputs of a group, rows, columns)
    bias_name: str | None
    bias: FloatArray  # (outputs,)
    groups: int
    strides: tuple[int, int]
    pads: tuple[int, int, int, int]  # top, left, bottom, right

    @property
    def is_depthwise(self) -> bool:
        return self.groups > 1 and self.weights.shape[1] == 1

    @property
    def is_pointwise(self) -> bool:
        return self.groups == 1 and self.weights.shape[2:] == (1, 1) and not any(self.pads)

    def patches(self, values: FloatArray) -> FloatArray:
        """Lay out what the weights multiply: (channels, rows, columns) -> (groups, weights of an output, places)."""
        top, left, bottom, right = self.pads
        padded = np.pad(values, ((0, 0), (top, bottom), (left, right)))
        kernel = self.weights.shape[2:]
        windows = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(1, 2))
        windows = windows[:, :: self.strides[0], :: self.strides[1]].reshape(len(values), -1, kernel[0] * kernel[1])
        chosen = windows[:, :: -(-windows.shape[1] // MOST_PLACES)]
        return chosen.transpose(0, 2, 1).reshape(self.groups, -1, chosen.shape[1])


def convolutions_of(model: onnx.ModelProto) -> tuple[Convolution, ...]:
    """Give those convolutions that can be quantised: two axes, no dilation, weights that are constants."""
    return tuple(_convolutions(model))


def _convolutions(model: onnx.ModelProto) -> Iterator[Convolution]:
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type != "Conv" or node.input[1] not in constants:
            continue
        said = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        weights = np.asarray(constants[node.input[1]], np.float32)
        if weights.ndim != 4 or set(said.get("dilations", [1])) != {1} or said.get("auto_pad", b"NOTSET") != b"NOTSET":  # noqa: PLR2004 - a plane
            continue
        bias_name = node.input[2] if len(node.input) > 2 else None  # noqa: PLR2004 - image, weights, bias
        bias = constants[bias_name] if bias_name else np.zeros(len(weights))
        rows, columns = said.get("strides", [1, 1])
        top, left, bottom, right = said.get("pads", [0, 0, 0, 0])
        yield Convolution(
            name=node.name,
            source=node.input[0],
            target=node.output[0],
            weights_name=node.input[1],
            weights=weights,
            bias_name=bias_name,
            bias=np.asarray(bias, np.float32),
            groups=said.get("group", 1),
            strides=(rows, columns),
            pads=(top, left, bottom, right),
        )


def with_own_constants(model: onnx.ModelProto) -> onnx.ModelProto:
    """Give the same network without constants that two nodes share: exporters keep equal ones once."""
    same = onnx.ModelProto()
    same.CopyFrom(model)
    constants = {tensor.name: tensor for tensor in same.graph.initializer}
    taken: set[str] = set()
    for node in same.graph.node:
        for place, name in enumerate(node.input):
            if name in constants and name in taken:
                own = same.graph.initializer.add()
                own.CopyFrom(constants[name])
                own.name = node.input[place] = f"{name}.{node.name}.{place}"
            taken.add(name)
    return same


def last_convolutions(model: onnx.ModelProto) -> frozenset[str]:
    """Names of the convolutions after which no other comes: they give the maps."""
    readers = _readers(model)
    return frozenset(
        node.name
        for node in model.graph.node
        if node.op_type == "Conv" and not any(later.op_type == "Conv" for later in _after(node, readers))
    )


def depths(model: onnx.ModelProto) -> dict[str, int]:
    """Count, for each convolution's name, those before it on the longest way from the image."""
    depth_of: dict[str, int] = {}
    passed: dict[str, int] = {}  # convolutions up to a tensor
    for node in model.graph.node:  # ONNX keeps nodes in an order in which they can be computed
        before = max((passed.get(tensor, 0) for tensor in node.input), default=0)
        if node.op_type == "Conv":
            depth_of[node.name] = before
        passed.update(dict.fromkeys(node.output, before + (node.op_type == "Conv")))
    return depth_of


def nodes_between(model: onnx.ModelProto, chosen: frozenset[str]) -> list[str]:
    """Name the convolutions `chosen`, what clips their values, and the sums of two such values."""
    maker = {output: node.name for node in model.graph.node for output in node.output}
    names: list[str] = []
    for node in model.graph.node:
        read = node.input if node.op_type == "Add" else node.input[:1]
        follows = node.op_type in FOLLOWERS and all(maker.get(tensor) in names for tensor in read)
        if node.name in chosen or follows:
            names.append(node.name)
    return names


def _readers(model: onnx.ModelProto) -> dict[str, list[onnx.NodeProto]]:
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    return readers


def _after(node: onnx.NodeProto, readers: dict[str, list[onnx.NodeProto]]) -> Iterator[onnx.NodeProto]:
    seen: set[str] = set()
    waiting = list(node.output)
    while waiting:
        for later in readers.get(waiting.pop(), []):
            if later.name not in seen:
                seen.add(later.name)
                waiting.extend(later.output)
                yield later
