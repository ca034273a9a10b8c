"""Calibration, operating points and rule-out points for a stated prevalence, from tuning patients only."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from xray_ai.domain.finding import ABNORMALITY, FindingKey
from xray_ai.domain.priority import Priority
from xray_ai.imaging.preprocess import Recipe, as_input
from xray_ai.inference.pack_card import Card, PolarityCard
from xray_ai.inference.session import Device, Session
from xray_ai.training.cohort_dataset import prepared, prepared_greys
from xray_ai.training.datasets.cohort import Cohort, CohortImage, Split
from xray_ai.training.polarity import fit_polarity, mistaken_share
from xray_ai.training.run import TrainingRun
from xray_ai.triage import TriagePolicy

FloatArray = NDArray[np.float64]

STAT_SHARE, HIGH_SHARE = 0.03, 0.15  # of studies at the stated prevalence (decision 15)
LEAST_ROUTINE_SHARE, MOST_ROUTINE_SHARE = 0.01, 0.10
ABNORMALITY_SHARE = 0.15  # it sums up all findings, and half of all studies have one
RULE_OUT_SENSITIVITY = 0.95  # decision 14
FEWEST_POSITIVES_TO_RULE_OUT = 20
SLOPE_PRIOR = 5.0  # pull of each finding's slope towards the common one; rare findings have few positives
RAKING_ROUNDS = 100


class CalibratedOutput(Card):
    """How one output of the network is used."""

    slope: float
    intercept: float
    prevalence: float
    operating_point: float
    rule_out_point: float  # 0.0: too few positives to say at which point the finding is ruled out
    alert_share: float


class Calibration(Card):
    """What tuning adds to a trained network."""

    polarity: PolarityCard
    upright_called_inverted: float
    inverted_called_upright: float
    outputs: tuple[CalibratedOutput, ...]


def calibrate_run(
    run: TrainingRun, cohort: Cohort, network: Path, policy: TriagePolicy, prevalence: FloatArray
) -> Calibration:
    """Calibrate an exported network on the cohort's tuning patients, for the stated prevalence (K,)."""
    recipe, tuning = run.recipe.recipe(), cohort.of(Split.TUNE)
    cache = network.parent.parent / "cache"
    polarity = fit_polarity(prepared_greys(cohort.of(Split.TRAIN), recipe, cache))
    mistaken = mistaken_share(polarity, list(prepared_greys(tuning, recipe, cache)))
    logits = _logits(Session(network, Device.CPU), tuning, recipe)
    labels = np.array([image.labels for image in tuning])
    return Calibration(
        polarity=polarity,
        upright_called_inverted=mistaken[0],
        inverted_called_upright=mistaken[1],
        outputs=calibrate(
            cohort.finding_keys, logits, labels, prevalence, policy, source_weights(tuning, run.calibration_shares)
        ),
    )


def _logits(session: Session, images: Sequence[CohortImage], recipe: Recipe) -> FloatArray:
    rows = [session.run(as_input(prepared(image.path, recipe).grey, recipe))[0][0] for image in images]
    return np.array(rows, np.float64)


def source_weights(images: Sequence[CohortImage], shares: Mapping[str, float]) -> FloatArray:
    """Weigh images so that each source has its share of all weight: N images -> (N,) with sum N."""
    counts = Counter(image.source for image in images)
    stated = {source: shares.get(source, 1.0) for source in counts}
    weights = np.array([stated[image.source] / counts[image.source] for image in images])
    return np.asarray(weights * len(images) / weights.sum())


def raking_weights(labels: FloatArray, prevalence: FloatArray, start: FloatArray | None = None) -> FloatArray:
    """Weigh images so that each label is as frequent as stated: (N, K) labels, (K,) -> (N,) with sum N.

    `start` are weights (N,) to set out from; absent: all the same.

    Source: iterative proportional fitting, Deming and Stephan (1940).
    """
    weights = np.ones(len(labels)) if start is None else start
    for _ in range(RAKING_ROUNDS):
        for present, stated in zip(labels.T == 1, prevalence, strict=True):
            share = weights[present].sum() / weights.sum()
            if 0 < share < 1:
                weights = np.where(present, weights * stated / share, weights * (1 - stated) / (1 - share))
    return np.asarray(weights * len(weights) / weights.sum())


