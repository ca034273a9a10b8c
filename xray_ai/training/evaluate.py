"""How a pack does on patients that nothing was trained or tuned on, through the serving reader."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from xray_ai.domain.finding import ABNORMALITY
from xray_ai.errors import StudyRejected
from xray_ai.imaging.grayscale import PLAIN
from xray_ai.imaging.grey_file import open_grey_file
from xray_ai.inference.pack_card import IntervalCard, PerformanceCard
from xray_ai.inference.reader import Reader
from xray_ai.training.datasets.cohort import Cohort, CohortImage

FloatArray = NDArray[np.float64]

RESAMPLES = 1000
LEVEL = (2.5, 97.5)


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Probabilities and labels of the images that were read."""

    images: tuple[CohortImage, ...]
    probabilities: FloatArray  # (N, K)
    labels: FloatArray  # (N, K)
    not_read: int

    @property
    def patients(self) -> NDArray[np.str_]:
        return np.array([image.patient_id for image in self.images])


def score_images(reader: Reader, images: Sequence[CohortImage]) -> Scored:
    """Read every image as the service would; what it refuses is counted."""
    read, rows = [], []
    for image in tqdm(images, "score", unit="image", mininterval=5, disable=None):
        try:
            reading = reader.read(open_grey_file(image.path), PLAIN)
        except StudyRejected:
            continue
        read.append(image)
        rows.append([score.probability for score in reading.scores])
    labels = np.array([image.labels for image in read])
    return Scored(tuple(read), np.array(rows), labels, len(images) - len(read))


def evaluate(
    reader: Reader, cohort: Cohort, images: Sequence[CohortImage], measured_on: str, seed: int
) -> PerformanceCard:
    """AUROC of each finding and their mean, with bootstrap intervals by patient."""
    scored = score_images(reader, images)
    findings = [k for k, key in enumerate(cohort.finding_keys) if key != ABNORMALITY]
    aurocs = {
        key: bootstrap(scored, partial(mean_auroc, outputs=[k]), seed) for k, key in enumerate(cohort.finding_keys)
    }
    return PerformanceCard(
        measured_on=measured_on,
        images=len(scored.images),
        patients=len(set(scored.patients)),
        not_read=scored.not_read,
        interval_method=f"95 % percentile bootstrap over patients, {RESAMPLES} resamples, seed {seed}",
        mean_auroc=bootstrap(scored, partial(mean_auroc, outputs=findings), seed),
        auroc={
            key: card.model_copy(update={"positives": int(scored.labels[:, k].sum())})
            for k, (key, card) in enumerate(aurocs.items())
        },
    )


def auroc(labels: FloatArray, scores: FloatArray) -> float:
    """Area under the ROC curve, NaN where only one class is there: (N,), (N,) -> scalar."""
    if not 0 < labels.sum() < len(labels):
        return float("nan")
    return float(roc_auc_score(labels, scores))


def mean_auroc(scored: Scored, outputs: Sequence[int]) -> float:
    """Mean of the outputs' AUROCs, over those that have both classes."""
    figures = np.array([auroc(scored.labels[:, k], scored.probabilities[:, k]) for k in outputs])
    return float(figures[~np.isnan(figures)].mean()) if not np.isnan(figures).all() else float("nan")


def bootstrap(scored: Scored, figure: Callable[[Scored], float], seed: int) -> IntervalCard:
    """Give a figure its interval by drawing patients, not images, with replacement (Efron 1979)."""
    generator = np.random.default_rng(seed)
    _, patient_of_image = np.unique(scored.patients, return_inverse=True)
    images_of = np.split(np.argsort(patient_of_image, kind="stable"), np.cumsum(np.bincount(patient_of_image))[:-1])
    figures = []
    for _ in range(RESAMPLES):
        drawn = np.concatenate([images_of[p] for p in generator.integers(len(images_of), size=len(images_of))])
        part = replace(scored, probabilities=scored.probabilities[drawn], labels=scored.labels[drawn])
        figures.append(figure(part))
    low, high = np.nanpercentile(figures, LEVEL)
    return IntervalCard(value=round(figure(scored), 4), low=round(float(low), 4), high=round(float(high), 4))
