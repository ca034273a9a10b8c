"""Studies as the worklist shows them; the only records with words of patients."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, Connection, Row, case, func, select
from sqlalchemy.sql.dml import ReturningInsert

from xray_ai.domain.finding import FindingKey
from xray_ai.domain.priority import Priority
from xray_ai.domain.search_text import folded
from xray_ai.domain.uid import StudyInstanceUID
from xray_ai.records.column_types import RecordedScore
from xray_ai.records.database import insert_into
from xray_ai.records.tables import studies as table
from xray_ai.records.words import StudyStatus

ONLY_CONFLICTS = "The study's only image has the identifier of another image; the sender must mend it."
ONLY_CONFLICTS_CODE = "conflict"


@dataclass(frozen=True, slots=True)
class Demographics:
    """Who and which examination, as the newest header says it; it does not print itself."""

    patient_name: str = field(repr=False)
    patient_id: str = field(repr=False)
    patient_birth_date: str = field(repr=False)
    patient_sex: str = field(repr=False)
    study_date: str = field(repr=False)
    study_time: str = field(repr=False)
    accession_number: str = field(repr=False)
    study_description: str = field(repr=False)
    patient_age: str = field(default="", repr=False)  # as DICOM writes it: 066Y
    station_name: str = field(default="", repr=False)
    modalities: str = field(default="", repr=False)  # parted by backslashes

    @property
    def search_text(self) -> str:
        """What a search looks through."""
        return folded(f"{self.patient_name} {self.patient_id} {self.accession_number}")


@dataclass(frozen=True, slots=True)
class Study:
    """One line of the worklist."""

    study_instance_uid: StudyInstanceUID
    demographics: Demographics
    status: StudyStatus
    reason: str | None
    reason_code: str | None
    ordered_priority: Priority
    priority: Priority
    effective_priority: Priority  # where it stands: `priority`, or above it after a long wait
    because: tuple[FindingKey, ...]
    flags: tuple[RecordedScore, ...]  # the scores behind `because`
    abnormality: float | None
    conflicts: int
    received_at: datetime
    last_received_at: datetime
    read_at: datetime | None
    reader: str | None  # the account that claimed it
    reader_since: datetime | None
    is_finished: bool
    version: int  # grows over all studies with each change of one


@dataclass(frozen=True, slots=True)
class StudyArrival:
    """What an image that came says about its study."""

    study_instance_uid: StudyInstanceUID
    demographics: Demographics
    ordered_priority: Priority
    at: datetime


DEMOGRAPHICS = tuple(table.c[name] for name in Demographics.__dataclass_fields__)
PLACING = tuple(table.c[name] for name in Study.__dataclass_fields__ if name != "demographics")
NEXT_VERSION = select(func.coalesce(func.max(table.c.version), 0) + 1).scalar_subquery()


def receive(connection: Connection, arrival: StudyArrival, *, is_to_be_read: bool) -> Priority:
    """List the study, or bring its demographics up to date; answers with its ordered priority, never lowered."""
    upsert = _arrival(connection.dialect.name, is_to_be_read)
    ordered: Priority = connection.execute(upsert, _first_entry(arrival)).scalar_one()
    return ordered


def note_conflict(connection: Connection, arrival: StudyArrival) -> None:
    """Make it visible that an image came which will not be read, as its identifier belongs to another."""
    refused = {
        "status": StudyStatus.NOT_READ,
        "reason": ONLY_CONFLICTS,
        "reason_code": ONLY_CONFLICTS_CODE,
        "conflicts": 1,
    }
    new = insert_into(table, connection.dialect.name).values(version=NEXT_VERSION)
    changes = {
        "conflicts": table.c.conflicts + 1,
        "last_received_at": new.excluded.last_received_at,
        "version": NEXT_VERSION,
    }
    upsert = new.on_conflict_do_update(index_elements=[table.c.study_instance_uid], set_=changes)
    connection.execute(upsert, _first_entry(arrival) | refused)


def find(connection: Connection, uid: StudyInstanceUID) -> Study | None:
    row = connection.execute(select(*PLACING, *DEMOGRAPHICS).where(table.c.study_instance_uid == uid)).one_or_none()
    return None if row is None else study_of(row)


def hold(connection: Connection, uid: StudyInstanceUID) -> bool:
    """Let no one else change the study until the transaction ends; False: it is not listed, or no longer."""
    held = select(table.c.study_instance_uid).where(table.c.study_instance_uid == uid).with_for_update()
    return connection.execute(held).first() is not None


@cache
def _arrival(dialect: str, is_to_be_read: bool) -> ReturningInsert[Priority]:  # noqa: FBT001 - a key of the cache
    """Build the statement once, as every image that comes needs it: that takes longer than to run it."""
    new = insert_into(table, dialect).values(version=NEXT_VERSION)
    changes: dict[str, object] = {column.name: new.excluded[column.name] for column in DEMOGRAPHICS}
    is_listed = table.c.modalities.contains(new.excluded.modalities)
    changes |= {
        "search_text": new.excluded.search_text,
        "modalities": case((is_listed, table.c.modalities), else_=table.c.modalities + "\\" + new.excluded.modalities),
        "last_received_at": new.excluded.last_received_at,
        "ordered_priority": _greater(table.c.ordered_priority, new.excluded.ordered_priority),
        "priority": _greater(table.c.priority, new.excluded.priority),
        "effective_priority": _greater(table.c.effective_priority, new.excluded.priority),
        "version": NEXT_VERSION,
    }
    if is_to_be_read:  # a study of refused images waits again, and one that a reader has finished
        is_refused = table.c.status == StudyStatus.NOT_READ
        changes["status"] = case((is_refused, StudyStatus.RECEIVED), else_=table.c.status)
        changes["reason"] = case((is_refused, None), else_=table.c.reason)
        changes["reason_code"] = case((is_refused, None), else_=table.c.reason_code)
        changes["reader"] = case((table.c.is_finished, None), else_=table.c.reader)
        changes["reader_since"] = case((table.c.is_finished, None), else_=table.c.reader_since)
        changes["is_finished"] = False
    upsert = new.on_conflict_do_update(index_elements=[table.c.study_instance_uid], set_=changes)
    return upsert.returning(table.c.ordered_priority)


def _first_entry(arrival: StudyArrival) -> dict[str, object]:
    return asdict(arrival.demographics) | {
        "search_text": arrival.demographics.search_text,
        "study_instance_uid": arrival.study_instance_uid,
        "status": StudyStatus.RECEIVED,
        "reason": None,
        "reason_code": None,
        "ordered_priority": arrival.ordered_priority,
        "priority": arrival.ordered_priority,
        "effective_priority": arrival.ordered_priority,
        "because": (),
        "conflicts": 0,
        "received_at": arrival.at,
        "last_received_at": arrival.at,
    }


def _greater(one: ColumnElement[Priority], other: ColumnElement[Priority]) -> ColumnElement[Priority]:
    return case((one > other, one), else_=other)


def study_of(row: Row[tuple[object, ...]]) -> Study:
    """Read a row of PLACING and DEMOGRAPHICS."""
    values = row._asdict()
    demographics = Demographics(**{column.name: values.pop(column.name) for column in DEMOGRAPHICS})
    return Study(demographics=demographics, **values)
