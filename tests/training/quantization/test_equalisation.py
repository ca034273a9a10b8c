"""Equal channels are a matter of bookkeeping: the network computes what it computed."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from xray_ai.inference.session import Device, Session
from xray_ai.training.quantization.convolutions import with_own_constants
from xray_ai.training.quantization.equalisation import equalised, streams_of

pytestmark = pytest.mark.training

Values = NDArray[np.float32]

SIDE = 6
LOUDNESS = np.array([1.0, 40.0, 0.02, 5.0], np.float32)


def a_bottleneck() -> onnx.ModelProto:
    """Two pointwise layers whose values are summed and read by a third; their channels differ in loudness."""
    draw = np.random.default_rng(3)
    sizes = {"narrow": (4, 1), "again": (4, 4), "wide": (3, 4)}
    weights = {name: draw.normal(size=(*size, 1, 1)).astype(np.float32) for name, size in sizes.items()}
    weights["narrow"] *= LOUDNESS[:, None, None, None]
    biases = {name: draw.normal(size=size[0]).astype(np.float32) for name, size in sizes.items()}
    reads = {"narrow": "image", "again": "narrow_out", "wide": "sum"}
    nodes = [
        helper.make_node("Conv", [reads[name], f"{name}_w", f"{name}_b"], [f"{name}_out"], name=name) for name in sizes
    ]
    nodes.insert(2, helper.make_node("Add", ["narrow_out", "again_out"], ["sum"], name="sum"))
    constants = {f"{name}_w": values for name, values in weights.items()} | {
        f"{name}_b": values for name, values in biases.items()
    }
    graph = helper.make_graph(
        nodes,
        "bottleneck",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, SIDE, SIDE])],
        [helper.make_tensor_value_info("wide_out", TensorProto.FLOAT, ["N", 3, SIDE, SIDE])],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def some_images() -> Values:
    return np.random.default_rng(4).normal(size=(5, 1, SIDE, SIDE)).astype(np.float32)


def values_of(model: onnx.ModelProto, folder: Path, *names: str) -> tuple[Values, ...]:
    opened = onnx.ModelProto.FromString(model.SerializeToString())
    given = {tensor.name for tensor in model.graph.output}
    opened.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names if name not in given)
    onnx.save(opened, folder / "opened.onnx")
    return Session(folder / "opened.onnx", Device.CPU).run(some_images(), names)


def spans_of(model: onnx.ModelProto, folder: Path) -> dict[str, NDArray[np.float64]]:
    names = streams_of(model)[0].tensors
    axes = (0, 2, 3)
    return {
        name: np.stack([values.min(axis=axes), values.max(axis=axes)]).astype(np.float64)
        for name, values in zip(names, values_of(model, folder, *names), strict=True)
    }


def test_values_that_are_added_to_each_other_are_one_stream() -> None:
    (stream,) = streams_of(a_bottleneck())

    assert stream.writers == ("narrow_out", "again_out")
    assert stream.sums == (("sum", ("narrow_out", "again_out")),)


def test_the_network_computes_what_it_computed(tmp_path: Path) -> None:
    model = a_bottleneck()

    same = equalised(model, spans_of(model, tmp_path))

    expected, found = (values_of(one, tmp_path, "wide_out")[0] for one in (model, same))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


def test_its_channels_are_of_one_span(tmp_path: Path) -> None:
    model = a_bottleneck()

    same = equalised(model, spans_of(model, tmp_path))

    reach = np.max([np.abs(span).max(axis=0) for span in spans_of(same, tmp_path).values()], axis=0)
    assert reach.max() < 2 * reach.min()


def test_what_leaves_the_graph_or_meets_something_else_keeps_its_values() -> None:
    model = a_bottleneck()
    model.graph.node.append(helper.make_node("Relu", ["sum"], ["bent"], name="bent"))

    assert streams_of(model) == ()


def test_constants_that_an_exporter_shared_are_parted_first(tmp_path: Path) -> None:
    model = a_bottleneck()
    again = next(node for node in model.graph.node if node.name == "again")
    again.input[2] = "narrow_b"
    parted = with_own_constants(model)

    same = equalised(parted, spans_of(parted, tmp_path))

    expected, found = (values_of(one, tmp_path, "wide_out")[0] for one in (model, same))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)
