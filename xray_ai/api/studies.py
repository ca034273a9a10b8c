"""GET /api/studies/{uid}: where is my study? Its images, every hop with time and reason, its results and deliveries."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, JsonValue
from sqlalchemy import Connection

from xray_ai import log
from xray_ai.api.access import May
from xray_ai.api.deliveries import ListedDelivery
from xray_ai.api.listed_study import ListedStudy, list_studies
from xray_ai.api.problems import NotHere
from xray_ai.api.service import Operations, Service
from xray_ai.api.wire import PriorityName, StudyUid
from xray_ai.domain.access import Caller, Permission
from xray_ai.domain.finding import FindingKey
from xray_ai.domain.received import ObjectDigest, Repeat, Route
from xray_ai.domain.uid import SOPClassUID, SOPInstanceUID, StudyInstanceUID, TransferSyntaxUID
from xray_ai.records import audit, deliveries, evidence, hops, readings, received_instances, studies
from xray_ai.records.audit import AuditEntry
from xray_ai.records.database import reading, writing
from xray_ai.records.deliveries import Delivery
from xray_ai.records.evidence import EvidenceKey, RecordedEvidence
from xray_ai.records.hops import Hop
from xray_ai.records.readings import RecordedReading
from xray_ai.records.received_instances import ReceivedInstance
from xray_ai.records.studies import Study
from xray_ai.records.whereabouts import whereabouts
from xray_ai.records.words import AuditAction, HopKind, ReadingStatus

router = APIRouter(prefix="/api/studies", tags=["studies"])


class _Told(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Step(_Told):
    """A hop of the study."""

    at: datetime
    what: HopKind
    reason: str
    sop_instance_uid: SOPInstanceUID | None  # null: it concerns the whole study


class Image(_Told):
    """One version of one object, as its bytes came."""

    sop_instance_uid: SOPInstanceUID
    sop_class_uid: SOPClassUID
    transfer_syntax_uid: TransferSyntaxUID
    digest: ObjectDigest
    size_bytes: int
    repeat: Repeat
    calling_ae_title: str
    called_ae_title: str
    host: str
    via: Route
    first_received_at: datetime
    last_received_at: datetime
    times_received: int


class Scored(_Told):
    """How likely one finding is."""

    finding: FindingKey
    probability: float
    operating_point: float
    rule_out_point: float


class Read(_Told):
    """What a model made of one image: read with scores, or refused with a reason."""

    sop_instance_uid: SOPInstanceUID
    model_digest: str
    source_digest: ObjectDigest
    status: ReadingStatus
    reason_code: str | None
    reason_text: str | None
    priority: PriorityName | None
    because: tuple[FindingKey, ...]
    abnormality: float | None
    scores: tuple[Scored, ...]
    detail: JsonValue  # notes on the image, and the model's name
    seconds: float
    read_at: datetime


class ResultObject(_Told):
    """One object of a report, in one form."""

    item: str
    form: str
    localisation: bool
    sop_instance_uid: SOPInstanceUID
    sop_class_uid: SOPClassUID
    transfer_syntax_uid: TransferSyntaxUID


class Reported(_Told):
    """What was composed about the study at one time."""

    evidence_key: EvidenceKey
    revision: int
    predecessor: EvidenceKey | None
    composed_at: datetime  # of the reading that it carries
    objects: tuple[ResultObject, ...]


@dataclass(frozen=True, slots=True)
class StudyRecords:
    """All that the records hold of one study."""

    study: Study
    listed: ListedStudy
    images: tuple[ReceivedInstance, ...]
    readings: tuple[RecordedReading, ...]
    evidence: tuple[RecordedEvidence, ...]
    deliveries: tuple[Delivery, ...]
    way: tuple[Hop, ...]

    @classmethod
    def of(cls, connection: Connection, uid: StudyInstanceUID, service: Operations) -> Self:
        """Read them. Raises NotHere."""
        study = studies.find(connection, uid)
        if study is None:
            raise NotHere("There is no such study here: it never came, or it has expired.")
        return cls(
            study,
            list_studies(connection, (study,), service.caps, service.now())[0],
            received_instances.versions_of_study(connection, uid),
            readings.of_study(connection, uid),
            evidence.of_study(connection, uid),
            deliveries.of_study(connection, uid),
            hops.way_of(connection, uid),
        )


class StudyTold(BaseModel):
    """One study: where it is, and how it came there."""

    whereabouts: str  # where is my study? in one sentence
    key: str  # the study in our logs
    study: ListedStudy
    way: tuple[Step, ...]  # in the order in which it went
    images: tuple[Image, ...]
    readings: tuple[Read, ...]
    evidence: tuple[Reported, ...]  # the last one holds
    deliveries: tuple[ListedDelivery, ...]

    @classmethod
    def of(cls, records: StudyRecords) -> Self:
        return cls(
            whereabouts=whereabouts(records.study, records.evidence, records.deliveries, records.way),
            key=log.key_of(records.study.study_instance_uid),
            study=records.listed,
            way=tuple(Step.model_validate(hop) for hop in records.way),
            images=tuple(Image.model_validate(image) for image in records.images),
            readings=tuple(Read.model_validate(made) for made in records.readings),
            evidence=tuple(Reported.model_validate(one) for one in records.evidence),
            deliveries=tuple(ListedDelivery.model_validate(one) for one in records.deliveries),
        )


@router.get("/{uid}", summary="Where is my study?")
def study(
    service: Service, uid: StudyUid, caller: Annotated[Caller, Depends(May(Permission.SEE_STUDIES))]
) -> StudyTold:
    with reading(service.engine) as connection:
        records = StudyRecords.of(connection, StudyInstanceUID(uid), service)
    with writing(service.engine) as connection:
        seen = AuditEntry(service.now(), caller.name, AuditAction.STUDY_VIEWED, records.study.study_instance_uid)
        audit.note(connection, seen)
    return StudyTold.of(records)
