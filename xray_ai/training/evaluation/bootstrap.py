"""Intervals by drawing patients, not images, with replacement (Efron 1979), all draws at once.

A figure here is a function from weights (R, N) to (R,): row 0 counts each image once and gives the figure itself,
the other rows count each image as often as its patient was drawn.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xray_ai.inference.pack_card import IntervalCard
from xray_ai.training.evaluation.scoring import FloatArray, Mask

RESAMPLES = 1000
LEVEL = (2.5, 97.5)
TAIL = 0.025
DECIMALS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Resamples:
    """How often each image counts."""

    weights: FloatArray  # (R, N); row 0 is the images as they are
    patients: NDArray[np.intp]  # (N,), by number

    @classmethod
    def draw(cls, patients: NDArray[np.str_], seed: int, resamples: int = RESAMPLES) -> "Resamples":
        """Draw as many patients as there are, `resamples` times: the patient of each image (N,)."""
        names, patient_of_image = np.unique(patients, return_inverse=True)
        even = np.full(len(names), 1 / len(names))
        drawn = np.random.default_rng(seed).multinomial(len(names), even, size=resamples)
        return cls(np.vstack([np.ones(len(patients)), drawn[:, patient_of_image]]), patient_of_image)

    def of(self, chosen: Mask) -> "Resamples":
        """Keep the chosen images: (N,) of booleans."""
        return Resamples(self.weights[:, chosen], self.patients[chosen])

    def times(self, weights: FloatArray) -> "Resamples":
        """Weigh each image by its own weight too: (N,)."""
        return Resamples(self.weights * weights, self.patients)

    def share(self, part: Mask, whole: Mask) -> IntervalCard | None:
        """Weight of `part` by weight of `whole`, with its interval; None where the whole has none: (N,), (N,).

        Where none or all are part, every draw says the same. The other end is then that of Clopper and Pearson
        (1934), for as many independent patients as the weights are worth (Kish 1965).
        """
        found = interval(ratio(self.weights @ (part & whole), self.weights @ whole))
        if found is None or found.low < found.high or 0.0 < found.value < 1.0:
            return found
        of_patient = np.bincount(self.patients[whole], weights=self.weights[0][whole])
        worth = of_patient.sum() ** 2 / (of_patient**2).sum()
        apart = round(1 - TAIL ** (1 / worth), DECIMALS)
        ends = {"high": apart} if found.value == 0.0 else {"low": round(1 - apart, DECIMALS)}
        return found.model_copy(update=ends)


def interval(figures: FloatArray, positives: int | None = None) -> IntervalCard | None:
    """Make a figure (R,) of its value and its 95 % interval; None where it has no value."""
    if np.isnan(figures[0]) or np.isnan(figures[1:]).all():
        return None
    low, high = np.nanpercentile(figures[1:], LEVEL)
    value, low, high = (round(float(part), DECIMALS) for part in (figures[0], low, high))
    return IntervalCard(value=value, low=low, high=high, positives=positives)


def certain(found: IntervalCard | None) -> IntervalCard:
    """Take the interval of a figure that always has one. Raises ValueError where the images are too few for any."""
    if found is None:
        message = "The images are too few for a figure that every evaluation has."
        raise ValueError(message)
    return found


def mean_of(figures: FloatArray) -> FloatArray:
    """Mean over those that have a value, NaN where none has: (R, K) -> (R,)."""
    known = ~np.isnan(figures)
    return ratio(np.where(known, figures, 0.0).sum(axis=1), known.sum(axis=1).astype(np.float64))


def ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Divide, NaN where the whole is zero."""
    return np.asarray(np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0))
