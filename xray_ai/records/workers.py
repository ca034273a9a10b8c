"""Which processes are alive; the work of those that fell silent is taken over."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, select

from xray_ai.records.database import insert_into
from xray_ai.records.tables import workers as table


def beat(connection: Connection, worker: str, role: str, now: datetime) -> None:
    """Say that a worker is alive."""
    new = insert_into(table, connection.dialect.name).values(worker=worker, role=role, started_at=now, heartbeat_at=now)
    connection.execute(new.on_conflict_do_update(index_elements=["worker"], set_={"heartbeat_at": now, "role": role}))


def silent(connection: Connection, now: datetime, most: timedelta) -> tuple[str, ...]:
    """Workers that were not heard of for longer; one that was heard of later than now died before a clock set back."""
    query = select(table.c.worker).where(~_heard_of(now, most)).order_by(table.c.worker)
    return tuple(connection.execute(query).scalars())


def alive(connection: Connection, now: datetime, most: timedelta) -> dict[str, str]:
    """The role of each worker that is not silent."""
    query = select(table.c.worker, table.c.role).where(_heard_of(now, most))
    return {worker: role for worker, role in connection.execute(query)}  # noqa: C416 - a Row is no pair


def forget(connection: Connection, worker: str) -> None:
    """Take a worker off the list, once it has stopped or its work was taken over."""
    connection.execute(delete(table).where(table.c.worker == worker))


def _heard_of(now: datetime, most: timedelta) -> ColumnElement[bool]:
    return table.c.heartbeat_at.between(now - most, now + most)
