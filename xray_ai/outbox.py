"""Which result goes where, and what became of it on its way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from xray_ai.composition import Composer
from xray_ai.deliver.back_off import BackOff, next_try_after
from xray_ai.deliver.destinations import Destination, options_for, wanted_by
from xray_ai.deliver.storage_scu import associated_for_results
from xray_ai.domain.delivery import DeliveryRefused, ResultKind, StudyFacts
from xray_ai.domain.evidence import ResultOptions
from xray_ai.domain.priority import Priority
from xray_ai.domain.uid import SOPInstanceUID
from xray_ai.durable import Job, Workflow
from xray_ai.errors import PeerUnavailable, XrayAiError
from xray_ai.records import deliveries, hops
from xray_ai.records.deliveries import Delivery, PlannedDelivery
from xray_ai.records.evidence import RecordedEvidence
from xray_ai.records.hops import Hop
from xray_ai.records.studies import Study
from xray_ai.records.words import HopKind, StudyStatus


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one delivery: the destination holds this object, or does not for this reason."""

    delivery: Delivery
    delivered_uid: SOPInstanceUID | None
    failure: XrayAiError | None


@dataclass(frozen=True, slots=True)
class Patience:
    """When to try again."""

    back_off: BackOff
    now: datetime
    draw: Callable[[], float]  # 0.0 to 1.0


def plan(
    connection: Connection, recorded: RecordedEvidence, study: Study, wish: tuple[Destination, bool], now: datetime
) -> bool:
    """Plan what a destination wants of an evidence, with localisation or without; False: nothing."""
    destination, localisation = wish
    facts = StudyFacts(study.priority if study.status is StudyStatus.READ else None, frozenset(study.because))
    kinds = wanted_by(destination, facts, localisation=localisation)
    made = [one.item for one in recorded.objects if one.localisation is localisation]
    wanted = [item for item in dict.fromkeys(made) if ResultKind(item.split()[0]) in kinds]
    for item in wanted:
        planned = PlannedDelivery(recorded.evidence_key, item, destination.name, recorded.study_instance_uid)
        deliveries.plan(connection, planned, now)
    return bool(wanted)


def try_to_deliver(
    composer: Composer, destination: Destination | None, site: ResultOptions, pending: Sequence[Delivery]
) -> list[Tried]:
    """Send what is pending of one evidence, in the best form that the destination takes."""
    if destination is None:
        return [Tried(delivery, None, _no_longer_made(delivery)) for delivery in pending]
    try:
        with associated_for_results(destination) as association:
            options = options_for(destination, site, association.forms)
            made = {one.item: one for one in composer.in_form(pending[0].evidence_key, options)}
            there = [delivery for delivery in pending if delivery.item in made]
            outcomes = association.send([composer.objects.path(made[delivery.item].digest) for delivery in there])
    except (PeerUnavailable, DeliveryRefused) as failure:
        return [Tried(delivery, None, failure) for delivery in pending]
    gone = [Tried(delivery, None, _no_longer_made(delivery)) for delivery in pending if delivery.item not in made]
    return gone + [
        Tried(delivery, None if outcome.failure else outcome.sop_instance_uid, outcome.failure)
        for delivery, outcome in zip(there, outcomes, strict=True)
    ]


def note(connection: Connection, tried: Tried, patience: Patience) -> datetime | None:
    """Record what became of a delivery; when it is to be tried again, if at all."""
    delivery, now = tried.delivery, patience.now
    if tried.delivered_uid is not None:
        deliveries.mark_delivered(connection, delivery.number, tried.delivered_uid, now)
        hops.add(connection, _hop(delivery, now, HopKind.DELIVERED, ""))
        return None
    failure = tried.failure or _no_longer_made(delivery)
    again_at = next_try_after(failure, now, delivery.attempts + 1, patience.draw(), patience.back_off)
    if again_at is None:
        give_up(connection, delivery, str(failure), now)
        return None
    deliveries.mark_failed(connection, delivery.number, str(failure), again_at)
    if delivery.attempts == 0:  # the first failure is news
        hops.add(connection, _hop(delivery, now, HopKind.DELIVERY_FAILED, str(failure)))
    return again_at


def deliver_job(delivery: Delivery, priority: Priority, delay: timedelta = timedelta(0)) -> Job:
    """Have all that is pending of a delivery's evidence sent to its destination."""
    return Job(Workflow.DELIVER_EVIDENCE, (delivery.destination, delivery.evidence_key), priority=priority, delay=delay)


def give_up(connection: Connection, delivery: Delivery, reason: str, now: datetime) -> None:
    """Make a delivery a dead letter, which a person may retry."""
    deliveries.mark_dead(connection, delivery.number, reason)
    hops.add(connection, _hop(delivery, now, HopKind.DELIVERY_DEAD, reason))


def _hop(delivery: Delivery, now: datetime, what: HopKind, reason: str) -> Hop:
    result = delivery.item.split()[0].upper()
    return Hop(delivery.study_instance_uid, now, what, f"{result} to {delivery.destination}. {reason}".strip())


def _no_longer_made(delivery: Delivery) -> DeliveryRefused:
    found = f"{delivery.item.split()[0].upper()} is no longer made for {delivery.destination}."
    return DeliveryRefused(found, remedy="The configuration of results or of this destination has changed.")