def platt(logits: FloatArray, labels: FloatArray, weights: FloatArray) -> list[tuple[float, float]]:
    """Fit slope and intercept of each output, slopes pulled towards their common value: (N, K) -> K pairs."""
    common, _ = _fit(logits.ravel(), labels.ravel(), np.repeat(weights, logits.shape[1]), prior=None)
    return [_fit(logits[:, k], labels[:, k], weights, prior=common) for k in range(logits.shape[1])]


def calibrate(
    keys: Sequence[str],
    logits: FloatArray,
    labels: FloatArray,
    prevalence: FloatArray,
    policy: TriagePolicy,
    start: FloatArray | None = None,
) -> tuple[CalibratedOutput, ...]:
    """Turn tuning patients' logits into calibrations and points.

    Shape: logits and labels (N, K), the stated prevalence (K,), weights to set out from (N,).
    """
    weights = raking_weights(labels, prevalence, start)
    fits = platt(logits, labels, weights)
    probabilities = np.stack([_sigmoid(a * logits[:, k] + b) for k, (a, b) in enumerate(fits)], axis=1)
    shares = _alert_shares(keys, probabilities, weights, prevalence, policy)
    outputs = []
    for k, (slope, intercept) in enumerate(fits):
        scores = probabilities[:, k]
        operating = weighted_quantile(scores, weights, 1 - shares[k])
        rule_out = min(_rule_out_point(scores[labels[:, k] == 1]), operating)
        alerts = float(weights[scores >= operating].sum() / weights.sum())
        outputs.append(
            CalibratedOutput(
                slope=slope,
                intercept=intercept,
                prevalence=float(prevalence[k]),
                operating_point=operating,
                rule_out_point=rule_out,
                alert_share=alerts,
            )
        )
    return tuple(outputs)


def weighted_quantile(values: FloatArray, weights: FloatArray, share: float) -> float:
    """Give the smallest value with at least `share` of the weight below it."""
    order = np.argsort(values)
    below = np.cumsum(weights[order]) - weights[order]
    index = int(np.searchsorted(below, share * weights.sum()))
    return float(values[order][min(index, len(values) - 1)])


def _alert_shares(
    keys: Sequence[str], probabilities: FloatArray, weights: FloatArray, prevalence: FloatArray, policy: TriagePolicy
) -> FloatArray:
    """Give each output its share of alerts, so that STAT and HIGH findings together stay within their limits."""
    priorities = np.array([policy.priority_of(FindingKey(key)) for key in keys])
    most = np.array([ABNORMALITY_SHARE if key == ABNORMALITY else MOST_ROUTINE_SHARE for key in keys])
    shares = np.clip(2 * prevalence, LEAST_ROUTINE_SHARE, most)
    for priority, limit in ((Priority.STAT, STAT_SHARE), (Priority.HIGH, HIGH_SHARE)):
        group = np.flatnonzero(priorities == priority)
        if len(group):
            shares[group] = _common_share(probabilities[:, group], weights, limit)
    return shares


def _common_share(probabilities: FloatArray, weights: FloatArray, limit: float) -> float:
    """Find the largest share, the same for each output, at which their alerts together reach at most `limit`."""
    low, high = 0.0, limit
    for _ in range(30):
        share = (low + high) / 2
        points = [weighted_quantile(column, weights, 1 - share) for column in probabilities.T]
        any_alert = (probabilities >= points).any(axis=1)
        together = weights[any_alert].sum() / weights.sum()
        low, high = (share, high) if together <= limit else (low, share)
    return low


def _rule_out_point(positive_scores: FloatArray) -> float:
    if len(positive_scores) < FEWEST_POSITIVES_TO_RULE_OUT:
        return 0.0
    return float(np.quantile(positive_scores, 1 - RULE_OUT_SENSITIVITY, method="lower"))


def _fit(logits: FloatArray, labels: FloatArray, weights: FloatArray, prior: float | None) -> tuple[float, float]:
    def loss(parameters: FloatArray) -> float:
        log_slope, intercept = parameters
        signed = np.where(labels == 1, 1.0, -1.0) * (np.exp(log_slope) * logits + intercept)
        pull = SLOPE_PRIOR * (log_slope - np.log(prior)) ** 2 if prior is not None else 0.0
        return float((weights * np.logaddexp(0.0, -signed)).sum() + pull)

    start = np.array([np.log(prior) if prior is not None else 0.0, 0.0])
    log_slope, intercept = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 2000}).x
    return float(np.exp(log_slope)), float(intercept)


def _sigmoid(values: FloatArray) -> FloatArray:
    return np.asarray(1.0 / (1.0 + np.exp(-values)))
