"""The worklist as readers ask for it: narrowed, sorted and paged by the database; and what changes on it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection, Select, String, and_, cast, func, not_, select, update
from sqlalchemy.sql.elements import ColumnElement

from xray_ai.domain.finding import FindingKey
from xray_ai.domain.priority import Priority
from xray_ai.domain.search_text import folded
from xray_ai.domain.uid import StudyInstanceUID
from xray_ai.domain.waiting import Rise, WaitingCaps
from xray_ai.errors import RejectionCode
from xray_ai.records.received_instances import IMAGES_OF_STUDY
from xray_ai.records.studies import DEMOGRAPHICS, NEXT_VERSION, PLACING, Study, study_of
from xray_ai.records.tables import received_instances
from xray_ai.records.tables import studies as table
from xray_ai.records.words import StudyStatus

LONGEST_SEARCH_WORDS = 8
NO_CHEST = (  # a study refused for one of these is no radiograph of a chest, so no reader of chests waits for it
    RejectionCode.SOP_CLASS,
    RejectionCode.MODALITY,
    RejectionCode.BODY_PART,
    RejectionCode.NOT_FRONTAL_CHEST,
)


class WorklistSort(StrEnum):
    """In which order studies are listed."""

    URGENCY = "urgency"  # most urgent first, then longest waiting; what readers finished comes last
    NEWEST = "newest"
    WAITING = "waiting"  # longest first
    STUDY_TIME = "study_time"
    PATIENT_NAME = "patient_name"
    ACCESSION = "accession"


class ReaderState(StrEnum):
    """Where a study stands with the people who read it."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    FINISHED = "finished"


class Scope(StrEnum):
    """Which studies a reader of chests wants to see."""

    CHEST = "chest"  # all but those that were refused because they are no radiograph of a chest
    OTHER = "other"  # those
    ALL = "all"


@dataclass(frozen=True, slots=True)
class WorklistFilter:
    """Which studies; what is not said narrows nothing."""

    status: StudyStatus | None = None
    state: ReaderState | None = None
    priority: Priority | None = None  # that it stands at
    finding: FindingKey | None = None  # that lifted it
    station: str = ""  # a part of its name
    date_from: str = ""  # of the study, YYYYMMDD
    date_to: str = ""
    text: str = ""  # words of the patient's name, ID or accession number, each in any order
    scope: Scope = Scope.ALL


@dataclass(frozen=True, slots=True)
class WorklistQuery:
    """Which part of the worklist."""

    limit: int
    offset: int = 0
    sort: WorklistSort = WorklistSort.URGENCY
    is_reversed: bool = False
    only: WorklistFilter = WorklistFilter()


@dataclass(frozen=True, slots=True)
class WorklistPage:
    """A part of the worklist, and how many studies the whole has."""

    total: int
    items: tuple[Study, ...]


class Mark(NamedTuple):
    """That a study changed."""

    uid: StudyInstanceUID
    version: int


ORDERS: dict[WorklistSort, tuple[ColumnElement[object], ...]] = {
    WorklistSort.URGENCY: (table.c.is_finished, table.c.effective_priority.desc(), table.c.received_at),
    WorklistSort.NEWEST: (table.c.received_at.desc(),),
    WorklistSort.WAITING: (table.c.is_finished, table.c.received_at),
    WorklistSort.STUDY_TIME: (table.c.study_date, table.c.study_time),
    WorklistSort.PATIENT_NAME: (table.c.search_text,),
    WorklistSort.ACCESSION: (table.c.accession_number,),
}
REVERSED: dict[WorklistSort, tuple[ColumnElement[object], ...]] = {
    WorklistSort.URGENCY: (table.c.is_finished.desc(), table.c.effective_priority, table.c.received_at.desc()),
    WorklistSort.NEWEST: (table.c.received_at,),
    WorklistSort.WAITING: (table.c.is_finished.desc(), table.c.received_at.desc()),
    WorklistSort.STUDY_TIME: (table.c.study_date.desc(), table.c.study_time.desc()),
    WorklistSort.PATIENT_NAME: (table.c.search_text.desc(),),
    WorklistSort.ACCESSION: (table.c.accession_number.desc(),),
}


def page(connection: Connection, query: WorklistQuery) -> WorklistPage:
    """List studies."""
    wanted = tuple(_conditions(query.only))
    total = connection.execute(select(func.count()).select_from(table).where(*wanted)).scalar_one()
    uid = table.c.study_instance_uid
    last = uid.desc() if query.is_reversed else uid
    order = (REVERSED if query.is_reversed else ORDERS)[query.sort]
    if query.sort is WorklistSort.NEWEST:
        last = uid if query.is_reversed else uid.desc()
    # The rows are looked up after their order is known: an index holds all that the order needs.
    listed = select(uid).where(*wanted).order_by(*order, last).limit(query.limit).offset(query.offset)
    uids = tuple(connection.execute(listed).scalars())
    found = {study.study_instance_uid: study for study in _found(connection, _whole().where(uid.in_(uids)))}
    return WorklistPage(total, tuple(found[one] for one in uids if one in found))


