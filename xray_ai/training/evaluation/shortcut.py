"""`abnormality` beside classifiers that see no pixel: what image size and source alone give away."""

from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from xray_ai.domain.finding import ABNORMALITY
from xray_ai.training.datasets.cohort import CohortImage
from xray_ai.training.evaluation.bootstrap import Resamples, interval, mean_of
from xray_ai.training.evaluation.measured import AbnormalityFigures
from xray_ai.training.evaluation.ranking import auroc
from xray_ai.training.evaluation.scoring import FloatArray, Mask, Scored
from xray_ai.training.evaluation.subgroups import groups, image_size, long_side

SMALL_COPY_PX = 300
FEWEST_IN_LEAF = 20
WITHIN_COPIES = "mean within source copies"


def abnormality_figures(
    scored: Scored, train: Sequence[CohortImage], resamples: Resamples, seed: int
) -> tuple[tuple[AbnormalityFigures, ...], AbnormalityFigures]:
    """Measure `abnormality` on parts of the images, and the mean over source copies, beside what sees no pixel.

    The mean is over the copies with enough images of both classes: no difference between copies can help it.
    """
    column = scored.keys.index(ABNORMALITY)
    labels = scored.labels[:, column]
    answers = (
        scored.probabilities[:, column],
        shortcut(train, scored.images, column, sees_source=False, seed=seed),
        shortcut(train, scored.images, column, sees_source=True, seed=seed),
    )
    rows, copies = [], []
    for part, chosen in _parts(scored):
        figures = [auroc(labels[chosen], answer[chosen], resamples.weights[:, chosen]) for answer in answers]
        if not scored.of(chosen).can_tell(column):
            figures = [np.full_like(figure, np.nan) for figure in figures]
        rows.append(_row(part, labels[chosen], figures))
        if part.startswith("copy"):
            copies.append(figures)
    means = [mean_of(np.stack([copy[answer] for copy in copies], axis=1)) for answer in range(len(answers))]
    told = np.isin([image.source_copy for image in scored.images], list(_copies_told(rows)))
    return tuple(rows), _row(WITHIN_COPIES, labels[told], means)


def is_small_copy(images: Sequence[CohortImage]) -> Mask:
    """Say which images are the 300 px copies, whose size gives labels away: (N,)."""
    return np.array([long_side(image) == SMALL_COPY_PX for image in images], np.bool_)


def shortcut(
    train: Sequence[CohortImage], images: Sequence[CohortImage], column: int, *, sees_source: bool, seed: int
) -> FloatArray:
    """Score images by their size, and their source where it sees that, as learnt from training images: -> (N,)."""
    names = sorted({name for image in train for name in (image.source, image.source_copy)})
    number = {name: float(place) for place, name in enumerate(names)}

    def seen(image: CohortImage) -> list[float]:
        sources = (image.source, image.source_copy) if sees_source else ()
        return [*map(float, image_size(image.path)), *(number.get(name, np.nan) for name in sources)]

    labels = np.array([image.labels[column] for image in train])
    known = ~np.isnan(labels)
    judge = DecisionTreeClassifier(min_samples_leaf=FEWEST_IN_LEAF, random_state=seed)
    judge.fit(np.array([seen(image) for image in train])[known], labels[known])
    return np.asarray(judge.predict_proba(np.array([seen(image) for image in images]))[:, 1], np.float64)


def _parts(scored: Scored) -> Iterator[tuple[str, Mask]]:
    is_small = is_small_copy(scored.images)
    yield "all images", np.ones_like(is_small)
    yield f"without the {SMALL_COPY_PX} px copies", ~is_small
    for name, chosen in groups(scored, lambda image: image.source):
        yield f"source {name}", chosen
    for name, chosen in groups(scored, lambda image: image.source_copy):
        yield f"copy {name}", chosen


def _copies_told(rows: Sequence[AbnormalityFigures]) -> Iterator[str]:
    """Names of the source copies that the mean is over."""
    for row in rows:
        if row.part.startswith("copy ") and row.pack is not None:
            yield row.part.removeprefix("copy ")


def _row(part: str, labels: FloatArray, figures: Sequence[FloatArray]) -> AbnormalityFigures:
    pack, size_alone, size_and_source = (interval(figure) for figure in figures)
    return AbnormalityFigures(
        part=part,
        images=len(labels),
        positives=int((labels == 1.0).sum()),
        pack=pack,
        size_alone=size_alone,
        size_and_source=size_and_source,
    )
