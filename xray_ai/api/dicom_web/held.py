"""The objects of a study behind DICOMweb: which they are, where they lie, and what their headers say."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from fastapi import Path as InPath
from fastapi import Request
from pydicom import dcmread
from pydicom.dataset import Dataset

from xray_ai.api.problems import NotHere
from xray_ai.api.service import Operations
from xray_ai.domain.uid import StudyInstanceUID
from xray_ai.imaging.attributes import attempt, text_of
from xray_ai.objects import place_of
from xray_ai.records.database import reading
from xray_ai.records.study_search import Held, held_of

Uid = Annotated[str, InPath(pattern=r"^[0-9.]{1,64}$", description="A UID.")]
MOST_HEADERS = 512
LONGEST_VALUE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Instance:
    """One object that can be answered."""

    held: Held
    path: Path
    header: Dataset  # without pixels

    @property
    def series(self) -> str:
        return text_of(self.header, "SeriesInstanceUID")

    def url(self, request: Request) -> str:
        study = text_of(self.header, "StudyInstanceUID")
        base = str(request.base_url).rstrip("/")
        return f"{base}/dicom-web/studies/{study}/series/{self.series}/instances/{self.held.sop_instance_uid}"


def instances_of(service: Operations, study: str, series: str = "", instance: str = "") -> tuple[Instance, ...]:
    """The objects of a study, or fewer of them. Raises NotHere where there is none."""
    found = tuple(
        one
        for one in every_instance_of(service, study)
        if series in ("", one.series) and instance in ("", one.held.sop_instance_uid)
    )
    if not found:
        raise NotHere("There is no such object here: it never came, or it has expired.")
    return found


def every_instance_of(service: Operations, study: str) -> tuple[Instance, ...]:
    """The objects of a study whose headers can be read; none where it is unknown."""
    with reading(service.engine) as connection:
        held = held_of(connection, StudyInstanceUID(study))
    placed = [(one, place_of(service.storage_root / "objects", one.digest)) for one in held]
    read = [(one, path, header_at(path)) for one, path in placed]
    return tuple(Instance(one, path, header) for one, path, header in read if header is not None)


def header_at(path: Path) -> Dataset | None:
    """The header of an object, which never changes; None where it is gone or damaged."""
    return _kept(path) if path.exists() else None


@lru_cache(MOST_HEADERS)
def _kept(path: Path) -> Dataset | None:
    return attempt(lambda: dcmread(path, stop_before_pixels=True, force=True))
