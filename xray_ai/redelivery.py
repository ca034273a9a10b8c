"""Has results delivered again that were given up, or that wait, when a person says so."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, Engine

from xray_ai.domain.priority import Priority
from xray_ai.durable import Jobs
from xray_ai.outbox import deliver_job
from xray_ai.records import deliveries, hops, studies
from xray_ai.records.database import writing
from xray_ai.records.deliveries import Delivery
from xray_ai.records.hops import Hop
from xray_ai.records.words import HopKind


def redeliver(
    engine: Engine, jobs: Jobs, now: datetime, numbers: Collection[int] | None = None
) -> tuple[Delivery, ...]:
    """Try these again, or all that were given up; answers with those that will be tried, at once."""
    with writing(engine) as connection:
        again = deliveries.retry(connection, now, numbers)
        for delivery in again:
            told = f"{delivery.item.split()[0].upper()} to {delivery.destination}, by hand."
            hops.add(connection, Hop(delivery.study_instance_uid, now, HopKind.DELIVERY_RETRIED, told))
        for delivery in {(one.destination, one.evidence_key): one for one in again}.values():
            jobs.enqueue_in(connection, deliver_job(delivery, _priority_of(connection, delivery)))
    return again


def _priority_of(connection: Connection, delivery: Delivery) -> Priority:
    study = studies.find(connection, delivery.study_instance_uid)
    return study.priority if study else Priority.ROUTINE
