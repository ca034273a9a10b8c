"""Whether probabilities mean what they say, at the stated prevalence."""

import numpy as np
from numpy.typing import NDArray

from xray_ai.inference.pack_card import FindingCard
from xray_ai.training.evaluation.bootstrap import DECIMALS, Resamples, certain, interval, ratio
from xray_ai.training.evaluation.measured import CalibrationFigures, ReliabilityBin
from xray_ai.training.evaluation.scoring import FloatArray, Mask

FEWEST_POSITIVES = 30
BINS = 10
_ALMOST_NEVER = 1e-9
_RIDGE = 1e-6  # keeps a resample without positives from running away
_LONGEST_STEP = 1.0
_FIRST_ROUNDS, _ROUNDS = 30, 8


def calibration_figures(
    finding: FindingCard, labels: FloatArray, probabilities: FloatArray, resamples: Resamples
) -> CalibrationFigures:
    """Measure one output; the resamples' weights bring the images to the stated prevalence.

    Shape: labels and probabilities (N,), labels known.
    """
    fits = recalibration(logit(probabilities), labels, resamples.weights)
    prevalence = finding.stated_prevalence
    brier = _mean(resamples, (probabilities - labels) ** 2)
    reference = _mean(resamples, (prevalence - labels) ** 2)
    bins = equal_weight_bins(probabilities, resamples.weights[0])
    weight, said, observed = (_of_bins(bins, resamples.weights[0] * part) for part in (1.0, probabilities, labels))
    return CalibrationFigures(
        key=finding.key,
        name=finding.name,
        positives=int(labels.sum()),
        stated_prevalence=prevalence,
        mean_probability=round(float(_mean(resamples, probabilities)[0]), DECIMALS),
        slope=certain(interval(fits[:, 1])),
        intercept=certain(interval(fits[:, 0])),
        brier=round(float(brier[0]), 5),
        brier_skill=certain(interval(1 - brier / reference)),
        adaptive_ece=round(float(np.abs(said - observed).sum() / weight.sum()), DECIMALS),
        bins=tuple(_bin(bins == number, labels, probabilities, resamples) for number in range(bins.max() + 1)),
    )


def recalibration(logits: FloatArray, labels: FloatArray, weights: FloatArray) -> FloatArray:
    """Fit `label ~ sigmoid(intercept + slope * logit)` for each row of weights: -> (R, 2), 0 and 1 being perfect.

    Shape:  logits and labels (N,), weights (R, N).
    Source: Cox, Biometrika 45 (1958); by Newton's method, the resamples beginning where the images as they are end.
    """
    start = _newton(logits, labels, weights[:1], np.array([[0.0, 1.0]]), _FIRST_ROUNDS)
    return _newton(logits, labels, weights, np.repeat(start, len(weights), axis=0), _ROUNDS)


def _newton(logits: FloatArray, labels: FloatArray, weights: FloatArray, fits: FloatArray, rounds: int) -> FloatArray:
    powers = np.stack([np.ones_like(logits), logits, logits**2], axis=1)
    for _ in range(rounds):
        said = 1 / (1 + np.exp(-(fits[:, :1] + fits[:, 1:] * logits)))
        gradient = (weights * (labels - said)) @ powers[:, :2]
        curvature = (weights * said * (1 - said)) @ powers
        h00, h01, h11 = curvature[:, 0] + _RIDGE, curvature[:, 1], curvature[:, 2] + _RIDGE
        step = np.stack([h11 * gradient[:, 0] - h01 * gradient[:, 1], h00 * gradient[:, 1] - h01 * gradient[:, 0]], 1)
        fits = fits + np.clip(step / (h00 * h11 - h01**2)[:, None], -_LONGEST_STEP, _LONGEST_STEP)
    return fits


def logit(probabilities: FloatArray) -> FloatArray:
    kept = np.clip(probabilities, _ALMOST_NEVER, 1 - _ALMOST_NEVER)
    return np.asarray(np.log(kept) - np.log1p(-kept))


def equal_weight_bins(probabilities: FloatArray, weights: FloatArray) -> NDArray[np.intp]:
    """Number the images' bins from the lowest probability on, each with about a tenth of the weight: (N,) -> (N,).

    Equal probabilities share a bin.
    """
    _, place = np.unique(probabilities, return_inverse=True)
    weight = np.bincount(place, weights=weights)
    middle = np.cumsum(weight) - weight / 2
    bins = np.minimum((middle / weight.sum() * BINS).astype(np.intp), BINS - 1)
    return np.unique(bins[place], return_inverse=True)[1]


def _bin(chosen: Mask, labels: FloatArray, probabilities: FloatArray, resamples: Resamples) -> ReliabilityBin:
    part = resamples.of(chosen)
    return ReliabilityBin(
        images=int(chosen.sum()),
        positives=int(labels[chosen].sum()),
        said=round(float(_mean(part, probabilities[chosen])[0]), DECIMALS),
        observed=certain(part.share(labels[chosen] == 1.0, np.ones(int(chosen.sum()), np.bool_))),
    )


def _mean(resamples: Resamples, values: FloatArray) -> FloatArray:
    return ratio(resamples.weights @ values, resamples.weights.sum(axis=1))


def _of_bins(bins: NDArray[np.intp], values: FloatArray) -> FloatArray:
    return np.bincount(bins, weights=values).astype(np.float64)
