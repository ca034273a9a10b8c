"""What each model made of each radiograph, and where that puts the study on the worklist."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, and_, case, select, update

from xray_ai.domain.finding import FindingKey
from xray_ai.domain.priority import Priority
from xray_ai.domain.received import ObjectDigest
from xray_ai.domain.uid import SOPInstanceUID, StudyInstanceUID
from xray_ai.records import received_instances
from xray_ai.records.column_types import Json, RecordedScore
from xray_ai.records.database import insert_into
from xray_ai.records.studies import NEXT_VERSION
from xray_ai.records.tables import readings as table
from xray_ai.records.tables import studies
from xray_ai.records.words import ReadingStatus, StudyStatus


@dataclass(frozen=True, slots=True)
class RecordedReading:
    """What one model made of one radiograph: read with scores, or refused with a reason."""

    sop_instance_uid: SOPInstanceUID
    model_digest: str
    study_instance_uid: StudyInstanceUID
    source_digest: ObjectDigest  # the bytes that were read
    status: ReadingStatus
    read_at: datetime
    seconds: float
    reason_code: str | None = None
    reason_text: str | None = None
    scores: tuple[RecordedScore, ...] = ()
    because: tuple[FindingKey, ...] = ()  # the most urgent first
    priority: Priority | None = None
    abnormality: float | None = None
    detail: Json = None  # what else the report needs
    heatmap_digest: ObjectDigest | None = None
    is_listed: bool = True  # False: by a model in shadow


@dataclass(frozen=True, slots=True)
class Placement:
    """Where readings put a study."""

    status: StudyStatus
    reason: str | None
    reason_code: str | None
    priority: Priority
    because: tuple[FindingKey, ...]
    flags: tuple[RecordedScore, ...]
    abnormality: float | None
    read_at: datetime | None


COLUMNS = tuple(table.c[name] for name in RecordedReading.__dataclass_fields__)
KEY = (table.c.sop_instance_uid, table.c.model_digest)


def record(connection: Connection, reading: RecordedReading) -> None:
    """Keep a reading, in place of an earlier one by the same model, and place its study."""
    new = insert_into(table, connection.dialect.name).values(asdict(reading) | {"scores": reading.scores})
    changes = {column.name: new.excluded[column.name] for column in COLUMNS if column not in KEY}
    connection.execute(new.on_conflict_do_update(index_elements=[column.name for column in KEY], set_=changes))
    if reading.is_listed:
        place(connection, reading.study_instance_uid)


def of_study(connection: Connection, study: StudyInstanceUID) -> tuple[RecordedReading, ...]:
    """All listed readings of a study, in the order in which they were made."""
    wanted = table.c.study_instance_uid == study, table.c.is_listed
    query = select(*COLUMNS).where(*wanted).order_by(table.c.read_at, *KEY)
    return tuple(RecordedReading(**row._asdict()) for row in connection.execute(query))


def find(connection: Connection, uid: SOPInstanceUID, model_digest: str) -> RecordedReading | None:
    query = select(*COLUMNS).where(table.c.sop_instance_uid == uid, table.c.model_digest == model_digest)
    row = connection.execute(query).one_or_none()
    return None if row is None else RecordedReading(**row._asdict())


def was_refused(connection: Connection, uid: SOPInstanceUID) -> bool:
    """Whether the object was judged, and no model has read it: a better version of it is worth a new try."""
    query = select(table.c.status).where(table.c.sop_instance_uid == uid, table.c.is_listed)
    statuses = connection.execute(query).scalars().all()
    return bool(statuses) and ReadingStatus.READ not in statuses


def place(connection: Connection, study: StudyInstanceUID) -> None:
    """Put the study where its readings want it, never below its ordered priority."""
    ordered = connection.execute(
        select(studies.c.ordered_priority).where(studies.c.study_instance_uid == study)
    ).scalar_one_or_none()
    if ordered is None:
        return
    placement = placement_of(of_study(connection, study), ordered, is_waiting=awaits_reading(connection, study))
    values: dict[str, object] = {one.name: getattr(placement, one.name) for one in fields(placement)}
    stands_at = studies.c.effective_priority
    has_risen = and_(stands_at > studies.c.priority, stands_at > placement.priority)
    values["effective_priority"] = case((has_risen, stands_at), else_=placement.priority)
    values["version"] = NEXT_VERSION
    connection.execute(update(studies).where(studies.c.study_instance_uid == study).values(**values))


def awaits_reading(connection: Connection, study: StudyInstanceUID) -> bool:
    """Whether an image of the study has been neither read nor refused yet."""
    images = {instance.sop_instance_uid for instance in received_instances.instances_of_study(connection, study)}
    return bool(images - {reading.sop_instance_uid for reading in of_study(connection, study)})


def placement_of(made: Sequence[RecordedReading], ordered: Priority, *, is_waiting: bool) -> Placement:
    """Place by the newest reading of each image: the most urgent decides, its reasons come first."""
    newest = {reading.sop_instance_uid: reading for reading in made}.values()
    read = [reading for reading in newest if reading.status is ReadingStatus.READ]
    if not read:
        refused = None if is_waiting else next(iter(newest), None)
        if refused is None:
            return Placement(StudyStatus.RECEIVED, None, None, ordered, (), (), None, None)
        why = refused.reason_text, refused.reason_code
        return Placement(StudyStatus.NOT_READ, *why, ordered, (), (), None, None)
    read.sort(key=lambda reading: (reading.priority or Priority.ROUTINE, reading.abnormality or 0.0), reverse=True)
    because = tuple(dict.fromkeys(key for reading in read for key in reading.because))
    return Placement(
        status=StudyStatus.READ,
        reason=None,
        reason_code=None,
        priority=max(ordered, *(reading.priority or Priority.ROUTINE for reading in read)),
        because=because,
        flags=flags_of(read, because),
        abnormality=max((reading.abnormality or 0.0 for reading in read), default=None),
        read_at=max(reading.read_at for reading in read),
    )


def flags_of(read: Sequence[RecordedReading], because: Sequence[FindingKey]) -> tuple[RecordedScore, ...]:
    """The highest score of each finding that lifted the study, in the order of those findings."""
    lifted = {
        key: [score for reading in read if key in reading.because for score in reading.scores if score.finding == key]
        for key in because
    }
    return tuple(max(scores, key=lambda score: score.probability) for scores in lifted.values() if scores)
