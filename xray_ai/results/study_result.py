"""One study as the results see it: what was read, what was not, when, and by which rules."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from xray_ai.domain.evidence import ResultOptions
from xray_ai.domain.priority import Priority
from xray_ai.domain.radiograph import Note, RadiographHeader
from xray_ai.domain.reading import ModelIdentity, Reading
from xray_ai.domain.uid import SOPInstanceUID
from xray_ai.errors import StudyRejected
from xray_ai.triage import Triage, TriagePolicy


@dataclass(frozen=True, slots=True, eq=False)
class ReadImage:
    """A radiograph that was read."""

    source: Dataset  # its header as received; pixel data are not needed
    header: RadiographHeader
    reading: Reading
    decision: Triage
    notes: tuple[Note, ...]
    display: NDArray[np.float32] | None  # (rows, columns) 0.0 black to 1.0 white, <= 1024 px a side; None: not drawn
    source_shape: tuple[int, int] | None  # rows and columns of the source, where `display` is there


@dataclass(frozen=True, slots=True, eq=False)
class UnreadImage:
    """An image of the study that was not read, and why."""

    source: Dataset
    header: RadiographHeader
    rejection: StudyRejected


StudyImage = ReadImage | UnreadImage


@dataclass(frozen=True, slots=True, eq=False)
class StudyResult:
    """All images of one study with one model's reading of them."""

    read: tuple[ReadImage, ...]
    unread: tuple[UnreadImage, ...]
    model: ModelIdentity
    policy: TriagePolicy
    read_at: datetime  # the recorded time of the last reading, with its time zone; never 'now'
    predecessor: SOPInstanceUID | None  # the report that this one revises
    options: ResultOptions
    scope: ModelIdentity | None = None  # which model accepted by pixels; None: nobody did

    @property
    def priority(self) -> Priority | None:
        """The most urgent priority of its images; None when none was read."""
        return max((image.decision.priority for image in self.read), default=None)
