"""Numbers for Prometheus, from the records: the same whichever process answers. No label names a patient or a study."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from xray_ai import __version__
from xray_ai.api.service import Operations
from xray_ai.domain.received import Repeat
from xray_ai.records import counts
from xray_ai.records.database import reading
from xray_ai.records.totals import BOUNDS_S, Counted, Stage, Totals, totals
from xray_ai.records.words import DeliveryStatus, StudyStatus

CONTENT_TYPE = CONTENT_TYPE_LATEST
COUNTERS = {
    Counted.READ: ("xray_ai_radiographs_read", "Radiographs that the model read.", ""),
    Counted.REFUSED: ("xray_ai_radiographs_refused", "Radiographs that were not read, by reason.", "reason"),
    Counted.DELIVERED: ("xray_ai_results_delivered", "Results that a destination holds.", "destination"),
}


@dataclass(frozen=True, slots=True)
class Present:
    """How things stand in the records."""

    totals: Totals
    studies: Mapping[StudyStatus, int]
    deliveries: Mapping[DeliveryStatus, int]
    oldest_unread: datetime | None
    oldest_undelivered: datetime | None

    @classmethod
    def of(cls, connection: Connection) -> Self:
        return cls(
            totals(connection),
            counts.studies_by_status(connection),
            counts.deliveries_by_status(connection),
            counts.oldest_unread(connection),
            counts.oldest_undelivered(connection),
        )


def metrics_text(service: Operations) -> bytes:
    """All numbers, in the text format."""
    registry = CollectorRegistry()
    registry.register(_Numbers(service))
    return generate_latest(registry)


class _Numbers(Collector):
    """Asks the records at each scrape."""

    def __init__(self, service: Operations) -> None:
        self._service = service

    def describe(self) -> list[Metric]:
        """Nothing: so that the records are asked once."""
        return []

    def collect(self) -> Iterator[Metric]:
        with reading(self._service.engine) as connection:
            present = Present.of(connection)
        yield from _growing(present.totals)
        yield from _standing(present, self._service.now())
        yield from _of_process(self._service)


def _growing(grown: Totals) -> Iterator[Metric]:
    received = grown.of(Counted.RECEIVED) | {Repeat.SAME_BYTES.value: sum(grown.of(Counted.RECEIVED_AGAIN).values())}
    words = "Images that came, by what each was beside those before it."
    yield _counter("xray_ai_images_received", words, "repeat", {kind.value: received.get(kind, 0) for kind in Repeat})
    for counted, (name, what, label) in COUNTERS.items():
        yield _counter(name, what, label, grown.of(counted))
    stages = HistogramMetricFamily("xray_ai_stage_seconds", "How long each stage of the path took.", labels=["stage"])
    for stage in Stage:
        took = grown.durations(stage)
        buckets = [(str(bound), float(count)) for bound, count in zip(BOUNDS_S, took.at_most, strict=True)]
        stages.add_metric([stage.value], [*buckets, ("+Inf", float(took.count))], took.sum_s)
    yield stages


def _standing(present: Present, now: datetime) -> Iterator[Metric]:
    waiting = {status.value: present.studies.get(status, 0) for status in StudyStatus}
    yield _gauge("xray_ai_studies", "Studies on the worklist, by status.", "status", waiting)
    pending, dead = (present.deliveries.get(status, 0) for status in (DeliveryStatus.PENDING, DeliveryStatus.DEAD))
    yield _gauge("xray_ai_deliveries_pending", "Results on their way to a destination.", "", {"": pending})
    yield _gauge("xray_ai_dead_letters", "Results that are no longer tried until a person says so.", "", {"": dead})
    ages = {"read": _age(present.oldest_unread, now), "deliver": _age(present.oldest_undelivered, now)}
    yield _gauge("xray_ai_oldest_waiting_seconds", "How long the oldest waits; 0: nothing waits.", "for", ages)


def _of_process(service: Operations) -> Iterator[Metric]:
    yield _gauge("xray_ai_queue_depth", "What waits to be done, by queue.", "queue", service.queue_depths())
    yield _gauge("xray_ai_device_in_use", "What the network runs on.", "device", {service.device: 1})
    yield _gauge("xray_ai_not_ready", "How many things are not ready (/readyz).", "", {"": len(service.not_ready())})
    disk = shutil.disk_usage(service.storage_root)
    yield _gauge("xray_ai_disk_free_bytes", "What is left of the disk of the object store.", "", {"": disk.free})
    yield _gauge("xray_ai_disk_size_bytes", "The size of the disk of the object store.", "", {"": disk.total})
    yield _gauge("xray_ai_build_info", "The version that runs.", "version", {__version__: 1})


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


def _counter(name: str, what: str, label: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(name, what, labels=[label] if label else [])
    return _filled(family, label, values or ({} if label else {"": 0}))


def _gauge(name: str, what: str, label: str, values: Mapping[str, float]) -> Metric:
    return _filled(GaugeMetricFamily(name, what, labels=[label] if label else []), label, values)


def _filled(family: CounterMetricFamily | GaugeMetricFamily, label: str, values: Mapping[str, float]) -> Metric:
    for named, value in sorted(values.items()):
        family.add_metric([named] if label else [], value)
    return family
