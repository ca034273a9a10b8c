"""ONNX Runtime: the only module that names it, and it never changes the device in silence."""

from enum import StrEnum
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as onnxruntime_errors

from xray_ai.errors import OperatorNeeded
from xray_ai.inference.pack_card import GraphCard, TensorCard


class Device(StrEnum):
    """Where the network runs."""

    CPU = "cpu"
    CUDA = "cuda"


_PROVIDERS = {Device.CPU: "CPUExecutionProvider", Device.CUDA: "CUDAExecutionProvider"}
_ERRORS_ONLY = 3
_LOADING_FAILED = (  # ONNX Runtime's errors have no common parent but Exception
    onnxruntime_errors.EPFail,
    onnxruntime_errors.Fail,
    onnxruntime_errors.InvalidArgument,
    onnxruntime_errors.InvalidGraph,
    onnxruntime_errors.InvalidProtobuf,
    onnxruntime_errors.NoSuchFile,
    onnxruntime_errors.NotImplemented,
    onnxruntime_errors.RuntimeException,
    RuntimeError,
    ValueError,
)


def available_devices() -> frozenset[Device]:
    """Devices that the installed ONNX Runtime was built for; whether the hardware answers shows at loading."""
    offered = onnxruntime.get_available_providers()
    return frozenset(device for device, provider in _PROVIDERS.items() if provider in offered)


class Session:
    """One network on one device, on one thread: one session a core serves best (docs/decisions/0006)."""

    def __init__(self, model: Path, device: Device) -> None:
        if device not in available_devices():
            raise OperatorNeeded(
                f"inference.device is {device}, but the installed ONNX Runtime does not offer it.",
                remedy="Install the extra [gpu] instead of [cpu], or set inference.device to cpu.",
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=[_PROVIDERS[device]])
        except _LOADING_FAILED as error:
            raise OperatorNeeded(
                f"ONNX Runtime cannot load the network on {device}: {type(error).__name__}.",
                remedy="Run `xray-ai models verify` on the pack and `xray-ai doctor` on this machine.",
            ) from error
        if self._session.get_providers()[0] != _PROVIDERS[device]:
            raise OperatorNeeded(
                f"inference.device is {device}, but ONNX Runtime fell back to {self._session.get_providers()[0]}.",
                remedy="Check the driver and the CUDA libraries, or set inference.device to cpu.",
            )
        self.device = device

    def matches(self, graph: GraphCard) -> bool:
        """Say whether the file's inputs and outputs are those that the pack's card names."""
        return _tensors(self._session.get_inputs()) == list(graph.inputs) and _tensors(
            self._session.get_outputs()
        ) == list(graph.outputs)

    def run(
        self, image: NDArray[np.float32], outputs: tuple[str, ...] = ("logits", "activation")
    ) -> tuple[NDArray[np.float32], ...]:
        """Run images, (N, C, H, W) float32, and give the named outputs in the order asked for, float32.

        A classifier's are logits (N, K) and class activation maps (N, K, h, w), a scope model's probabilities (N, K).
        """
        return tuple(np.asarray(output, np.float32) for output in self._session.run(list(outputs), {"image": image}))


def _tensors(nodes: list[onnxruntime.NodeArg]) -> list[TensorCard]:
    return [
        TensorCard(name=node.name, shape=tuple(axis or 0 for axis in node.shape), dtype=_dtype(node.type))
        for node in nodes
    ]


def _dtype(onnx_type: str) -> str:
    return {"tensor(float)": "float32"}.get(onnx_type, onnx_type)
