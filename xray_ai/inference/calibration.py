"""From a network's logits to probabilities, by the pack's numbers."""

import numpy as np
from numpy.typing import NDArray

from xray_ai.inference.pack_card import CalibrationCard


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