def marks_since(connection: Connection, version: int, limit: int) -> tuple[Mark, ...]:
    """Which studies changed after a version, the newest changes, the oldest of them first."""
    marks = select(table.c.study_instance_uid, table.c.version).where(table.c.version > version)
    rows = connection.execute(marks.order_by(table.c.version.desc()).limit(limit)).all()
    return tuple(Mark(*row) for row in reversed(rows))


def these(connection: Connection, uids: Iterable[StudyInstanceUID]) -> tuple[Study, ...]:
    """Those studies, the oldest change first."""
    wanted = table.c.study_instance_uid.in_(tuple(uids))
    return _found(connection, _whole().where(wanted).order_by(table.c.version))


def newest_version(connection: Connection) -> int:
    """The version of what changed last."""
    newest: int = connection.execute(select(func.coalesce(func.max(table.c.version), 0))).scalar_one()
    return newest


def let_rise(connection: Connection, caps: WaitingCaps, now: datetime) -> int:
    """Lift what has waited too long; how many studies that were."""
    risen = 0
    for rise in caps.rises():
        lifted = {"effective_priority": Priority(rise.level + 1), "version": NEXT_VERSION}
        lift = update(table).where(_standing(rise, now)).values(**lifted)
        risen += len(connection.execute(lift.returning(table.c.study_instance_uid)).all())
    return risen


def is_to_rise(connection: Connection, caps: WaitingCaps, now: datetime) -> bool:
    """Whether anything has waited too long and was not lifted yet; looks, and holds nobody up."""
    looks = (select(table.c.study_instance_uid).where(_standing(rise, now)).limit(1) for rise in caps.rises())
    return any(connection.execute(look).first() is not None for look in looks)


def image_counts(connection: Connection, studies: Iterable[StudyInstanceUID]) -> dict[StudyInstanceUID, int]:
    """How many images each study has."""
    of = received_instances.c
    count = func.count(of.sop_instance_uid.distinct())
    wanted = of.study_instance_uid.in_(tuple(studies)), of.repeat.in_(IMAGES_OF_STUDY)
    rows = connection.execute(select(of.study_instance_uid, count).where(*wanted).group_by(of.study_instance_uid))
    return {StudyInstanceUID(uid): number for uid, number in rows}


def _whole() -> Select[tuple[object, ...]]:
    return select(*PLACING, *DEMOGRAPHICS)


def _found(connection: Connection, query: Select[tuple[object, ...]]) -> tuple[Study, ...]:
    return tuple(study_of(row) for row in connection.execute(query))


def _standing(rise: Rise, now: datetime) -> ColumnElement[bool]:
    of = table.c
    return and_(
        of.is_finished.is_(False),
        of.effective_priority == rise.level,
        of.received_at < now - rise.after,
        of.priority == rise.priority,
    )


def _conditions(only: WorklistFilter) -> Iterable[ColumnElement[bool]]:
    of = table.c
    if only.status is not None:
        yield of.status == only.status
    if only.priority is not None:
        yield of.effective_priority == only.priority
    if only.state is not None:
        yield _in_state(only.state)
    if only.finding is not None:
        yield cast(of.because, String).contains(f'"{only.finding}"', autoescape=True)
    if only.scope is not Scope.ALL:
        yield _in_scope(only.scope)
    yield from _worded(only)


def _worded(only: WorklistFilter) -> Iterable[ColumnElement[bool]]:
    of = table.c
    if only.station:
        yield func.lower(of.station_name).contains(only.station.lower(), autoescape=True)
    if only.date_from:
        yield of.study_date >= only.date_from
    if only.date_to:
        yield of.study_date <= only.date_to
    for word in folded(only.text).split()[:LONGEST_SEARCH_WORDS]:
        yield of.search_text.contains(word, autoescape=True)


def _in_state(state: ReaderState) -> ColumnElement[bool]:
    of = table.c
    if state is ReaderState.FINISHED:
        return of.is_finished.is_(True)
    has_reader = of.reader.is_not(None) if state is ReaderState.CLAIMED else of.reader.is_(None)
    return and_(of.is_finished.is_(False), has_reader)


def _in_scope(scope: Scope) -> ColumnElement[bool]:
    is_no_chest = func.coalesce(table.c.reason_code, "").in_([code.value for code in NO_CHEST])
    return is_no_chest if scope is Scope.OTHER else not_(is_no_chest)
