"""GET /api/worklist: the studies, most urgent first, as a radiologist's program lists them."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from xray_ai.api.service import Service
from xray_ai.api.wire import Limit, Offset, PriorityName
from xray_ai.domain.finding import FindingKey
from xray_ai.domain.uid import StudyInstanceUID
from xray_ai.records import studies
from xray_ai.records.database import reading
from xray_ai.records.studies import Study, WorklistPage, WorklistQuery, WorklistSort
from xray_ai.records.words import StudyStatus

router = APIRouter(prefix="/api/worklist", tags=["worklist"])

Sort = Annotated[WorklistSort, Query(description="urgency: most urgent first, then longest waiting; newest.")]
Status = Annotated[StudyStatus | None, Query(description="received, read or not_read; absent: all.")]


class ListedStudy(BaseModel):
    """One line of the worklist; it does not print its patient."""

    study_instance_uid: StudyInstanceUID
    patient_name: str = Field(repr=False)  # as DICOM writes it: family^given
    patient_id: str = Field(repr=False)
    patient_birth_date: str = Field(repr=False)
    patient_sex: str = Field(repr=False)
    study_date: str = Field(repr=False)  # YYYYMMDD
    study_time: str = Field(repr=False)
    accession_number: str = Field(repr=False)
    study_description: str = Field(repr=False)
    priority: PriorityName
    ordered_priority: PriorityName
    because: tuple[FindingKey, ...]  # the most urgent first
    abnormality: float | None  # 0.0 to 1.0; null where nothing was read
    status: StudyStatus
    reason: str | None  # why it was not read
    conflicts: int  # images that came under the identifier of another, and were not read
    received_at: datetime
    last_received_at: datetime
    read_at: datetime | None
    waiting_s: float  # since the first image came

    @classmethod
    def of(cls, study: Study, now: datetime) -> Self:
        who = study.demographics
        return cls(
            study_instance_uid=study.study_instance_uid,
            patient_name=who.patient_name,
            patient_id=who.patient_id,
            patient_birth_date=who.patient_birth_date,
            patient_sex=who.patient_sex,
            study_date=who.study_date,
            study_time=who.study_time,
            accession_number=who.accession_number,
            study_description=who.study_description,
            priority=study.priority,
            ordered_priority=study.ordered_priority,
            because=study.because,
            abnormality=study.abnormality,
            status=study.status,
            reason=study.reason,
            conflicts=study.conflicts,
            received_at=study.received_at,
            last_received_at=study.last_received_at,
            read_at=study.read_at,
            waiting_s=max(0.0, (now - study.received_at).total_seconds()),
        )


class Worklist(BaseModel):
    """A part of the worklist, and how many studies the whole has."""

    total: int
    items: tuple[ListedStudy, ...]

    @classmethod
    def of(cls, page: WorklistPage, now: datetime) -> Self:
        return cls(total=page.total, items=tuple(ListedStudy.of(study, now) for study in page.items))


@router.get("", summary="Studies, most urgent first, then longest waiting")
def worklist(
    service: Service,
    limit: Limit = 50,
    offset: Offset = 0,
    sort: Sort = WorklistSort.URGENCY,
    status: Status = None,
) -> Worklist:
    with reading(service.engine) as connection:
        page = studies.worklist_page(connection, WorklistQuery(limit, offset, status, sort))
    return Worklist.of(page, service.now())
