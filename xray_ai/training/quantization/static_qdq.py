"""8-bit copies of a float network: static QDQ by ONNX Runtime, with weights that were rounded here."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from xray_ai.inference.session import Device, Session
from xray_ai.training.quantization.convolutions import (
    Convolution,
    convolutions_of,
    depths,
    last_convolutions,
    nodes_between,
    with_own_constants,
)
from xray_ai.training.quantization.equalisation import equalised, streams_of
from xray_ai.training.quantization.rounding import PatchMoments, RoundedWeights, rounded_weights

Images = NDArray[np.float32]  # (N, 1, rows, columns), as the network takes them

MOST_STUDIED = 96  # images by which weights are rounded and channels equalised
INPUT = "image"
OPERATORS = ["Conv", "Clip", "Relu", "Add"]


class StaticQuantizer:
    """What is measured once of a float network, so that many 8-bit copies can be made of it.

    `folder` keeps what lies between; `inputs` are calibration images, of which each source has its part.
    """

    def __init__(self, network: Path, inputs: Images, folder: Path) -> None:
        self._prepared, self._ranges, self._rounded_file = (
            folder / name for name in ("prepared.onnx", "ranges.json", "rounded.onnx")
        )
        self.inputs = inputs
        quant_pre_process(network, self._prepared, skip_optimization=True, skip_symbolic_shape=True)
        model = self._equalised(with_own_constants(onnx.load(self._prepared)), folder)
        onnx.save(model, self._prepared)
        kept = last_convolutions(model)
        self.convolutions = tuple(part for part in convolutions_of(model) if part.name not in kept)
        self._depths = depths(model)
        self._rounded = self._round(model, folder)

    def deeper_than(self, depth: int) -> frozenset[str]:
        """Name the convolutions that have at least `depth` others before them, in whichever of the networks."""
        return frozenset(part.name for part in self.convolutions if self._depths[part.name] >= depth)

    def write(self, chosen: frozenset[str], file: Path) -> Path:
        """Write a copy whose convolutions `chosen`, and what lies between them, work in 8 bits."""
        model = onnx.load(self._prepared)
        parts = [convolution for convolution in self.convolutions if convolution.name in chosen]
        self._set_weights(model, parts)
        onnx.save(model, self._rounded_file)
        quantize_static(
            self._rounded_file,
            file,
            _Inputs(self.inputs),
            op_types_to_quantize=OPERATORS,
            nodes_to_quantize=nodes_between(model, chosen),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={
                "CalibMovingAverage": True,  # the mean of each image's extremes: one odd image makes all others coarse
                "TensorQuantOverrides": {part.weights_name: self._scales(part) for part in parts},
            },
            calibration_cache_path=self._ranges,
        )
        return file

    def _equalised(self, model: onnx.ModelProto, folder: Path) -> onnx.ModelProto:
        names = tuple(name for stream in streams_of(model) for name in stream.tensors)
        if not names:
            return model
        session = Session(_with_outputs(model, names, folder / "streams.onnx"), Device.CPU)
        extremes: dict[str, list[Images]] = {name: [] for name in names}
        for image in self._some_inputs():
            for name, values in zip(names, session.run(image, names), strict=True):
                extremes[name].append(np.stack([values.min(axis=(0, 2, 3)), values.max(axis=(0, 2, 3))]))
        spans = {name: np.asarray(np.mean(extremes[name], axis=0), np.float64) for name in names}
        return equalised(model, spans)

    def _some_inputs(self) -> Iterator[Images]:
        yield from (image[None] for image in self.inputs[:: -(-len(self.inputs) // MOST_STUDIED)])

    def _round(self, model: onnx.ModelProto, folder: Path) -> dict[str, RoundedWeights]:
        moments = {convolution.name: PatchMoments(convolution) for convolution in self.convolutions}
        sources = tuple(sorted({convolution.source for convolution in self.convolutions} - {INPUT}))
        session = Session(_with_outputs(model, sources, folder / "sources.onnx"), Device.CPU)
        for image in self._some_inputs():
            values = dict(zip((INPUT, *sources), (image, *session.run(image, sources)), strict=True))
            for convolution in self.convolutions:
                moments[convolution.name].add(values[convolution.source][0])
        return {part.name: rounded_weights(part, moments[part.name]) for part in self.convolutions}

    def _set_weights(self, model: onnx.ModelProto, parts: list[Convolution]) -> None:
        constants = {tensor.name: tensor for tensor in model.graph.initializer}
        for part in parts:
            rounded = self._rounded[part.name]
            constants[part.weights_name].CopyFrom(onnx.numpy_helper.from_array(rounded.weights, part.weights_name))
            if part.bias_name:
                constants[part.bias_name].CopyFrom(onnx.numpy_helper.from_array(rounded.bias, part.bias_name))

    def _scales(self, part: Convolution) -> list[dict[str, object]]:
        """Tell ONNX Runtime each output's scale: the weights lie on its grid already."""
        zero = np.array(0, np.int8)
        return [{"axis": 0, "scale": scale, "zero_point": zero} for scale in self._rounded[part.name].scales]


class _Inputs(CalibrationDataReader):  # type: ignore[misc] # ONNX Runtime carries no types
    """Calibration images one by one, as ONNX Runtime asks for them."""

    def __init__(self, images: Images) -> None:
        self._images = iter(images)

    def get_next(self) -> dict[str, Images] | None:
        image = next(self._images, None)
        return None if image is None else {INPUT: image[None]}


def _with_outputs(model: onnx.ModelProto, names: tuple[str, ...], file: Path) -> Path:
    """Write a copy that gives these tensors too."""
    opened = onnx.ModelProto()
    opened.CopyFrom(model)
    given = {tensor.name for tensor in model.graph.output}
    opened.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names if name not in given)
    onnx.save(opened, file)
    return file
