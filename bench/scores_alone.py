"""The pack's network without its maps: what a network that gives scores and nothing else would take."""

from pathlib import Path

import onnx
import onnxruntime
from onnx import helper


def without_maps(network: Path) -> onnxruntime.InferenceSession:
    """Move the pooling before each last layer: the same logits, as both are linear, and no map of any finding."""
    model = onnx.load(network)
    averaged = {node.input[0] for node in model.graph.node if node.op_type == "ReduceMean"}
    last_layers = [node for node in model.graph.node if node.op_type == "Conv" and node.output[0] in averaged]
    for number, layer in enumerate(last_layers):
        pooled = f"pooled_{number}"
        place = list(model.graph.node).index(layer)
        model.graph.node.insert(place, helper.make_node("GlobalAveragePool", [layer.input[0]], [pooled]))
        layer.input[0] = pooled
    maps = next(output for output in model.graph.output if output.name == "activation")
    model.graph.output.remove(maps)
    del model.graph.value_info[:]  # the shapes of maps that are no more
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
