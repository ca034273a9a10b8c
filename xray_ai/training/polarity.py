"""The polarity template: a linear judge of a thumbnail that tells a frontal chest from its negative."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from xray_ai.imaging.preprocess import thumbnail
from xray_ai.inference.pack_card import PolarityCard

SIDE_PX = 16
GAMMAS = (0.6, 1.0, 1.6)  # looks of different processing
STRENGTH = 0.01  # small: smooth weights, robust to what the cohort never showed


def fit_polarity(greys: NDArray[np.uint8]) -> PolarityCard:
    """Fit the template on upright chests and their negatives: (N, rows, columns) uint8.

    A thumbnail is centred on its own mean, so that a negative is the thumbnail times -1 up to gamma: the
    template needs no bias, and zero separates the two.
    """
    upright = np.stack([_flat(grey, gamma) for grey in greys for gamma in GAMMAS])
    negative = np.stack([_flat(255 - grey, gamma) for grey in greys for gamma in GAMMAS])
    judge = LogisticRegression(C=STRENGTH, fit_intercept=False, max_iter=500)
    judge.fit(np.concatenate([upright, negative]), np.repeat([1, 0], [len(upright), len(negative)]))
    weights = judge.coef_.reshape(SIDE_PX, SIDE_PX)
    rounded = tuple(tuple(round(float(weight), 5) for weight in row) for row in weights)
    return PolarityCard(weights=rounded, bias=0.0, inverted_below=0.0)


def mistaken_share(card: PolarityCard, greys: Sequence[NDArray[np.uint8]]) -> tuple[float, float]:
    """Shares of upright chests called inverted, and of negatives not called inverted."""
    weights = np.array(card.weights).ravel()
    upright = np.array([_flat(grey, 1.0) @ weights for grey in greys]) + card.bias
    negative = np.array([_flat(255 - grey, 1.0) @ weights for grey in greys]) + card.bias
    return float((upright < card.inverted_below).mean()), float((negative >= card.inverted_below).mean())


def _flat(grey: NDArray[np.uint8], gamma: float) -> NDArray[np.float32]:
    return thumbnail(np.asarray((grey / 255.0) ** gamma, np.float32), SIDE_PX).ravel()
