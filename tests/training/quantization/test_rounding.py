"""Weights in 8 bits give what the weights gave, on the images that they meet, and overflow no processor."""

import numpy as np
import pytest
from numpy.typing import NDArray

from xray_ai.training.quantization.convolutions import Convolution
from xray_ai.training.quantization.rounding import PatchMoments, RoundedWeights, rounded_weights

pytestmark = pytest.mark.training

Values = NDArray[np.float32]


def a_convolution(outputs: int = 6, inputs: int = 8, side: int = 1, groups: int = 1) -> Convolution:
    draw = np.random.default_rng(5)
    return Convolution(
        name="conv",
        source="image",
        target="values",
        weights_name="weights",
        weights=draw.normal(size=(outputs, inputs // groups, side, side)).astype(np.float32),
        bias_name="bias",
        bias=np.ones(outputs, np.float32),
        groups=groups,
        strides=(1, 1),
        pads=(side // 2,) * 4,
    )


def smooth_values(channels: int = 8, side: int = 24) -> Values:
    """Channels that say much the same, far from zero: what a layer of a network meets."""
    draw = np.random.default_rng(6)
    common = draw.normal(3.0, 1.0, (1, side, side))
    return (common + 0.2 * draw.normal(size=(channels, side, side))).astype(np.float32)


def rounded(convolution: Convolution, values: Values) -> RoundedWeights:
    moments = PatchMoments(convolution)
    moments.add(values)
    return rounded_weights(convolution, moments)


def given_by(convolution: Convolution, weights: Values, bias: Values, values: Values) -> Values:
    patches = convolution.patches(values)
    rows = weights.reshape(convolution.groups, -1, patches.shape[1])
    return (rows @ patches).reshape(len(bias), -1) + bias[:, None]


@pytest.mark.parametrize(("side", "groups"), [(1, 1), (3, 1), (3, 8)])
def test_what_a_layer_gives_changes_less_than_by_rounding_to_the_nearest(side: int, groups: int) -> None:
    convolution, values = a_convolution(8, 8, side, groups), smooth_values()

    found = rounded(convolution, values)

    exact = given_by(convolution, convolution.weights, convolution.bias, values)
    scales = found.scales[:, None, None, None]
    nearest = np.asarray(np.round(convolution.weights / scales) * scales, np.float32)
    change = np.square(given_by(convolution, found.weights, found.bias, values) - exact).mean()
    assert change < 0.5 * np.square(given_by(convolution, nearest, convolution.bias, values) - exact).mean()


def test_what_a_layer_gives_stays_the_same_on_average() -> None:
    convolution, values = a_convolution(side=3), smooth_values()

    found = rounded(convolution, values)

    change = given_by(convolution, found.weights, found.bias, values) - given_by(
        convolution, convolution.weights, convolution.bias, values
    )
    np.testing.assert_allclose(change.mean(axis=1), 0.0, atol=1e-4)


@pytest.mark.parametrize("side", [1, 3])
def test_two_neighbouring_products_fit_into_16_bits(side: int) -> None:
    integers = rounded(a_convolution(side=side), smooth_values()).integers.astype(int)

    ordered = integers.transpose(0, 2, 3, 1).reshape(len(integers), -1)
    pairs = np.pad(ordered, ((0, 0), (0, ordered.shape[1] % 2))).reshape(len(integers), -1, 2)

    assert 255 * np.clip(pairs, 0, None).sum(axis=2).max() <= np.iinfo(np.int16).max
    assert 255 * np.clip(pairs, None, 0).sum(axis=2).min() >= np.iinfo(np.int16).min


def test_depthwise_weights_use_all_8_bits() -> None:
    integers = rounded(a_convolution(8, 8, side=3, groups=8), smooth_values()).integers

    assert (np.abs(integers.astype(int)).reshape(8, -1).max(axis=1) >= 126).all()


def test_a_channel_without_weights_stays_silent() -> None:
    convolution = a_convolution()
    convolution.weights[2] = 0.0

    found = rounded(convolution, smooth_values())

    assert not found.integers[2].any()
    assert np.isfinite(found.bias).all()
