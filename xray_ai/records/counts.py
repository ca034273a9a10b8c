"""Numbers for metrics: how many of each, and since when the oldest waits."""

from datetime import datetime
from typing import TypeVar

from sqlalchemy import Column, Connection, Select, Table, func, select

from xray_ai.domain.priority import Priority
from xray_ai.domain.received import Repeat
from xray_ai.records.tables import deliveries, readings, received_instances, studies
from xray_ai.records.words import DeliveryStatus, ReadingStatus, StudyStatus

T = TypeVar("T")


def received_by_repeat(connection: Connection) -> dict[Repeat, int]:
    """Distinct versions, by what each was beside those before it; the same bytes again are counted apart."""
    counts: dict[Repeat, int] = _counts(connection, received_instances, received_instances.c.repeat)
    again = select(func.coalesce(func.sum(received_instances.c.times_received - 1), 0))
    return counts | {Repeat.SAME_BYTES: int(connection.execute(again).scalar_one())}


def readings_by_status(connection: Connection) -> dict[ReadingStatus, int]:
    return _counts(connection, readings, readings.c.status)


def refusals_by_reason(connection: Connection) -> dict[str, int]:
    """Radiographs that were not read, by the code of the reason."""
    codes: dict[str | None, int] = _counts(connection, readings, readings.c.reason_code)
    return {code: count for code, count in codes.items() if code is not None}


def studies_by_status(connection: Connection) -> dict[StudyStatus, int]:
    return _counts(connection, studies, studies.c.status)


def studies_by_priority(connection: Connection) -> dict[Priority, int]:
    return _counts(connection, studies, studies.c.priority)


def deliveries_by_status(connection: Connection) -> dict[DeliveryStatus, int]:
    return _counts(connection, deliveries, deliveries.c.status)


def oldest_unread(connection: Connection) -> datetime | None:
    """When the study came that waits longest to be read by the model."""
    query = select(func.min(studies.c.received_at)).where(studies.c.status == StudyStatus.RECEIVED)
    return _moment(connection, query)


def oldest_undelivered(connection: Connection) -> datetime | None:
    """When the delivery was planned that waits longest."""
    query = select(func.min(deliveries.c.planned_at)).where(deliveries.c.status == DeliveryStatus.PENDING)
    return _moment(connection, query)


def _counts(connection: Connection, table: Table, column: Column[T]) -> dict[T, int]:
    query = select(column, func.count()).select_from(table).group_by(column)
    return {row[0]: row[1] for row in connection.execute(query)}


def _moment(connection: Connection, query: Select[datetime]) -> datetime | None:
    return connection.execute(query).scalar()
