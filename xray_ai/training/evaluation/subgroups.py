"""Parts of the images that a pack may do worse on."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from xray_ai.domain.finding import ABNORMALITY
from xray_ai.training.datasets.cohort import CohortImage
from xray_ai.training.evaluation.bootstrap import Resamples, interval
from xray_ai.training.evaluation.measured import SubgroupFigures
from xray_ai.training.evaluation.ranking import mean_auroc
from xray_ai.training.evaluation.scoring import Mask, Scored

UNKNOWN = "unknown"
AGE_BANDS = ((18, "0 to 17"), (40, "18 to 39"), (60, "40 to 59"), (80, "60 to 79"), (121, "80 and over"))

Grouping = Callable[[CohortImage], str]


@cache
def image_size(path: Path) -> tuple[int, int]:
    """Width and height by the file's header, px."""
    with Image.open(path) as image:
        return image.size


def long_side(image: CohortImage) -> int:
    return max(image_size(image.path))


def age_band(image: CohortImage) -> str:
    age = int(image.age) if image.age.isdecimal() else -1
    return next((name for below, name in AGE_BANDS if 0 <= age < below), UNKNOWN)


GROUPINGS: dict[str, Grouping] = {
    "view": lambda image: image.view or UNKNOWN,
    "sex": lambda image: image.sex or UNKNOWN,
    "age": age_band,
    "source": lambda image: image.source,
    "source copy": lambda image: image.source_copy,
    "resolution": lambda image: f"{long_side(image)} px",
}


def subgroup_figures(scored: Scored, resamples: Resamples) -> tuple[SubgroupFigures, ...]:
    """Measure every group of every grouping."""
    return tuple(
        _figures(by, group, scored.of(chosen), resamples.of(chosen))
        for by, grouping in GROUPINGS.items()
        for group, chosen in groups(scored, grouping)
    )


def groups(scored: Scored, grouping: Grouping) -> Iterator[tuple[str, Mask]]:
    """Each group with its images, (N,) of booleans, by name and by number."""
    names = np.array([grouping(image) for image in scored.images])
    for name in sorted(set(names.tolist()), key=_by_number):
        yield name, names == name


def _by_number(name: str) -> tuple[int, str]:
    first = name.split(maxsplit=1)[0] if name else ""
    return (int(first), name) if first.isdecimal() else (-1, name)


def _figures(by: str, group: str, part: Scored, resamples: Resamples) -> SubgroupFigures:
    any_finding = part.keys.index(ABNORMALITY)
    told = (any_finding,) if part.can_tell(any_finding) else ()
    return SubgroupFigures(
        by=by,
        group=group,
        images=len(part.images),
        patients=len(set(part.patients)),
        positives=part.positives(any_finding),
        findings=len(part.frequent),
        mean_auroc=interval(mean_auroc(part, resamples, part.frequent)),
        abnormality=interval(mean_auroc(part, resamples, told)),
    )
