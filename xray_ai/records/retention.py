"""What may go: studies that came long ago and whose results have all been delivered; never an undelivered one."""

from datetime import datetime

from sqlalchemy import Connection, delete, exists, func, or_, select, union

from xray_ai.domain.received import ObjectDigest
from xray_ai.domain.uid import StudyInstanceUID
from xray_ai.records import received_instances as received
from xray_ai.records import totals
from xray_ai.records.tables import (
    deliveries,
    evidence,
    evidence_images,
    evidence_objects,
    hops,
    readings,
    received_instances,
    studies,
)
from xray_ai.records.words import DeliveryStatus, StudyStatus

NAMING = (  # an object, by its digest
    received_instances.c.digest,
    readings.c.heatmap_digest,
    evidence_objects.c.digest,
    evidence_images.c.outcome_digest,
)


def expired_studies(connection: Connection, received_before: datetime, limit: int) -> tuple[StudyInstanceUID, ...]:
    """Studies that nothing is waiting for: judged, reported where read, and delivered wherever planned."""
    of_study = studies.c.study_instance_uid
    is_undelivered = exists().where(
        deliveries.c.study_instance_uid == of_study, deliveries.c.status != DeliveryStatus.DELIVERED
    )
    is_reported = exists().where(evidence.c.study_instance_uid == of_study)
    wanted = (
        studies.c.last_received_at < received_before,
        or_(studies.c.status == StudyStatus.NOT_READ, (studies.c.status == StudyStatus.READ) & is_reported),
        ~is_undelivered,
    )
    query = select(of_study).where(*wanted).order_by(studies.c.last_received_at).limit(limit)
    return tuple(connection.execute(query).scalars())


def expired_strays(connection: Connection, received_before: datetime, limit: int) -> tuple[StudyInstanceUID, ...]:
    """Studies that are not listed, of which only our own results came back."""
    of_study = received_instances.c.study_instance_uid
    is_listed = exists().where(studies.c.study_instance_uid == of_study)
    last = func.max(received_instances.c.last_received_at)
    query = select(of_study).where(~is_listed).group_by(of_study).having(last < received_before).limit(limit)
    return tuple(connection.execute(query).scalars())


def forget_study(connection: Connection, study: StudyInstanceUID) -> tuple[ObjectDigest, ...]:
    """Delete all rows of a study, and answer with the objects that no row names any more.

    Delete those objects before the transaction ends: intake, which waits for its end, puts back what it needs.
    """
    received.receive_alone(connection)
    totals.carry_over(connection, study)
    composed = select(evidence.c.evidence_key).where(evidence.c.study_instance_uid == study)
    named = union(
        select(received_instances.c.digest).where(received_instances.c.study_instance_uid == study),
        select(readings.c.heatmap_digest).where(readings.c.study_instance_uid == study),
        select(evidence_objects.c.digest).where(evidence_objects.c.evidence_key.in_(composed)),
        select(evidence_images.c.outcome_digest).where(evidence_images.c.evidence_key.in_(composed)),
    )
    digests = [digest for digest in connection.execute(named).scalars() if digest is not None]
    for table in (
        deliveries,
        readings,
        received_instances,
        hops,
        evidence,
        studies,
    ):  # evidence takes its objects along
        connection.execute(delete(table).where(table.c.study_instance_uid == study))
    return tuple(digest for digest in digests if not is_recorded(connection, digest))


def is_recorded(connection: Connection, digest: ObjectDigest) -> bool:
    """Whether any row names the object; `LocalObjects.sweep` asks."""
    return any(connection.execute(select(column).where(column == digest).limit(1)).first() for column in NAMING)


def recorded_objects(connection: Connection) -> tuple[ObjectDigest, ...]:
    """All objects that any row names."""
    named = union(*(select(column).where(column.is_not(None)) for column in NAMING))
    return tuple(connection.execute(named).scalars())
