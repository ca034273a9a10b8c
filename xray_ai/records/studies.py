"""Studies as the worklist shows them; the only records with words of patients."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache

from sqlalchemy import ColumnElement, Connection, Row, case, func, select
from sqlalchemy.sql.dml import ReturningInsert

from xray_ai.domain.finding import FindingKey
from xray_ai.domain.priority import Priority
from xray_ai.domain.uid import StudyInstanceUID
from xray_ai.records.database import insert_into
from xray_ai.records.tables import studies as table
from xray_ai.records.words import StudyStatus

ONLY_CONFLICTS = "The study's only image has the identifier of another image; the sender must mend it."


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


@dataclass(frozen=True, slots=True)
class Study:
    """One line of the worklist."""

    study_instance_uid: StudyInstanceUID
    demographics: Demographics
    status: StudyStatus
    reason: str | None
    ordered_priority: Priority
    priority: Priority
    because: tuple[FindingKey, ...]
    abnormality: float | None
    conflicts: int
    received_at: datetime
    last_received_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class StudyArrival:
    """What an image that came says about its study."""

    study_instance_uid: StudyInstanceUID
    demographics: Demographics
    ordered_priority: Priority
    at: datetime


class WorklistSort(StrEnum):
    """In which order studies are listed."""

    URGENCY = "urgency"  # most urgent first, then longest waiting
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class WorklistQuery:
    """Which part of the worklist."""

    limit: int
    offset: int = 0
    status: StudyStatus | None = None  # None: all
    sort: WorklistSort = WorklistSort.URGENCY


@dataclass(frozen=True, slots=True)
class WorklistPage:
    """A part of the worklist, and how many studies the whole has."""

    total: int
    items: tuple[Study, ...]


DEMOGRAPHICS = tuple(table.c[name] for name in Demographics.__dataclass_fields__)
PLACING = tuple(table.c[name] for name in Study.__dataclass_fields__ if name != "demographics")
ORDERS = {
    WorklistSort.URGENCY: (table.c.priority.desc(), table.c.received_at, table.c.study_instance_uid),
    WorklistSort.NEWEST: (table.c.received_at.desc(), table.c.study_instance_uid),
}


def receive(connection: Connection, arrival: StudyArrival, *, is_to_be_read: bool) -> Priority:
    """List the study, or bring its demographics up to date; answers with its ordered priority, never lowered."""
    upsert = _arrival(connection.dialect.name, is_to_be_read)
    ordered: Priority = connection.execute(upsert, _first_entry(arrival)).scalar_one()
    return ordered


def note_conflict(connection: Connection, arrival: StudyArrival) -> None:
    """Make it visible that an image came which will not be read, as its identifier belongs to another."""
    refused = {"status": StudyStatus.NOT_READ, "reason": ONLY_CONFLICTS, "conflicts": 1}
    new = insert_into(table, connection.dialect.name)
    changes = {"conflicts": table.c.conflicts + 1, "last_received_at": new.excluded.last_received_at}
    upsert = new.on_conflict_do_update(index_elements=[table.c.study_instance_uid], set_=changes)
    connection.execute(upsert, _first_entry(arrival) | refused)


def find(connection: Connection, uid: StudyInstanceUID) -> Study | None:
    row = connection.execute(select(*PLACING, *DEMOGRAPHICS).where(table.c.study_instance_uid == uid)).one_or_none()
    return None if row is None else _study(row)


def hold(connection: Connection, uid: StudyInstanceUID) -> bool:
    """Let no one else change the study until the transaction ends; False: it is not listed, or no longer."""
    held = select(table.c.study_instance_uid).where(table.c.study_instance_uid == uid).with_for_update()
    return connection.execute(held).first() is not None


def worklist_page(connection: Connection, query: WorklistQuery) -> WorklistPage:
    """List studies, sorted and paged by the database."""
    wanted = [] if query.status is None else [table.c.status == query.status]
    total = connection.execute(select(func.count()).select_from(table).where(*wanted)).scalar_one()
    listed = select(*PLACING, *DEMOGRAPHICS).where(*wanted).order_by(*ORDERS[query.sort])
    rows = connection.execute(listed.limit(query.limit).offset(query.offset))
    return WorklistPage(total, tuple(_study(row) for row in rows))


@cache
def _arrival(dialect: str, is_to_be_read: bool) -> ReturningInsert[Priority]:  # noqa: FBT001 - a key of the cache
    """Build the statement once, as every image that comes needs it: that takes longer than to run it."""
    new = insert_into(table, dialect)
    changes: dict[str, object] = {column.name: new.excluded[column.name] for column in DEMOGRAPHICS}
    changes |= {
        "last_received_at": new.excluded.last_received_at,
        "ordered_priority": _greater(table.c.ordered_priority, new.excluded.ordered_priority),
        "priority": _greater(table.c.priority, new.excluded.priority),
    }
    if is_to_be_read:  # a study of refused images waits again
        is_refused = table.c.status == StudyStatus.NOT_READ
        changes["status"] = case((is_refused, StudyStatus.RECEIVED), else_=table.c.status)
        changes["reason"] = case((is_refused, None), else_=table.c.reason)
    upsert = new.on_conflict_do_update(index_elements=[table.c.study_instance_uid], set_=changes)
    return upsert.returning(table.c.ordered_priority)


def _first_entry(arrival: StudyArrival) -> dict[str, object]:
    return asdict(arrival.demographics) | {
        "study_instance_uid": arrival.study_instance_uid,
        "status": StudyStatus.RECEIVED,
        "reason": None,
        "ordered_priority": arrival.ordered_priority,
        "priority": arrival.ordered_priority,
        "because": (),
        "conflicts": 0,
        "received_at": arrival.at,
        "last_received_at": arrival.at,
    }


def _greater(one: ColumnElement[Priority], other: ColumnElement[Priority]) -> ColumnElement[Priority]:
    return case((one > other, one), else_=other)


def _study(row: Row[tuple[object, ...]]) -> Study:
    values = row._asdict()
    demographics = Demographics(**{column.name: values.pop(column.name) for column in DEMOGRAPHICS})
    return Study(demographics=demographics, **values)
