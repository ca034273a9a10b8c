"""The content tree of a report (TID 1500): who observed, what was observed, and in short what it means."""

from collections.abc import Iterator, Sequence

from highdicom.sr import ContainerContentItem, ContentItem

from xray_ai.domain.finding import FindingKey, Score
from xray_ai.domain.priority import Priority
from xray_ai.domain.scope import QUALITY_FINDINGS
from xray_ai.results import coded_concepts as concept
from xray_ai.results.content_items import CONCEPT_MODIFIER, OBSERVATION_CONTEXT, code, container, text, uid_reference
from xray_ai.results.heatmap_image import WARNING
from xray_ai.results.image_library import image_library
from xray_ai.results.measurement_group import group_of_unread, groups_of_read
from xray_ai.results.result_uids import device_uid
from xray_ai.results.study_result import ReadImage, StudyImage, StudyResult

MANUFACTURER = "xray_ai"


def measurement_report(study: StudyResult, images: Sequence[StudyImage]) -> ContainerContentItem:
    """Write down one study, its images in the order given."""
    items = [
        code(concept.LANGUAGE, concept.ENGLISH, CONCEPT_MODIFIER),
        *_observer(study),
        code(concept.PROCEDURE_REPORTED, concept.RADIOGRAPHY, CONCEPT_MODIFIER),
        # Not in the template, which may be extended: a person should see these two first.
        text(concept.COMMENT, WARNING),
        text(concept.SUMMARY, summary_of(study)),
        *image_library(images),
        container(concept.IMAGING_MEASUREMENTS, _groups(study, images)),
    ]
    return container(concept.IMAGING_MEASUREMENT_REPORT, items, template="1500", relationship=None)


def _observer(study: StudyResult) -> Iterator[ContentItem]:
    """The service with its model, as a device (TID 1002, 1004)."""
    model = study.model
    yield code(concept.OBSERVER_TYPE, concept.DEVICE, OBSERVATION_CONTEXT)
    yield uid_reference(concept.DEVICE_UID, device_uid(model, study.scope), OBSERVATION_CONTEXT)
    yield text(concept.DEVICE_NAME, f"XRAY_AI ({WARNING})", OBSERVATION_CONTEXT)
    yield text(concept.DEVICE_MANUFACTURER, MANUFACTURER, OBSERVATION_CONTEXT)
    yield text(concept.DEVICE_MODEL_NAME, f"{model.name} {model.version}", OBSERVATION_CONTEXT)
    yield text(concept.DEVICE_SERIAL_NUMBER, model.digest, OBSERVATION_CONTEXT)


def _groups(study: StudyResult, images: Sequence[StudyImage]) -> Iterator[ContainerContentItem]:
    for number, image in enumerate(images, start=1):
        if isinstance(image, ReadImage):
            yield from groups_of_read(study, image, number)
        else:
            yield group_of_unread(study, image, number)


def summary_of(study: StudyResult) -> str:
    """What was flagged, how urgent the study is, and how many images were read, in a few words."""
    images = len(study.read) + len(study.unread)
    if study.priority is None:
        return f"Not read by AI: none of {images} images. This says nothing about the patient."
    flagged = _flagged(study)
    named = ", ".join(f"{score.finding.name} {score.probability:.2f}" for score in flagged)
    found = f"Flagged: {named}." if flagged else "No finding flagged."
    urgent = max((study.policy.priority_of(score.finding.key) for score in flagged), default=Priority.ROUTINE)
    priority = f"Priority {study.priority.name}{' as ordered' if study.priority > urgent else ''}."
    return f"{found} {priority} {_limited(study)}Read by AI: {len(study.read)} of {images} images."


def _limited(study: StudyResult) -> str:
    """A flag, and still more its absence, weighs less on a poor image."""
    scopes = [image.reading.scope for image in study.read if image.reading.scope is not None]
    asked = {answer.question for scope in scopes for answer in scope.quality_findings}
    faults = [code.meaning for question, code in QUALITY_FINDINGS.items() if question in asked]
    return f"Limited image quality: {', '.join(faults)}. " if faults else ""


def _flagged(study: StudyResult) -> list[Score]:
    """Each flagged finding once, at its most probable, the most urgent first."""
    likeliest: dict[FindingKey, Score] = {}
    for score in (score for image in study.read for score in image.decision.because):
        known = likeliest.setdefault(score.finding.key, score)
        if score.probability > known.probability:
            likeliest[score.finding.key] = score
    return sorted(
        likeliest.values(),
        key=lambda score: (-study.policy.priority_of(score.finding.key), -score.probability, score.finding.key),
    )
