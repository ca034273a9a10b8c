"""Which result is on its way to which destination, how often it was tried, and what the peer said."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, Update, func, or_, select, update

from xray_ai.domain.uid import SOPInstanceUID, StudyInstanceUID
from xray_ai.records.database import insert_into
from xray_ai.records.evidence import EvidenceKey
from xray_ai.records.tables import deliveries as table
from xray_ai.records.words import DeliveryStatus


@dataclass(frozen=True, slots=True)
class Delivery:
    """One item of one evidence on its way to one destination."""

    number: int
    evidence_key: EvidenceKey
    item: str
    destination: str
    study_instance_uid: StudyInstanceUID
    status: DeliveryStatus
    attempts: int
    last_error: str | None
    planned_at: datetime
    next_try_at: datetime | None  # None: not tried again by itself
    delivered_at: datetime | None
    delivered_uid: SOPInstanceUID | None  # of the form that the destination took


@dataclass(frozen=True, slots=True)
class PlannedDelivery:
    """What is to be delivered."""

    evidence_key: EvidenceKey
    item: str
    destination: str
    study_instance_uid: StudyInstanceUID


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """A part of all deliveries, and how many the whole has."""

    total: int
    items: tuple[Delivery, ...]


COLUMNS = tuple(table.c[name] for name in Delivery.__dataclass_fields__)


def plan(connection: Connection, planned: PlannedDelivery, now: datetime) -> None:
    """Have an item delivered; planned twice it is delivered once."""
    new = insert_into(table, connection.dialect.name).values(
        evidence_key=planned.evidence_key,
        item=planned.item,
        destination=planned.destination,
        study_instance_uid=planned.study_instance_uid,
        status=DeliveryStatus.PENDING,
        attempts=0,
        planned_at=now,
        next_try_at=now,
    )
    connection.execute(new.on_conflict_do_nothing(index_elements=["evidence_key", "item", "destination"]))


def due(connection: Connection, now: datetime, limit: int) -> tuple[Delivery, ...]:
    """What should be tried now, the longest due first."""
    wanted = table.c.status == DeliveryStatus.PENDING, table.c.next_try_at <= now
    return _found(
        connection, select(*COLUMNS).where(*wanted).order_by(table.c.next_try_at, table.c.number).limit(limit)
    )


def pending_at(connection: Connection, key: EvidenceKey, destination: str) -> tuple[Delivery, ...]:
    """What of one evidence a destination does not have yet; dead ones are left out."""
    wanted = (
        table.c.status == DeliveryStatus.PENDING,
        table.c.evidence_key == key,
        table.c.destination == destination,
    )
    return _found(connection, select(*COLUMNS).where(*wanted).order_by(table.c.number))


def of_study(connection: Connection, study: StudyInstanceUID) -> tuple[Delivery, ...]:
    return _found(connection, select(*COLUMNS).where(table.c.study_instance_uid == study).order_by(table.c.number))


def find(connection: Connection, number: int) -> Delivery | None:
    found = _found(connection, select(*COLUMNS).where(table.c.number == number))
    return found[0] if found else None


def page(connection: Connection, limit: int, offset: int = 0, status: DeliveryStatus | None = None) -> DeliveryPage:
    """List deliveries, the newest first."""
    wanted = [] if status is None else [table.c.status == status]
    total = connection.execute(select(func.count()).select_from(table).where(*wanted)).scalar_one()
    query = select(*COLUMNS).where(*wanted).order_by(table.c.number.desc()).limit(limit).offset(offset)
    return DeliveryPage(total, _found(connection, query))


def mark_delivered(connection: Connection, number: int, uid: SOPInstanceUID, now: datetime) -> None:
    """Note that the destination holds it, in this form."""
    done = {"status": DeliveryStatus.DELIVERED, "delivered_at": now, "delivered_uid": uid}
    connection.execute(_tried(number).values(**done, next_try_at=None, last_error=None))


def mark_failed(connection: Connection, number: int, error: str, next_try_at: datetime) -> None:
    """Note why it failed, and when it is tried again."""
    connection.execute(_tried(number).values(last_error=error, next_try_at=next_try_at))


def mark_dead(connection: Connection, number: int, error: str) -> None:
    """Note why it is no longer tried by itself; it is kept, and a person may retry it."""
    connection.execute(_tried(number).values(status=DeliveryStatus.DEAD, last_error=error, next_try_at=None))


def retry(connection: Connection, now: datetime, numbers: Iterable[int] | None = None) -> tuple[Delivery, ...]:
    """Have dead ones tried again now, and waiting ones at once: those with these numbers, or all that are dead."""
    if numbers is None:
        wanted = table.c.status == DeliveryStatus.DEAD
    else:
        is_undelivered = or_(table.c.status == DeliveryStatus.DEAD, table.c.status == DeliveryStatus.PENDING)
        wanted = table.c.number.in_(tuple(numbers)) & is_undelivered
    again = update(table).where(wanted).values(status=DeliveryStatus.PENDING, attempts=0, next_try_at=now)
    taken = connection.execute(again.returning(table.c.number)).scalars().all()
    return _found(connection, select(*COLUMNS).where(table.c.number.in_(taken)).order_by(table.c.number))


def _tried(number: int) -> Update:
    """One attempt more, unless it was delivered meanwhile by another worker."""
    is_open = table.c.status != DeliveryStatus.DELIVERED
    return update(table).where(table.c.number == number, is_open).values(attempts=table.c.attempts + 1)


def _found(connection: Connection, query: Select[tuple[object, ...]]) -> tuple[Delivery, ...]:
    return tuple(Delivery(**row._asdict()) for row in connection.execute(query))
