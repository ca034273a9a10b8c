"""What changes of the images do that a site, a detector or an archive may make without telling."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from xray_ai.imaging.stored_image import StoredImage
from xray_ai.inference.pack_card import FindingCard
from xray_ai.inference.reader import Reader
from xray_ai.training.datasets.cohort import CohortImage
from xray_ai.training.evaluation.bootstrap import DECIMALS, Resamples, interval
from xray_ai.training.evaluation.measured import DisturbanceFigures, RobustnessFigures
from xray_ai.training.evaluation.ranking import mean_auroc
from xray_ai.training.evaluation.scoring import Change, FloatArray, Scored, score_images

Pixels = NDArray[np.uint8]
Disturbance = Callable[[Pixels], Pixels]

MOST_IMAGES = 300


def some_of_each_source(images: Sequence[CohortImage], most: int = MOST_IMAGES) -> tuple[CohortImage, ...]:
    """Choose at most `most` images, as many of each source as there are, always the same ones."""
    sources = sorted({image.source for image in images})
    by_chance = sorted(images, key=lambda image: hashlib.sha256(image.path.name.encode()).digest())
    chosen = [
        image
        for source in sources
        for image in [image for image in by_chance if image.source == source][: most // len(sources)]
    ]
    return tuple(chosen)


def robustness_figures(
    reader: Reader,
    scored: Scored,
    findings: Sequence[FindingCard],
    seed: int,
    disturbances: Mapping[str, Disturbance],
) -> RobustnessFigures:
    """Read some of the images again under each disturbance; `findings` are those of the columns."""
    chosen = set(some_of_each_source(scored.images))
    before = scored.of(np.array([image in chosen for image in scored.images]))
    resamples = Resamples.draw(before.patients, seed)
    points = np.array([finding.operating_point for finding in findings])
    return RobustnessFigures(
        images=len(before.images),
        findings=len(before.frequent),
        mean_auroc=interval(mean_auroc(before, resamples, before.frequent)),
        disturbances=tuple(
            _figures(name, before, score_images(reader, before.images, before.keys, _on_pixels(change)), points, seed)
            for name, change in disturbances.items()
        ),
    )


def _figures(name: str, before: Scored, after: Scored, points: FloatArray, seed: int) -> DisturbanceFigures:
    columns, same = before.frequent, before.of(before.also_in(after))
    refused = len(before.images) - len(same.images)
    if not same.images:
        return DisturbanceFigures(name=name, images=0, refused=refused, mean_probability_change=0.0, flags_changed=0.0)
    resamples = Resamples.draw(same.patients, seed)
    change = np.abs(after.probabilities - same.probabilities)
    flags = [scored.probabilities >= points for scored in (same, after)]
    return DisturbanceFigures(
        name=name,
        images=len(same.images),
        refused=refused,
        mean_auroc_change=interval(mean_auroc(after, resamples, columns) - mean_auroc(same, resamples, columns)),
        mean_probability_change=round(float(change.mean()), DECIMALS),
        flags_changed=round(float((flags[0] != flags[1]).any(axis=1).mean()), DECIMALS),
    )


def _on_pixels(change: Disturbance) -> Change:
    def changed(stored: StoredImage) -> StoredImage:
        values = change(np.asarray(stored.values, np.uint8))
        rows, columns = values.shape
        return replace(stored, values=values, rows=rows, columns=columns)

    return changed


def noisy(grey: Pixels, deviation: float) -> Pixels:
    """Add Gaussian noise of this standard deviation, white being 1.0; the image itself is its seed."""
    draw = np.random.default_rng(int.from_bytes(hashlib.sha256(grey.tobytes()).digest()[:8]))
    return _grey(grey + draw.normal(0, deviation * 255, grey.shape))


def blurred(grey: Pixels, share: float) -> Pixels:
    """Blur with a Gaussian whose standard deviation is this share of the long side."""
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), share * max(grey.shape)), np.uint8)


def turned(grey: Pixels, degrees: float) -> Pixels:
    """Turn about the centre, anticlockwise; what comes in at the corners is black."""
    rows, columns = grey.shape
    turn = cv2.getRotationMatrix2D(((columns - 1) / 2, (rows - 1) / 2), degrees, 1.0)
    return np.asarray(cv2.warpAffine(grey, turn, (columns, rows), flags=cv2.INTER_LINEAR), np.uint8)


def clipped(grey: Pixels, percent: float) -> Pixels:
    """Make the darkest and the brightest pixels, so many per cent each, plain black and white."""
    low, high = np.percentile(grey, [percent, 100 - percent])
    return _grey((grey - low) * (255 / max(high - low, 1.0)))


def gamma_changed(grey: Pixels, gamma: float) -> Pixels:
    return _grey(255 * (grey / 255) ** gamma)


def as_jpeg(grey: Pixels, quality: int) -> Pixels:
    """Compress as JPEG of this quality, and open again."""
    _, code = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE), np.uint8)


def halved(grey: Pixels) -> Pixels:
    """Halve the rows and columns, each pixel the mean of four."""
    rows, columns = grey.shape
    return np.asarray(cv2.resize(grey, (columns // 2, rows // 2), interpolation=cv2.INTER_AREA), np.uint8)


def _grey(values: FloatArray) -> Pixels:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


DISTURBANCES: dict[str, Disturbance] = {
    "noise, 1 % of white": partial(noisy, deviation=0.01),
    "noise, 3 % of white": partial(noisy, deviation=0.03),
    "blur, 0.3 % of the long side": partial(blurred, share=0.003),
    "blur, 0.6 % of the long side": partial(blurred, share=0.006),
    "turned by -10 degrees": partial(turned, degrees=-10),
    "turned by -5 degrees": partial(turned, degrees=-5),
    "turned by 5 degrees": partial(turned, degrees=5),
    "turned by 10 degrees": partial(turned, degrees=10),
    "window clips 2 % at both ends": partial(clipped, percent=2),
    "window clips 10 % at both ends": partial(clipped, percent=10),
    "gamma 0.7": partial(gamma_changed, gamma=0.7),
    "gamma 1.4": partial(gamma_changed, gamma=1.4),
    "JPEG, quality 90": partial(as_jpeg, quality=90),
    "JPEG, quality 50": partial(as_jpeg, quality=50),
    "JPEG, quality 20": partial(as_jpeg, quality=20),
    "resolution halved": halved,
}
