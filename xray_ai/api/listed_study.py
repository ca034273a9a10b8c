"""One line of the worklist, as programs and pages are told it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from xray_ai.api.wire import PriorityName
from xray_ai.domain.finding import FindingKey
from xray_ai.domain.uid import StudyInstanceUID
from xray_ai.domain.waiting import WaitingCaps
from xray_ai.records import claims, worklist
from xray_ai.records.studies import Study
from xray_ai.records.words import StudyStatus
from xray_ai.records.worklist import ReaderState


class Flag(BaseModel):
    """A finding that lifted the study, with its highest score."""

    model_config = ConfigDict(from_attributes=True)

    finding: FindingKey
    probability: float  # 0.0 to 1.0
    operating_point: float  # at or above: present


class StateOfReading(BaseModel):
    """Where the study stands with the people who read it."""

    is_: ReaderState = Field(alias="is")
    by: str | None  # an account
    by_display_name: str | None
    since: datetime | None

    @classmethod
    def of(cls, study: Study, display_name: str | None) -> Self:
        if study.reader is None:
            state = ReaderState.WAITING
        else:
            state = ReaderState.FINISHED if study.is_finished else ReaderState.CLAIMED
        told = {"is": state, "by": study.reader, "by_display_name": display_name, "since": study.reader_since}
        return cls.model_validate(told)


class ListedStudy(BaseModel):
    """One line of the worklist; it does not print its patient."""

    study_instance_uid: StudyInstanceUID
    patient_name: str = Field(repr=False)  # as DICOM writes it: family^given
    patient_id: str = Field(repr=False)
    patient_birth_date: str = Field(repr=False)
    patient_sex: str = Field(repr=False)
    patient_age: str = Field(repr=False)  # as DICOM writes it: 066Y
    study_date: str = Field(repr=False)  # YYYYMMDD
    study_time: str = Field(repr=False)
    accession_number: str = Field(repr=False)
    study_description: str = Field(repr=False)
    station_name: str = Field(repr=False)
    modalities: tuple[str, ...]
    priority: PriorityName
    ordered_priority: PriorityName
    effective_priority: PriorityName  # where it stands: `priority`, or above it after a long wait
    is_waiting_too_long: bool
    because: tuple[FindingKey, ...]  # the most urgent first
    flags: tuple[Flag, ...]
    abnormality: float | None  # 0.0 to 1.0; null where nothing was read
    status: StudyStatus
    reason: str | None  # why it was not read
    reason_code: str | None
    conflicts: int  # images that came under the identifier of another, and were not read
    images: int
    state: StateOfReading
    received_at: datetime
    last_received_at: datetime
    read_at: datetime | None
    waiting_s: float  # since the first image came, until a reader finished
    version: int  # grows over all studies with each change of one


def list_studies(
    connection: Connection, studies: Sequence[Study], caps: WaitingCaps, now: datetime
) -> tuple[ListedStudy, ...]:
    """Tell those studies, in their order."""
    images = worklist.image_counts(connection, [study.study_instance_uid for study in studies])
    names = claims.display_names(connection, [study.reader for study in studies if study.reader is not None])
    return tuple(_listed(study, images.get(study.study_instance_uid, 0), names, (caps, now)) for study in studies)


def _listed(study: Study, images: int, names: dict[str, str], clock: tuple[WaitingCaps, datetime]) -> ListedStudy:
    who, (caps, now) = study.demographics, clock
    until = study.reader_since if study.is_finished and study.reader_since else now
    waited = max(until - study.received_at, until - until)
    return ListedStudy(
        study_instance_uid=study.study_instance_uid,
        patient_name=who.patient_name,
        patient_id=who.patient_id,
        patient_birth_date=who.patient_birth_date,
        patient_sex=who.patient_sex,
        patient_age=who.patient_age,
        study_date=who.study_date,
        study_time=who.study_time,
        accession_number=who.accession_number,
        study_description=who.study_description,
        station_name=who.station_name,
        modalities=tuple(one for one in who.modalities.split("\\") if one),
        priority=study.priority,
        ordered_priority=study.ordered_priority,
        effective_priority=study.effective_priority,
        is_waiting_too_long=not study.is_finished and caps.is_passed(study.priority, waited),
        because=study.because,
        flags=tuple(Flag.model_validate(score) for score in study.flags),
        abnormality=study.abnormality,
        status=study.status,
        reason=study.reason,
        reason_code=study.reason_code,
        conflicts=study.conflicts,
        images=images,
        state=StateOfReading.of(study, names.get(study.reader or "")),
        received_at=study.received_at,
        last_received_at=study.last_received_at,
        read_at=study.read_at,
        waiting_s=waited.total_seconds(),
        version=study.version,
    )
