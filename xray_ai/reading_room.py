"""The reading room: what one site's models make of a radiograph, from its file to how soon it should be seen.

It knows no network and no database: the path (`pipeline.py`) and the command `xray-ai triage` both read here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from xray_ai.acceptance import REFUSED_BY_PIXELS, Acceptance, accept_header
from xray_ai.domain.evidence import ResultOptions
from xray_ai.domain.priority import Priority
from xray_ai.domain.radiograph import Note, RadiographHeader
from xray_ai.domain.reading import ModelIdentity, Reading
from xray_ai.domain.uid import SOPInstanceUID
from xray_ai.errors import StudyRejected
from xray_ai.imaging.decode import decode
from xray_ai.imaging.grayscale import grayscale_of
from xray_ai.imaging.header import header_of
from xray_ai.imaging.part10 import open_part10
from xray_ai.inference.reader import Reader
from xray_ai.results.evidence import Evidence, compose
from xray_ai.results.heatmap_image import display_for_results
from xray_ai.results.study_result import ReadImage, StudyImage, StudyResult, UnreadImage
from xray_ai.triage import Triage, TriagePolicy, triage


@dataclass(frozen=True, slots=True)
class ReadingRoom:
    """One site's models, limits and policy."""

    reader: Reader
    acceptance: Acceptance
    policy: TriagePolicy
    ordered_priority: Priority


@dataclass(frozen=True, slots=True, eq=False)
class TriagedRadiograph:
    """A radiograph that was read."""

    header: RadiographHeader
    reading: Reading
    policy: TriagePolicy
    decision: Triage
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class UnreadRadiograph:
    """An input that was not read, and why; silence would be taken for 'nothing found'."""

    header: RadiographHeader | None  # None: not even its header could be read
    rejection: StudyRejected
    refused_by: ModelIdentity | None = None  # the scope pack, where the pixels were the reason


def triage_file(room: ReadingRoom, path: Path) -> TriagedRadiograph | UnreadRadiograph:
    """Read one file and decide how soon, or say why it is not read."""
    header = None
    try:
        dataset = open_part10(path)
        header = header_of(dataset)
        return read_radiograph(room, dataset, header)
    except StudyRejected as rejection:
        by_pixels = rejection.code in REFUSED_BY_PIXELS
        return UnreadRadiograph(header, rejection, room.reader.scope_identity if by_pixels else None)


def read_radiograph(room: ReadingRoom, dataset: Dataset, header: RadiographHeader) -> TriagedRadiograph:
    """Accept by header, decode, accept by pixels and read, triage. Raises StudyRejected."""
    notes = accept_header(header, room.acceptance)
    stored = decode(dataset, least_side=room.reader.least_side)
    reading = room.reader.read(stored, grayscale_of(dataset))
    decision = triage(reading.scores, room.policy, room.ordered_priority)
    return TriagedRadiograph(header, reading, room.policy, decision, notes + reading.pixel_notes + reading.notes)


def result_image(path: Path, outcome: TriagedRadiograph | UnreadRadiograph, options: ResultOptions) -> StudyImage:
    """Open a triaged file once more for its results: its header, and what a viewer would show where that is drawn.

    Raises: StudyRejected, when the file is no longer what it was.
    """
    source = open_part10(path)
    header = outcome.header or header_of(source)
    if isinstance(outcome, UnreadRadiograph):
        return UnreadImage(_without_pixels(source), header, outcome.rejection)
    is_drawn = options.localisation and bool(outcome.decision.because)
    display = _display_or_none(source) if is_drawn else None
    return ReadImage(
        source=_without_pixels(source),
        header=header,
        reading=outcome.reading,
        decision=outcome.decision,
        notes=outcome.notes,
        display=None if display is None else display_for_results(display),
        source_shape=None if display is None else (display.shape[0], display.shape[1]),
    )


def _display_or_none(source: Dataset) -> NDArray[np.float32] | None:
    """What a viewer shows; None where only the reduced image, which was read, can be decoded."""
    try:
        return display_grayscale(source)
    except StudyRejected:
        return None


def _without_pixels(source: Dataset) -> Dataset:
    """Let the pixels go: a study may have thousands of images."""
    if "PixelData" in source:
        del source.PixelData
    return source


def display_grayscale(dataset: Dataset) -> NDArray[np.float32]:
    """Decode as a viewer shows it: full resolution, windowed, 0.0 black to 1.0 white. Raises StudyRejected."""
    return grayscale_of(dataset).for_display(decode(dataset, least_side=None).values)


def report_study(
    room: ReadingRoom,
    images: Sequence[StudyImage],
    read_at: datetime,
    options: ResultOptions,
    predecessor: SOPInstanceUID | None = None,
) -> Evidence:
    """Compose one study's evidence from all of its images, read or not; `predecessor` is the report that it revises."""
    read = tuple(image for image in images if isinstance(image, ReadImage))
    return compose(
        StudyResult(
            read=read,
            unread=tuple(image for image in images if isinstance(image, UnreadImage)),
            model=read[-1].reading.model if read else room.reader.pack.identity,  # which may be replaced by now
            policy=room.policy,
            read_at=read_at,
            predecessor=predecessor,
            options=options,
            scope=room.reader.scope_identity,
        )
    )
