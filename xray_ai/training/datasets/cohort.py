"""A cohort: images with labels, split by patient. Each adapter in this folder makes one."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

PATIENTS_PER_TUNE_PATIENT = 7


class Split(StrEnum):
    """Which patients may be used for what. Test patients are scored once for each pack that ships."""

    TRAIN = "train"
    TUNE = "tune"  # calibration, operating points, choice of epoch
    TEST = "test"


@dataclass(frozen=True, slots=True)
class CohortImage:
    """One labelled image."""

    path: Path
    source: str  # data set, for example nih or nih-128px
    source_copy: str
    patient_id: str
    view: str
    age: str
    sex: str
    labels: tuple[float, ...]  # 1.0 present, 0.0 absent, NaN unknown; in the order of Cohort.finding_keys
    split: Split


@dataclass(frozen=True, slots=True)
class Cohort:
    """Labelled images and the findings that their labels are about."""

    finding_keys: tuple[str, ...]
    images: tuple[CohortImage, ...]

    def __post_init__(self) -> None:
        split_of: dict[str, Split] = {}
        for image in self.images:
            if split_of.setdefault(image.patient_id, image.split) is not image.split:
                message = f"A patient is in two splits, {split_of[image.patient_id]} and {image.split}."
                raise ValueError(message)

    def of(self, split: Split, sources: frozenset[str] | None = None) -> tuple[CohortImage, ...]:
        return tuple(
            image for image in self.images if image.split is split and (sources is None or image.source in sources)
        )

    def digest(self) -> str:
        """SHA-256 over names, patients, labels and splits, so that a pack can say what it was trained on."""
        lines = sorted(
            f"{image.source}/{image.path.name}|{image.patient_id}|{image.labels}|{image.split}" for image in self.images
        )
        return hashlib.sha256("\n".join((*self.finding_keys, *lines)).encode()).hexdigest()


def develop_split(patient_id: str) -> Split:
    """Set one patient in seven aside for tuning, by a hash, so that it is the same on every machine."""
    value = int(hashlib.sha256(f"tune:{patient_id}".encode()).hexdigest()[:8], 16)
    return Split.TUNE if value % PATIENTS_PER_TUNE_PATIENT == 0 else Split.TRAIN
