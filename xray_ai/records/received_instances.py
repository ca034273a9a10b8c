"""Every distinct version of an object that came: which bytes, from whom, when, and how often."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, bindparam, func, select, update

from xray_ai.domain.received import ObjectDigest, Repeat, Route
from xray_ai.domain.uid import SOPClassUID, SOPInstanceUID, StudyInstanceUID, TransferSyntaxUID
from xray_ai.records.database import one_at_a_time
from xray_ai.records.tables import received_instances as table

IMAGES_OF_STUDY = tuple(repeat for repeat in Repeat if repeat.is_image_of_study)


@dataclass(frozen=True, slots=True)
class ReceivedInstance:
    """One version of one object, as its bytes came."""

    sop_instance_uid: SOPInstanceUID
    study_instance_uid: StudyInstanceUID
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
    times_received: int = 1


COLUMNS = tuple(table.c[name] for name in ReceivedInstance.__dataclass_fields__)
# Built once, as every image that comes needs them: building them took longer than running them.
INSERT = table.insert()
VERSIONS = select(*COLUMNS).where(table.c.sop_instance_uid == bindparam("uid")).order_by(table.c.number)


def receive_alone(connection: Connection) -> None:
    """Let no other process receive until the transaction ends, so that a repeat is told from a first."""
    one_at_a_time(connection, table)


def add(connection: Connection, instance: ReceivedInstance) -> None:
    connection.execute(INSERT, asdict(instance))


def count_again(connection: Connection, uid: SOPInstanceUID, digest: ObjectDigest, now: datetime) -> None:
    """Note that the same bytes came once more."""
    connection.execute(
        update(table)
        .where(table.c.sop_instance_uid == uid, table.c.digest == digest)
        .values(times_received=table.c.times_received + 1, last_received_at=now)
    )


def versions_of(connection: Connection, uid: SOPInstanceUID) -> tuple[ReceivedInstance, ...]:
    """All versions of one object, in the order in which they came."""
    return tuple(ReceivedInstance(**row._asdict()) for row in connection.execute(VERSIONS, {"uid": uid}))


def newest_version(connection: Connection, uid: SOPInstanceUID) -> ReceivedInstance | None:
    """The version to read: the last that came, conflicts and our own results apart."""
    wanted = table.c.repeat.in_(IMAGES_OF_STUDY), table.c.sop_instance_uid == uid
    found = _found(connection, select(*COLUMNS).where(*wanted).order_by(table.c.number.desc()).limit(1))
    return found[0] if found else None


def versions_of_study(connection: Connection, study: StudyInstanceUID) -> tuple[ReceivedInstance, ...]:
    """All that ever came for the study, conflicts and our own results too, in the order in which it came."""
    return _found(connection, select(*COLUMNS).where(table.c.study_instance_uid == study).order_by(table.c.number))


def instances_of_study(connection: Connection, study: StudyInstanceUID) -> tuple[ReceivedInstance, ...]:
    """The newest version of each image that belongs to the study, by SOP Instance UID."""
    wanted = table.c.repeat.in_(IMAGES_OF_STUDY)
    here = select(table.c.sop_instance_uid).where(wanted, table.c.study_instance_uid == study)
    newest = select(func.max(table.c.number)).where(wanted, table.c.sop_instance_uid.in_(here))
    newest = newest.group_by(table.c.sop_instance_uid)
    query = select(*COLUMNS).where(table.c.number.in_(newest), table.c.study_instance_uid == study)
    return _found(connection, query.order_by(table.c.sop_instance_uid))


def _found(connection: Connection, query: Select[tuple[object, ...]]) -> tuple[ReceivedInstance, ...]:
    return tuple(ReceivedInstance(**row._asdict()) for row in connection.execute(query))
