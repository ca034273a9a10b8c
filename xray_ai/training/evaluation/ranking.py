"""AUROC, average precision and their curves, for many weightings of the same images at once."""

from collections.abc import Sequence

import numpy as np

from xray_ai.training.evaluation.bootstrap import Resamples, mean_of, ratio
from xray_ai.training.evaluation.measured import Curve
from xray_ai.training.evaluation.scoring import FloatArray, Scored

CURVE_POINTS = 60
CURVE_DECIMALS = 3


def auroc(labels: FloatArray, scores: FloatArray, weights: FloatArray) -> FloatArray:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counting half.

    Shape: labels (N,) of 1, 0 or NaN (left out), scores (N,), weights (R, N) -> (R,), NaN where a class is missing.
    """
    order = np.argsort(scores, kind="stable")
    labels, scores, weights = labels[order], scores[order], weights[:, order]
    positive, negative = labels == 1.0, labels == 0.0
    below = _running(weights * negative)
    first, last = (np.searchsorted(scores, scores[positive], side) for side in ("left", "right"))
    outranked = (below[:, first] + below[:, last]) / 2
    of_positives = weights[:, positive]
    pairs = of_positives.sum(axis=1) * below[:, -1]
    return ratio((of_positives * outranked).sum(axis=1), pairs)


def average_precision(labels: FloatArray, scores: FloatArray, weights: FloatArray) -> FloatArray:
    """Area under the precision-recall curve as the mean precision at each positive, no line drawn between points.

    Shape: as `auroc`.
    """
    order = np.argsort(-scores, kind="stable")
    labels, falling, weights = labels[order], -scores[order], weights[:, order]
    positive = labels == 1.0
    found, flagged = _running(weights * positive), _running(weights * ~np.isnan(labels))
    end = np.searchsorted(falling, falling[positive], "right")
    found_there, flagged_there = found[:, end], flagged[:, end]
    precision = np.divide(found_there, flagged_there, out=np.zeros_like(found_there), where=found_there > 0)
    return ratio((weights[:, positive] * precision).sum(axis=1), found[:, -1])


def mean_auroc(scored: Scored, resamples: Resamples, columns: Sequence[int]) -> FloatArray:
    """Mean of the columns' AUROCs over those that have both classes: -> (R,)."""
    if not columns:
        return np.full(len(resamples.weights), np.nan)
    figures = [auroc(scored.labels[:, k], scored.probabilities[:, k], resamples.weights) for k in columns]
    return mean_of(np.stack(figures, axis=1))


def roc_curve(labels: FloatArray, scores: FloatArray) -> Curve:
    """False-positive rate and sensitivity over all thresholds, thinned: (N,), (N,) -> points."""
    positives, negatives = _counts_above(labels, scores)
    if not positives[-1] or not negatives[-1]:
        return ()
    return _thinned(negatives / negatives[-1], positives / positives[-1])


def precision_recall_curve(labels: FloatArray, scores: FloatArray) -> Curve:
    """Recall and precision over all thresholds, thinned: (N,), (N,) -> points."""
    positives, negatives = _counts_above(labels, scores)
    if not positives[-1]:
        return ()
    return _thinned(positives[1:] / positives[-1], positives[1:] / (positives + negatives)[1:])


def _counts_above(labels: FloatArray, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Positives and negatives at or above each threshold that occurs, from none to all."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])) + 1, len(scores))
    counts = (np.append(0.0, np.cumsum(labels[order] == label)) for label in (1.0, 0.0))
    positives, negatives = (count[np.append(0, ends)] for count in counts)
    return positives, negatives


def _thinned(x: FloatArray, y: FloatArray) -> Curve:
    kept = np.unique(np.round(np.linspace(0, len(x) - 1, min(CURVE_POINTS, len(x)))).astype(int))
    return tuple((round(float(x[i]), CURVE_DECIMALS), round(float(y[i]), CURVE_DECIMALS)) for i in kept)


def _running(weights: FloatArray) -> FloatArray:
    """Sums of the first 0, 1, ... N weights: (R, N) -> (R, N + 1)."""
    sums = np.zeros((weights.shape[0], weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums
