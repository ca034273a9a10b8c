"""Weights rounded to integers so that what a layer gives, not each weight, stays close."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xray_ai.training.quantization.convolutions import Convolution

FloatArray = NDArray[np.float64]

LARGEST_WEIGHT = 127
# Processors without VNNI add two neighbours' products in 16 bits: 255 x 128 fits into them, 255 x 254 does not.
LARGEST_PAIR = 128
DAMPING = 0.01
SMALLEST_SCALE = 1e-4  # of the layer's largest; a dead channel has no scale of its own


class PatchMoments:
    """Mean and covariance of the patches that a convolution's weights multiply, gathered image by image."""

    def __init__(self, convolution: Convolution) -> None:
        self._convolution = convolution
        groups, length = convolution.groups, convolution.weights[0].size
        self._sum = np.zeros((groups, length))
        self._products = np.zeros((groups, length, length))
        self._places = 0

    def add(self, values: NDArray[np.float32]) -> None:
        """Count one image's values in: (channels, rows, columns)."""
        patches = self._convolution.patches(values)
        self._sum += patches.sum(axis=2, dtype=np.float64)
        self._products += patches @ patches.transpose(0, 2, 1)
        self._places += patches.shape[2]

    @property
    def mean(self) -> FloatArray:
        return self._sum / self._places

    @property
    def covariance(self) -> FloatArray:
        return self._products / self._places - self.mean[:, :, None] * self.mean[:, None, :]


@dataclass(frozen=True, slots=True, eq=False)
class RoundedWeights:
    """Integers and scales that stand for a convolution's weights, and the bias that makes up for the rest."""

    integers: NDArray[np.int8]  # as the weights
    scales: NDArray[np.float32]  # (outputs,)
    bias: NDArray[np.float32]  # (outputs,)

    @property
    def weights(self) -> NDArray[np.float32]:
        return np.asarray(self.integers * self.scales[:, None, None, None], np.float32)


def rounded_weights(convolution: Convolution, moments: PatchMoments) -> RoundedWeights:
    """Round one weight after the other; what is lost by one is made up for by those that follow.

    The mean of what is lost goes into the bias, so only the covariance of the patches matters.

    Source: Frantar et al., GPTQ, ICLR 2023, algorithm 1; Nagel et al., ICCV 2019, for the bias.
    """
    outputs, groups = len(convolution.weights), convolution.groups
    weights = convolution.weights.reshape(groups, outputs // groups, -1).astype(np.float64)
    partners = _partners(convolution)
    scales = _scales(weights, partners)
    integers = _rounded(weights, scales, moments.covariance, partners)
    lost = weights - integers * scales[:, :, None]
    shift = np.einsum("gok,gk->go", lost, moments.mean).reshape(outputs)
    return RoundedWeights(
        integers.reshape(convolution.weights.shape).astype(np.int8),
        scales.reshape(outputs).astype(np.float32),
        np.asarray(convolution.bias + shift, np.float32),
    )


def _partners(convolution: Convolution) -> NDArray[np.intp]:
    """Which weight's product is added to which in 16 bits: neighbours in the order (rows, columns, inputs).

    The last of an odd number has itself for a partner; depthwise kernels add in 32 bits, so there all have.
    """
    inputs, rows, columns = convolution.weights.shape[1:]
    length = inputs * rows * columns
    if convolution.is_depthwise:
        return np.arange(length)
    weight_at = np.arange(length).reshape(inputs, rows, columns).transpose(1, 2, 0).ravel()
    neighbour = np.arange(length) ^ 1
    neighbour[neighbour >= length] = length - 1
    partners = np.empty(length, np.intp)
    partners[weight_at] = weight_at[neighbour]
    return partners


def _scales(weights: FloatArray, partners: NDArray[np.intp]) -> FloatArray:
    """Give each output the smallest scale at which neither a weight nor a pair is too large: -> (groups, outputs)."""
    beside = np.where(partners == np.arange(len(partners)), 0.0, weights[:, :, partners])
    pairs = np.maximum(np.maximum(weights, 0) + np.maximum(beside, 0), -np.minimum(weights, 0) - np.minimum(beside, 0))
    scales = np.maximum(np.abs(weights).max(axis=2) / LARGEST_WEIGHT, pairs.max(axis=2) / LARGEST_PAIR)
    smallest = max(SMALLEST_SCALE * float(scales.max()), float(np.finfo(np.float32).tiny))
    return np.asarray(np.maximum(scales, smallest))


def _rounded(
    weights: FloatArray, scales: FloatArray, covariance: FloatArray, partners: NDArray[np.intp]
) -> NDArray[np.int64]:
    """Round (groups, outputs, length) with scales (groups, outputs), the weights of the most varied inputs first."""
    groups = np.arange(len(weights))
    variance = np.einsum("gkk->gk", covariance)
    order = np.argsort(-variance, axis=1, kind="stable")
    left = np.take_along_axis(weights, order[:, None, :], axis=2)
    damped = covariance + np.eye(len(variance[0])) * (DAMPING * variance.mean(axis=1) + 1e-9)[:, None, None]
    damped = np.take_along_axis(np.take_along_axis(damped, order[:, :, None], axis=1), order[:, None, :], axis=2)
    upper = np.linalg.cholesky(np.linalg.inv(damped)).transpose(0, 2, 1)
    integers = np.zeros(weights.shape, np.int64)
    for place, here in enumerate(order.T):
        low, high = _allowed(integers[groups, :, partners[here]])
        rounded = np.clip(np.round(left[:, :, place] / scales), low, high)
        integers[groups, :, here] = rounded
        lost = left[:, :, place] - rounded * scales
        share = upper[:, place, place:] / upper[:, place, place, None]
        left[:, :, place:] -= lost[:, :, None] * share[:, None, :]
    return integers


def _allowed(partner: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the smallest and largest integer beside a partner; one that is not rounded yet is 0."""
    return (
        np.maximum(-LARGEST_WEIGHT, -LARGEST_PAIR - np.minimum(partner, 0)),
        np.minimum(LARGEST_WEIGHT, LARGEST_PAIR - np.maximum(partner, 0)),
    )
