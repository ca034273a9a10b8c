"""Readings and study results for tests, one line each to use: what a model made of synthetic radiographs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from tests.factories import a_dataset, some_pixels
from xray_ai.domain.evidence import ResultOptions
from xray_ai.domain.finding import ABNORMALITY, Code, Finding, FindingKey, Score
from xray_ai.domain.priority import Priority
from xray_ai.domain.reading import Heatmap, ModelIdentity, Reading, ScopeReading, SourceBox
from xray_ai.domain.scope import ScopeAnswer, ScopeQuestion
from xray_ai.domain.uid import SOPInstanceUID
from xray_ai.errors import StudyRejected
from xray_ai.imaging.header import header_of
from xray_ai.results.study_result import ReadImage, StudyResult, UnreadImage
from xray_ai.triage import TriagePolicy, triage

MODEL = ModelIdentity("nih14-lite0", "1.0.0", "ab12cd34ef56ab78" * 4)
SCOPE = ModelIdentity("frontal-scope", "0.1.0", "12ab34cd56ef78ab" * 4)
READ_AT = datetime(2026, 11, 23, 8, 15, 30, 250000, UTC)
POLICY = TriagePolicy(
    "test", "cd" * 32, MappingProxyType({FindingKey("pneumothorax"): Priority.STAT, FindingKey("mass"): Priority.HIGH})
)


def a_score(name: str = "Mass", probability: float = 0.87, operating_point: float = 0.53) -> Score:
    key = FindingKey(name.lower().replace(" ", "_"))
    return Score(Finding(key, name, Code("99TEST", key[:16], name)), probability, operating_point, 0.1)


MASS = a_score()
NO_PNEUMOTHORAX = a_score("Pneumothorax", 0.02, 0.4)
ABNORMAL = a_score(ABNORMALITY.capitalize(), 0.7, 0.5)


def some_heat(hot: tuple[int, int] | None = (3, 2)) -> NDArray[np.float32]:
    """10 x 8 cells, one of them hot with a warm neighbour on its right; None: no support anywhere."""
    values = np.zeros((10, 8), np.float32)
    if hot is not None:
        values[hot] = 1.0
        values[hot[0], hot[1] + 1] = 0.6
    return values


def a_read_image(
    source: Dataset | None = None,
    scores: Sequence[Score] = (MASS, NO_PNEUMOTHORAX, ABNORMAL),
    *,
    heat: Sequence[NDArray[np.float32]] | None = None,
    ordered: Priority = Priority.ROUTINE,
    display: NDArray[np.float32] | None = None,
) -> ReadImage:
    """A radiograph that was read; by default each finding has the same heatmap over the whole image."""
    dataset = a_dataset() if source is None else source
    box = SourceBox(0.0, 0.0, float(dataset.Rows), float(dataset.Columns))
    values = [some_heat()] * len(scores) if heat is None else heat
    heatmaps = tuple(Heatmap(score.finding.key, each, box) for score, each in zip(scores, values, strict=True))
    shown = some_pixels(dataset.Rows, dataset.Columns) / np.float32(4095) if display is None else display
    reading = Reading(MODEL, tuple(scores), heatmaps)
    shape = (int(dataset.Rows), int(dataset.Columns))
    decision = triage(scores, POLICY, ordered)
    return ReadImage(dataset, header_of(dataset), reading, decision, (), np.asarray(shown, np.float32), shape)


def accepted(image: ReadImage, *faults: ScopeQuestion) -> ReadImage:
    """The image after a scope check that found these faults."""
    answers = tuple(ScopeAnswer(question, 0.9 if question in faults else 0.05, 0.5) for question in ScopeQuestion)
    return replace(image, reading=replace(image.reading, scope=ScopeReading(SCOPE, answers)))


def an_unread_image(source: Dataset, rejection: StudyRejected) -> UnreadImage:
    return UnreadImage(source, header_of(source), rejection)


def a_study_result(
    *read: ReadImage,
    unread: Sequence[UnreadImage] = (),
    predecessor: str | None = None,
    scope: ModelIdentity | None = None,
    **options: Any,  # noqa: ANN401
) -> StudyResult:
    """One study's result; options by keyword."""
    return StudyResult(
        read=read or (a_read_image(),),
        unread=tuple(unread),
        model=MODEL,
        policy=POLICY,
        read_at=READ_AT,
        predecessor=SOPInstanceUID(predecessor) if predecessor else None,
        options=ResultOptions(**options),
        scope=scope,
    )
