"""Where a study is now, in one sentence, from what the records hold of it."""

from collections.abc import Sequence

from xray_ai.records.deliveries import Delivery
from xray_ai.records.evidence import RecordedEvidence
from xray_ai.records.hops import Hop
from xray_ai.records.studies import Study
from xray_ai.records.words import DeliveryStatus, HopKind, StudyStatus

JUDGEMENTS = (HopKind.READ, HopKind.NOT_READ)
REPORTS = (HopKind.REPORTED, HopKind.REPORT_FAILED)


def whereabouts(
    study: Study, reported: Sequence[RecordedEvidence], sent: Sequence[Delivery], way: Sequence[Hop]
) -> str:
    """Say what happened last to the study, and what it waits for."""
    if study.status is StudyStatus.RECEIVED:
        return "Received, and waits to be read."
    judged = "Read" if study.status is StudyStatus.READ else f"Not read by AI: {study.reason or 'nobody knows why'}"
    return f"{judged.rstrip('.')}; {_of_report(reported, sent, way)}"


def _of_report(reported: Sequence[RecordedEvidence], sent: Sequence[Delivery], way: Sequence[Hop]) -> str:
    last = next((hop.what for hop in reversed(way) if hop.what in REPORTS + JUDGEMENTS), None)
    if last is HopKind.REPORT_FAILED:
        return "its report failed: see its way and the log."
    if last in JUDGEMENTS or not reported:
        return "the report waits until no more images come."
    return f"reported (revision {reported[-1].revision}); {_of_deliveries(sent)}"


def _of_deliveries(sent: Sequence[Delivery]) -> str:
    waiting = sorted({one.destination for one in sent if one.status is DeliveryStatus.PENDING})
    dead = sorted({one.destination for one in sent if one.status is DeliveryStatus.DEAD})
    if not sent:
        return "no destination wants its results."
    if dead:
        return f"given up for {', '.join(dead)}: see its deliveries."
    if waiting:
        return f"on its way to {', '.join(waiting)}."
    return f"delivered to {', '.join(sorted({one.destination for one in sent}))}."
