"""Which UID a result has: one for each content, and the same for the same content (decision 9)."""

import hashlib

import numpy as np

from xray_ai import __version__
from xray_ai.domain.reading import Heatmap, ModelIdentity
from xray_ai.domain.uid import SOPClassUID, SOPInstanceUID, derived_uid
from xray_ai.imaging.attributes import values_of
from xray_ai.results.identity import identity_digest
from xray_ai.results.referenced_request import requests_digest
from xray_ai.results.study_result import ReadImage, StudyImage, StudyResult, UnreadImage

COMPOSER_VERSION = "2"  # raise it whenever the same study would be written with other bytes
# Attributes of a source that its results repeat, beside the identity.
REPEATED = ("SeriesInstanceUID", "TimezoneOffsetFromUTC", "Rows", "Columns", "PatientOrientation")


def sop_instance_uid(study: StudyResult, sop_class_uid: SOPClassUID, *parts: str) -> SOPInstanceUID:
    """Name one object of a study's results; `parts` tell apart several objects of one SOP Class."""
    return SOPInstanceUID(derived_uid("SOP Instance", sop_class_uid, *parts, _content_digest(study)))


def series_instance_uid(sop_instance_uid: SOPInstanceUID) -> str:
    """Name the series of a result by its first object, so that a successor knows its predecessor's series."""
    return derived_uid("Series", sop_instance_uid)


def tracking_uid(model: ModelIdentity, image: SOPInstanceUID, *parts: str) -> str:
    """Name what a measurement group is about; the same in a revised report."""
    return derived_uid("Tracking", model.digest, image, *parts)


def device_uid(model: ModelIdentity, scope: ModelIdentity | None) -> str:
    """Name the service with its models; behind another scope check it is another device."""
    return derived_uid("Device", model.digest, *((scope.digest,) if scope else ()))


def _content_digest(study: StudyResult) -> str:
    """SHA-256 of everything that decides what is written, whatever the order of the images."""
    read = sorted(study.read, key=lambda image: image.header.sop_instance_uid)
    unread = sorted(study.unread, key=lambda image: image.header.sop_instance_uid)
    facts = (
        (COMPOSER_VERSION, __version__),
        (study.model, study.scope),
        (study.policy.name, study.policy.digest, sorted(study.policy.priorities.items())),
        study.options,
        (study.read_at.isoformat(), study.predecessor),
        [_facts_of_read(image) for image in read],
        [_facts_of_unread(image) for image in unread],
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _facts_of_read(image: ReadImage) -> tuple[object, ...]:
    """All but the pixels, which are those that the SOP Instance UID names."""
    reading = image.reading
    heatmaps = [_heatmap_digest(heatmap) for heatmap in reading.heatmaps]
    return (
        *_facts_of_source(image),
        reading.model,
        reading.scores,
        (reading.notes, reading.scope),
        heatmaps,
        image.decision,
        image.notes,
    )


def _facts_of_unread(image: UnreadImage) -> tuple[object, ...]:
    return (*_facts_of_source(image), image.rejection.code.value, str(image.rejection))


def _facts_of_source(image: StudyImage) -> tuple[object, ...]:
    source = image.source
    repeated = [[str(value) for value in values_of(source, keyword)] for keyword in REPEATED]
    return image.header, repeated, identity_digest(source), requests_digest(source)


def _heatmap_digest(heatmap: Heatmap) -> tuple[object, ...]:
    values = np.ascontiguousarray(heatmap.values, np.float32)
    return heatmap.finding, heatmap.box, values.shape, hashlib.sha256(values.tobytes()).hexdigest()
