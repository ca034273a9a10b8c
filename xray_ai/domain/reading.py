"""What a model made of one radiograph."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xray_ai.domain.finding import ABNORMALITY, FindingKey, Score
from xray_ai.domain.radiograph import Note
from xray_ai.domain.scope import ScopeAnswer


@dataclass(frozen=True, slots=True)
class SourceBox:
    """A part of the source image in full-resolution pixels; the end is exclusive, fractions are allowed."""

    top: float
    left: float
    bottom: float
    right: float


@dataclass(frozen=True, slots=True, eq=False)
class Heatmap:
    """Where one finding's score comes from: a class activation map (CID 217, DCM 130402)."""

    finding: FindingKey
    values: NDArray[np.float32]  # (h, w), 0.0 to 1.0: share of this map's own strongest cell
    box: SourceBox  # the part of the source that the map covers


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model: the digest is the SHA-256 of the pack's card, which carries the digests of all else."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class ScopeReading:
    """What a scope model answered about one radiograph that was accepted."""

    model: ModelIdentity
    answers: tuple[ScopeAnswer, ...]  # in the order of ScopeQuestion

    @property
    def quality_findings(self) -> tuple[ScopeAnswer, ...]:
        return tuple(answer for answer in self.answers if answer.is_yes and answer.question.is_about_quality)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The scores and heatmaps of one radiograph by one model."""

    model: ModelIdentity
    scores: tuple[Score, ...]  # in the pack's order; abnormality is the last
    heatmaps: tuple[Heatmap, ...]  # one for each score, in the same order
    notes: tuple[Note, ...] = ()  # what the header contradicts
    scope: ScopeReading | None = None  # None: the pixels were not checked
    pixel_notes: tuple[Note, ...] = ()  # what acceptance by pixels lets pass and tells

    @property
    def abnormality(self) -> Score:
        return self.score_of(ABNORMALITY)

    def score_of(self, key: FindingKey) -> Score:
        return next(score for score in self.scores if score.finding.key == key)

    def heatmap_of(self, key: FindingKey) -> Heatmap:
        return next(heatmap for heatmap in self.heatmaps if heatmap.finding == key)
