"""The pack's network without its maps: what a network that gives scores and nothing else would take."""

from pathlib import Path

import onnx
import onnxruntime
from onnx import helper


def without_maps(network: Path) -> onnxruntime.InferenceSession:
    """Move the pooling before the last layer: the same logits, as both are linear, and no map of any finding."""
    model = onnx.load(network)
    last_layer = next(node for node in reversed(model.graph.node) if node.op_type == "Conv")
    place = list(model.graph.node).index(last_layer)
    model.graph.node.insert(place, helper.make_node("GlobalAveragePool", [last_layer.input[0]], ["pooled"]))
    last_layer.input[0] = "pooled"
    maps = next(output for output in model.graph.output if output.name == "activation")
    model.graph.output.remove(maps)
    del model.graph.value_info[:]  # the shapes of maps that are no more
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
