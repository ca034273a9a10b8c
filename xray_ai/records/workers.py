"""Which processes are alive; the work of those that fell silent is taken over."""

from datetime import datetime

from sqlalchemy import Connection, delete, select

from xray_ai.records.database import insert_into
from xray_ai.records.tables import workers as table


def beat(connection: Connection, worker: str, role: str, now: datetime) -> None:
    """Say that a worker is alive."""
    new = insert_into(table, connection.dialect.name).values(worker=worker, role=role, started_at=now, heartbeat_at=now)
    connection.execute(new.on_conflict_do_update(index_elements=["worker"], set_={"heartbeat_at": now, "role": role}))


def silent_since(connection: Connection, before: datetime) -> tuple[str, ...]:
    """Workers that were last heard of before this moment."""
    query = select(table.c.worker).where(table.c.heartbeat_at < before).order_by(table.c.worker)
    return tuple(connection.execute(query).scalars())


def alive_since(connection: Connection, after: datetime) -> dict[str, str]:
    """The role of each worker that was heard of since this moment."""
    query = select(table.c.worker, table.c.role).where(table.c.heartbeat_at >= after)
    return {worker: role for worker, role in connection.execute(query)}  # noqa: C416 - a Row is no pair


def forget(connection: Connection, worker: str) -> None:
    """Take a worker off the list, once it has stopped or its work was taken over."""
    connection.execute(delete(table).where(table.c.worker == worker))
