"""Scores without images: what a pack might have said of patients that are only numbers."""

import numpy as np
from numpy.typing import NDArray

from tests.training.cohorts import a_cohort_image
from xray_ai.inference.pack_card import CalibrationCard, CodeCard, FindingCard
from xray_ai.training.datasets.cohort import CohortImage
from xray_ai.training.evaluation.bootstrap import Resamples
from xray_ai.training.evaluation.scoring import FloatArray, Scored


def a_scored(
    labels: FloatArray,
    probabilities: FloatArray,
    images: tuple[CohortImage, ...] = (),
    keys: tuple[str, ...] = ("mass", "abnormality"),
) -> Scored:
    """Scores of these labels (N, K), one patient for each image unless images are given."""
    images = images or tuple(a_cohort_image(f"p{number}") for number in range(len(labels)))
    return Scored(keys[: labels.shape[1]], images, probabilities, labels, {})


def mediocre(count: int, lift: float = 1.0, outputs: int = 2, seed: int = 0) -> Scored:
    """Every second image positive, and positives scored higher by `lift` standard deviations."""
    draw = np.random.default_rng(seed)
    labels = (np.arange(count) % 2).astype(np.float64)[:, None].repeat(outputs, axis=1)
    return a_scored(labels, sigmoid(draw.normal(0, 1, labels.shape) + lift * labels))


def each_once(count: int) -> FloatArray:
    return np.ones((1, count))


def independent(count: int, seed: int = 1, resamples: int = 200) -> Resamples:
    """Draws of patients with one image each."""
    return Resamples.draw(np.array([f"p{number}" for number in range(count)]), seed, resamples)


def a_finding(key: str = "mass", prevalence: float = 0.1, present: float = 0.5, absent: float = 0.1) -> FindingCard:
    """One output's card."""
    return FindingCard(
        key=key,
        name=key.capitalize(),
        code=CodeCard(scheme="99TEST", value=key[:16], meaning=key),
        stated_prevalence=prevalence,
        calibration=CalibrationCard(slope=1.0, intercept=0.0),
        operating_point=present,
        rule_out_point=absent,
        expected_alert_share=0.05,
    )


def sigmoid(values: FloatArray) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-values)))
