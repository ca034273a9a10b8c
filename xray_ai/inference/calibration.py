"""From a network's logits to probabilities, by the pack's numbers."""

import numpy as np
from numpy.typing import NDArray

from xray_ai.inference.pack_card import CalibrationCard, FindingCard

_ALMOST_NEVER = 1e-9  # an operating point of 0 or 1 lies infinitely far out, and a heatmap needs a number


def calibrated(logits: NDArray[np.float32], cards: tuple[CalibrationCard, ...]) -> NDArray[np.float64]:
    """Platt scaling of each output for the pack's stated prevalence.

    Shape:  (K,) float32 -> (K,) float64.
    Units:  probability 0.0 to 1.0.
    Source: Platt, Probabilistic outputs for support vector machines (1999).
    """
    slope = np.array([card.slope for card in cards])
    intercept = np.array([card.intercept for card in cards])
    with np.errstate(over="ignore"):  # exp of a large negative logit is infinite, and the probability rightly 0
        return np.asarray(1.0 / (1.0 + np.exp(-(slope * logits + intercept))))


def operating_logits(cards: tuple[FindingCard, ...]) -> NDArray[np.float64]:
    """The operating points as the network's own logits: the inverse of `calibrated`, (K,) float64."""
    points = np.clip([card.operating_point for card in cards], _ALMOST_NEVER, 1.0 - _ALMOST_NEVER)
    slope = np.array([card.calibration.slope for card in cards])
    intercept = np.array([card.calibration.intercept for card in cards])
    return np.asarray((np.log(points) - np.log1p(-points) - intercept) / slope)
