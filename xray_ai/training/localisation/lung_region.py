"""Where the lungs and the heart are: drawn by hand on thirty radiographs, carried over to others by registration."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from xray_ai.domain.reading import SourceBox
from xray_ai.training.datasets.cohort import CohortImage

REGIONS_FILE = Path(__file__).parent / "lung_regions.toml"
SIDE_PX = 96  # of the square frame that stands for the part of the image that a heatmap covers
FINE = 8  # outlines are drawn as much finer, then averaged
CLIP_LIMIT = 2.0
BLUR_PX = 1.5
FITTED = 5  # radiographs, those that fit best, whose regions are averaged
STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-4)

Frame = NDArray[np.float32]  # (SIDE_PX, SIDE_PX), 0.0 to 1.0
Frames = NDArray[np.float32]  # (n, SIDE_PX, SIDE_PX)
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Outline = Annotated[tuple[tuple[Share, Share], ...], Field(min_length=3)]  # (across, down), as shares of the image


class Outlines(BaseModel):
    """The lungs and the heart of one radiograph."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    right_lung: Outline
    left_lung: Outline
    heart: Outline

    @property
    def all(self) -> tuple[NDArray[np.float32], ...]:
        return tuple(np.array(part, np.float32) for part in (self.right_lung, self.left_lung, self.heart))


def drawn_by_hand() -> dict[str, Outlines]:
    """Read the outlines; the keys are names as `name_of` gives them."""
    return TypeAdapter(dict[str, Outlines]).validate_python(tomllib.loads(REGIONS_FILE.read_text("utf-8")))


def name_of(image: CohortImage) -> str:
    return f"{image.source}/{image.path.name}"


def region_within(outlines: Outlines, box: SourceBox, rows: int, columns: int) -> Frame:
    """Draw the lungs and the heart into the frame of a box.

    Shape:  outlines as shares of an image of (rows, columns) -> (SIDE_PX, SIDE_PX), the share of each cell inside.
    """
    start, extent = (box.left, box.top), (box.right - box.left, box.bottom - box.top)
    fine = np.zeros((SIDE_PX * FINE, SIDE_PX * FINE), np.float32)
    for outline in outlines.all:
        corners = (outline * (columns, rows) - start) / extent * len(fine) - 0.5
        cv2.fillPoly(fine, [np.round(corners).astype(np.int32)], 1.0)
    return np.asarray(cv2.resize(fine, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA), np.float32)


def survey_of(grey: NDArray[np.float32]) -> Frame:
    """Make prepared radiographs alike, so that they can be laid on each other: contrast levelled, fine lines gone."""
    small = cv2.resize(grey, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    levelled = cv2.createCLAHE(CLIP_LIMIT, (2, 2)).apply(np.round(small * 255).astype(np.uint8))
    return np.asarray(cv2.GaussianBlur(levelled, (0, 0), BLUR_PX) / np.float32(255), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Atlas:
    """Radiographs whose regions are known, in frames."""

    surveys: Frames
    regions: Frames

    def without(self, number: int) -> "Atlas":
        return Atlas(np.delete(self.surveys, number, axis=0), np.delete(self.regions, number, axis=0))

    def carried_to(self, survey: Frame) -> Frame:
        """Find the region of another radiograph: lay each known one on it, and average those that fit best.

        Where none can be laid on it, the mean of the known regions is taken as it is.

        Shape:  (SIDE_PX, SIDE_PX) -> the same, 0.0 outside or 1.0 inside.
        Source: Evangelidis and Psarakis, Parametric image alignment using enhanced correlation coefficient
                maximization, IEEE TPAMI 2008; Candemir et al., Lung segmentation in chest radiographs using
                anatomical atlases with nonrigid registration, IEEE TMI 2014, but affine.
        """
        laid = [_laid_on(survey, *pair) for pair in zip(self.surveys, self.regions, strict=True)]
        fitting = sorted((one for one in laid if one is not None), key=lambda one: one[0], reverse=True)
        regions = [region for _, region in fitting[:FITTED]] or list(self.regions)
        return np.asarray(np.mean(regions, axis=0) > 0.5, np.float32)  # noqa: PLR2004 more in than out

    def agreement(self) -> NDArray[np.float64]:
        """Dice of each known region with the one that the others would carry to it."""
        carried = [self.without(number).carried_to(survey) for number, survey in enumerate(self.surveys)]
        return np.array([dice(one, two) for one, two in zip(carried, self.regions, strict=True)])


def dice(one: Frame, two: Frame) -> float:
    """Twice what two regions share by what both are (Dice 1945)."""
    inside = one > 0.5, two > 0.5  # noqa: PLR2004 more in than out
    return float(2 * (inside[0] & inside[1]).sum() / max(inside[0].sum() + inside[1].sum(), 1))


def _laid_on(survey: Frame, known: Frame, region: Frame) -> tuple[float, Frame] | None:
    """How well a known radiograph fits, and its region moved with it; None where the search finds no way."""
    try:
        fit, way = cv2.findTransformECC(survey, known, np.eye(2, 3, dtype=np.float32), cv2.MOTION_AFFINE, STEPS)
    except cv2.error:  # it did not converge
        return None
    moved = cv2.warpAffine(region, way, region.shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return float(fit), np.asarray(moved, np.float32)
