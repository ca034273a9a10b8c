"""An exported network's file: free of traces of where it was made, and told as the card of a pack tells it."""

from pathlib import Path

import onnx

from xray_ai.inference.pack_card import GraphCard, TensorCard

LARGEST_DIFFERENCE = 1e-4  # between ONNX Runtime and torch
OPSET = 20
MOST_IMAGES = 64
PROBES = 4


class ExportDiffers(RuntimeError):
    """The exported graph does not compute what the network computes."""


def forget_where_it_was_made(file: Path) -> None:
    """Take the exporter's stack traces out: they name the folders of the machine, and decide nothing."""
    model = onnx.load(file)
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    onnx.save(model, file)


def graph_of(network: Path) -> GraphCard:
    """What the file takes and gives."""
    model = onnx.load(network, load_external_data=False)
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    return GraphCard(
        opset=opset,
        inputs=tuple(_tensor(value) for value in model.graph.input),
        outputs=tuple(_tensor(value) for value in model.graph.output),
    )


def _tensor(value: onnx.ValueInfoProto) -> TensorCard:
    axes = value.type.tensor_type.shape.dim
    shape = tuple(axis.dim_param or int(axis.dim_value) for axis in axes)
    return TensorCard(name=value.name, shape=shape, dtype="float32")
