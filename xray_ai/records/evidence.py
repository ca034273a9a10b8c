"""What was composed about each study: revisions, their objects, and in which forms."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import NewType

from sqlalchemy import Connection, func, select

from xray_ai.domain.received import ObjectDigest
from xray_ai.domain.uid import SOPClassUID, SOPInstanceUID, StudyInstanceUID, TransferSyntaxUID
from xray_ai.records.database import insert_into
from xray_ai.records.tables import evidence as table
from xray_ai.records.tables import evidence_images as images
from xray_ai.records.tables import evidence_objects as objects

EvidenceKey = NewType("EvidenceKey", str)  # at most 64 characters


@dataclass(frozen=True, slots=True)
class EvidenceObject:
    """One object of an evidence. An item may have several forms; a destination takes one of them."""

    item: str  # 'sr', or 'sc' and the image that it shows
    form: str
    localisation: bool
    sop_instance_uid: SOPInstanceUID
    sop_class_uid: SOPClassUID
    transfer_syntax_uid: TransferSyntaxUID
    digest: ObjectDigest


@dataclass(frozen=True, slots=True)
class EvidenceImage:
    """One image that an evidence is about."""

    sop_instance_uid: SOPInstanceUID
    source_digest: ObjectDigest  # the bytes whose header the results carry
    outcome_digest: ObjectDigest  # what was made of it (`stored_outcome`)


@dataclass(frozen=True, slots=True)
class RecordedEvidence:
    """All that was composed about one study at one time."""

    evidence_key: EvidenceKey
    study_instance_uid: StudyInstanceUID
    revision: int  # 1 is the first
    predecessor: EvidenceKey | None
    composed_at: datetime
    objects: tuple[EvidenceObject, ...]
    images: tuple[EvidenceImage, ...] = ()


HEAD = (table.c.evidence_key, table.c.study_instance_uid, table.c.revision, table.c.predecessor, table.c.composed_at)
OBJECT = tuple(objects.c[name] for name in EvidenceObject.__dataclass_fields__)
IMAGE = tuple(images.c[name] for name in EvidenceImage.__dataclass_fields__)


def record(
    connection: Connection,
    key: EvidenceKey,
    study: StudyInstanceUID,
    composed_at: datetime,
    composed: Iterable[EvidenceObject],
    about: Iterable[EvidenceImage] = (),
) -> RecordedEvidence:
    """Record a study's next revision; recorded again under the same key it stays as it was."""
    known = find(connection, key)
    if known is not None:
        return known
    predecessor = newest(connection, study)
    head = {
        "evidence_key": key,
        "study_instance_uid": study,
        "revision": predecessor.revision + 1 if predecessor else 1,
        "predecessor": predecessor and predecessor.evidence_key,
        "composed_at": composed_at,
    }
    connection.execute(table.insert().values(head))
    shown = [asdict(image) | {"evidence_key": key} for image in about]
    if shown:
        connection.execute(images.insert(), shown)
    add_objects(connection, key, composed)
    return _whole(connection, key)


def add_objects(connection: Connection, key: EvidenceKey, composed: Iterable[EvidenceObject]) -> None:
    """Add the objects of a further form; those that are there stay."""
    rows = [asdict(one) | {"evidence_key": key} for one in composed]
    if rows:
        new = insert_into(objects, connection.dialect.name).on_conflict_do_nothing(index_elements=["sop_instance_uid"])
        connection.execute(new, rows)


def find(connection: Connection, key: EvidenceKey) -> RecordedEvidence | None:
    is_known = connection.execute(select(table.c.evidence_key).where(table.c.evidence_key == key)).first()
    return _whole(connection, key) if is_known else None


def newest(connection: Connection, study: StudyInstanceUID) -> RecordedEvidence | None:
    """The evidence that a later one would revise."""
    revisions = of_study(connection, study)
    return revisions[-1] if revisions else None


def of_study(connection: Connection, study: StudyInstanceUID) -> tuple[RecordedEvidence, ...]:
    """All revisions, the first one first."""
    query = select(table.c.evidence_key).where(table.c.study_instance_uid == study).order_by(table.c.revision)
    return tuple(_whole(connection, key) for key in connection.execute(query).scalars())


def is_ours(connection: Connection, uid: SOPInstanceUID) -> bool:
    """Whether this service made the object."""
    query = select(func.count()).select_from(objects).where(objects.c.sop_instance_uid == uid)
    return connection.execute(query).scalar_one() > 0


def _whole(connection: Connection, key: EvidenceKey) -> RecordedEvidence:
    head = connection.execute(select(*HEAD).where(table.c.evidence_key == key)).one()
    query = select(*OBJECT).where(objects.c.evidence_key == key).order_by(objects.c.item, objects.c.sop_instance_uid)
    made = tuple(EvidenceObject(**row._asdict()) for row in connection.execute(query))
    query = select(*IMAGE).where(images.c.evidence_key == key).order_by(images.c.sop_instance_uid)
    about = tuple(EvidenceImage(**row._asdict()) for row in connection.execute(query))
    return RecordedEvidence(**head._asdict(), objects=made, images=about)
