"""Calls with a heatmap of one hot cell, so that its place is known."""

from pathlib import Path

import numpy as np

from tests.training.cohorts import a_cohort_image
from xray_ai.domain.finding import Code, Finding, FindingKey, Score
from xray_ai.domain.reading import Heatmap, SourceBox
from xray_ai.training.localisation.energy import FRAME, Call
from xray_ai.training.localisation.lung_region import SIDE_PX, Frame

CELLS = 6
LEFT_HALF = np.zeros((SIDE_PX, SIDE_PX), np.float32)
LEFT_HALF[:, : SIDE_PX // 2] = 1.0
LEFT, RIGHT = (3, 1), (3, 4)


def a_finding(key: str) -> Finding:
    return Finding(FindingKey(key), key.capitalize(), Code("SCT", "4147007", key))


def a_heatmap(hot: tuple[int, int] = LEFT, key: str = "mass", box: SourceBox = FRAME) -> Heatmap:
    values = np.zeros((CELLS, CELLS), np.float32)
    values[hot] = 1.0
    return Heatmap(FindingKey(key), values, box)


def a_call(
    patient: str = "p1",
    hot: tuple[int, int] = LEFT,
    *,
    key: str = "mass",
    probability: float = 0.6,
    region: Frame = LEFT_HALF,
    is_labelled: bool = True,
) -> Call:
    """One positive call; by default it lies inside the region, which is the left half."""
    image = a_cohort_image(patient, path=Path(f"{patient}.png"))
    return Call(image, Score(a_finding(key), probability, 0.5, 0.1), is_labelled, a_heatmap(hot, key), region)
