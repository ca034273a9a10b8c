"""An 8-bit copy says what the network says; what a judge cannot bear in 8 bits stays in float."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.training.quantization.networks import an_exported_run, inputs_of
from xray_ai.inference.session import Device, Session
from xray_ai.training.quantization.search import quantize

pytestmark = pytest.mark.training


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a judge of these tests says."""

    may_ship: bool
    is_close: bool
    distance: float


def int8_weights(network: Path) -> int:
    """Convolutions whose weights are 8-bit integers."""
    constants = onnx.load(network).graph.initializer
    return sum(tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) == 4 for tensor in constants)


def first_layers_in_float(network: Path) -> int:
    """Convolutions of one channel, the image's, whose weights are floats."""
    constants = onnx.load(network).graph.initializer
    return sum(tensor.data_type == onnx.TensorProto.FLOAT and tuple(tensor.dims[1:2]) == (1,) for tensor in constants)


def content(_: Path) -> Opinion:
    return Opinion(may_ship=True, is_close=True, distance=0.0)


def refuses_all_but_one_layer(network: Path) -> Opinion:
    layers = int8_weights(network)
    return Opinion(may_ship=layers <= 1, is_close=False, distance=float(layers))


def refuses_more_than_two_layers(network: Path) -> Opinion:
    return Opinion(may_ship=int8_weights(network) <= 2, is_close=False, distance=0.0)


def refuses_all(network: Path) -> Opinion:
    return Opinion(may_ship=False, is_close=False, distance=float(int8_weights(network)))


def test_the_8_bit_copy_says_what_the_network_says(tmp_path: Path) -> None:
    folder, cohort = an_exported_run(tmp_path)
    inputs = inputs_of(cohort)

    quantize(folder / "model.onnx", tmp_path / "int8.onnx", inputs, content)

    exact = Session(folder / "model.onnx", Device.CPU).run(inputs)
    found = Session(tmp_path / "int8.onnx", Device.CPU).run(inputs)
    for ours, theirs in zip(found, exact, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=0.05 * float(np.abs(theirs).max()))


def test_every_layer_works_in_8_bits_but_the_last_one_which_gives_the_maps(tmp_path: Path) -> None:
    folder, cohort = an_exported_run(tmp_path)

    quantized = quantize(folder / "model.onnx", tmp_path / "int8.onnx", inputs_of(cohort), content)

    assert (quantized.convolutions, quantized.float_convolutions) == (2, 0)
    assert int8_weights(tmp_path / "int8.onnx") == 2


def test_its_logits_are_still_the_mean_of_its_maps_plus_one_bias(tmp_path: Path) -> None:
    folder, cohort = an_exported_run(tmp_path)
    quantize(folder / "model.onnx", tmp_path / "int8.onnx", inputs_of(cohort), content)

    logits, activation = Session(tmp_path / "int8.onnx", Device.CPU).run(inputs_of(cohort))

    biases = logits - activation.mean(axis=(2, 3))
    np.testing.assert_allclose(biases, np.repeat(biases[:1], len(biases), axis=0), atol=1e-4)


def test_the_first_layer_stays_in_float_where_the_judge_asks_for_it(tmp_path: Path) -> None:
    folder, cohort = an_exported_run(tmp_path)

    quantized = quantize(folder / "model.onnx", tmp_path / "int8.onnx", inputs_of(cohort), refuses_all_but_one_layer)

    assert quantized.verdict.may_ship
    assert quantized.float_convolutions == 1
    assert int8_weights(tmp_path / "int8.onnx") == 1


def test_the_first_layer_of_each_network_stays_in_float_where_several_are_averaged(tmp_path: Path) -> None:
    folder, cohort = an_exported_run(tmp_path, networks=2)

    quantized = quantize(folder / "model.onnx", tmp_path / "int8.onnx", inputs_of(cohort), refuses_more_than_two_layers)

    assert (quantized.convolutions, quantized.float_convolutions) == (4, 2)
    assert first_layers_in_float(tmp_path / "int8.onnx") == 2


def test_the_nearest_copy_is_told_about_where_none_may_ship(tmp_path: Path) -> None:
    folder, cohort = an_exported_run(tmp_path)

    quantized = quantize(folder / "model.onnx", tmp_path / "int8.onnx", inputs_of(cohort), refuses_all)

    assert not quantized.verdict.may_ship
    assert quantized.verdict.distance == 1.0
