"""Rows for tests, one line each to use."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from xray_ai.domain.finding import FindingKey
from xray_ai.domain.priority import Priority
from xray_ai.domain.received import ObjectDigest, Repeat, Route
from xray_ai.domain.uid import SOPClassUID, SOPInstanceUID, StudyInstanceUID, TransferSyntaxUID
from xray_ai.records import evidence, received_instances, studies
from xray_ai.records.column_types import RecordedScore
from xray_ai.records.database import writing
from xray_ai.records.evidence import EvidenceKey, EvidenceObject
from xray_ai.records.readings import RecordedReading
from xray_ai.records.received_instances import ReceivedInstance
from xray_ai.records.studies import Demographics, StudyArrival
from xray_ai.records.words import ReadingStatus

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
STUDY = StudyInstanceUID("1.2.3.1")
IMAGE = SOPInstanceUID("1.2.3.1.1")
LATERAL = SOPInstanceUID("1.2.3.1.2")
MODEL = "ab" * 32
KEY = EvidenceKey("key-1")
PNEUMOTHORAX = FindingKey("pneumothorax")
MASS = FindingKey("mass")


def a_digest(number: int) -> ObjectDigest:
    return ObjectDigest(f"{number:064x}")


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def an_arrival(study: str = STUDY, **changes: Any) -> StudyArrival:  # noqa: ANN401 - any field
    """What an image says about its study."""
    demographics = Demographics("Zzyzx^Quimby", "XRAY-1", "19600704", "F", "20261123", "0800", "A1", "Chest")
    return replace(StudyArrival(StudyInstanceUID(study), demographics, Priority.ROUTINE, NOW), **changes)


def an_instance(uid: str = IMAGE, number: int = 1, **changes: Any) -> ReceivedInstance:  # noqa: ANN401 - any field
    """A version of an image of the study."""
    instance = ReceivedInstance(
        sop_instance_uid=SOPInstanceUID(uid),
        study_instance_uid=STUDY,
        sop_class_uid=SOPClassUID("1.2.840.10008.5.1.4.1.1.1.1"),
        transfer_syntax_uid=TransferSyntaxUID("1.2.840.10008.1.2.1"),
        digest=a_digest(number),
        size_bytes=15_000_000,
        repeat=Repeat.NEW,
        calling_ae_title="MODALITY",
        called_ae_title="XRAY_AI",
        host="10.0.0.5",
        via=Route.C_STORE,
        first_received_at=NOW,
        last_received_at=NOW,
    )
    return replace(instance, **changes)


def a_reading(uid: str = IMAGE, priority: Priority = Priority.ROUTINE, **changes: Any) -> RecordedReading:  # noqa: ANN401
    """A radiograph that was read."""
    made = RecordedReading(
        sop_instance_uid=SOPInstanceUID(uid),
        model_digest=MODEL,
        study_instance_uid=STUDY,
        source_digest=a_digest(1),
        status=ReadingStatus.READ,
        read_at=after(1),
        seconds=0.04,
        scores=(RecordedScore(PNEUMOTHORAX, 0.9, 0.5, 0.1),),
        because=(PNEUMOTHORAX,),
        priority=priority,
        abnormality=0.9,
        detail={"notes": ["Übersicht"], "scope": None},
        heatmap_digest=a_digest(9),
    )
    return replace(made, **changes)


def a_refusal(uid: str = IMAGE, **changes: Any) -> RecordedReading:  # noqa: ANN401 - any field
    """A radiograph that was not read."""
    return RecordedReading(
        SOPInstanceUID(uid),
        MODEL,
        STUDY,
        a_digest(1),
        ReadingStatus.NOT_READ,
        after(1),
        0.01,
        reason_code="view_position",
        reason_text="This is a lateral view.",
        **changes,
    )


def an_evidence_object(number: int = 1, item: str = "sr", form: str = "comprehensive_3d") -> EvidenceObject:
    return EvidenceObject(
        item=item,
        form=form,
        localisation=True,
        sop_instance_uid=SOPInstanceUID(f"2.25.{number}"),
        sop_class_uid=SOPClassUID("1.2.840.10008.5.1.4.1.1.88.34"),
        transfer_syntax_uid=TransferSyntaxUID("1.2.840.10008.1.2.1"),
        digest=a_digest(100 + number),
    )


def receive(engine: Engine, *instances: ReceivedInstance, **changes: Any) -> None:  # noqa: ANN401 - any field
    """Let images of the study come."""
    with writing(engine) as connection:
        for instance in instances or (an_instance(),):
            received_instances.add(connection, instance)
            studies.receive(connection, an_arrival(instance.study_instance_uid, **changes), is_to_be_read=True)


def report(engine: Engine, key: EvidenceKey = KEY) -> None:
    """Let evidence of the study have been composed."""
    with writing(engine) as connection:
        evidence.record(connection, key, STUDY, after(20), [an_evidence_object()])
