"""The measurement groups of a report (TID 1501, TID 1410): what was found on each image, or why it was not read."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from highdicom.sr import ContainerContentItem, ContentItem, GraphicTypeValues, ScoordContentItem

from xray_ai.acceptance import REFUSED_BY_PIXELS
from xray_ai.domain.finding import ABNORMALITY, Score
from xray_ai.domain.radiograph import RadiographHeader
from xray_ai.domain.reading import ModelIdentity, ScopeReading
from xray_ai.domain.scope import LIMITED_QUALITY, QUALITY_FINDINGS
from xray_ai.imaging.attributes import integer_of
from xray_ai.results import coded_concepts as concept
from xray_ai.results.content_items import (
    CONCEPT_MODIFIER,
    CONTAINS,
    OBSERVATION_CONTEXT,
    PROPERTIES,
    SELECTED_FROM,
    Concept,
    code,
    container,
    number,
    put_under,
    reference,
    text,
    uid_reference,
)
from xray_ai.results.region import Region, regions_of
from xray_ai.results.result_uids import tracking_uid
from xray_ai.results.study_result import ReadImage, StudyResult, UnreadImage

QUALITATIVE, PLANAR = "1501", "1410"  # templates of a measurement group
DECIMALS = 6  # as in `xray-ai triage --json`


@dataclass(frozen=True, slots=True)
class Place:
    """Which image of which study a group is about."""

    study: StudyResult
    header: RadiographHeader
    number: int  # among all images of the study, from 1
    source: ContentItem  # the reference to it, one for all its groups

    @classmethod
    def of(cls, study: StudyResult, header: RadiographHeader, number: int) -> "Place":
        return cls(study, header, number, reference(concept.SOURCE_OF_MEASUREMENT, header))

    def group(
        self, words: tuple[str, ...], items: list[ContentItem], template: str = QUALITATIVE
    ) -> ContainerContentItem:
        """A measurement group with its tracking identifier (TID 4108)."""
        uid = tracking_uid(self.study.model, self.header.sop_instance_uid, *words)
        name = " ".join((f"XRAY_AI image {self.number}", *words))
        tracking = [
            text(concept.TRACKING_IDENTIFIER, name, OBSERVATION_CONTEXT),
            uid_reference(concept.TRACKING_UID, uid, OBSERVATION_CONTEXT),
        ]
        return container(concept.MEASUREMENT_GROUP, [*tracking, *items], template=template)


def groups_of_read(study: StudyResult, image: ReadImage, number: int) -> Iterator[ContainerContentItem]:
    """The image, each finding that is present or undetermined with its regions, and all that are absent in one."""
    place = Place.of(study, image.header, number)
    named = [score for score in image.reading.scores if score.finding.key != ABNORMALITY]
    yield _group_of_image(place, image)
    for score in sorted(named, key=lambda score: not score.is_positive):
        if presence_of(score) is not concept.ABSENT:
            yield _group_of_finding(place, score)
        if score.is_positive and study.options.localisation:
            yield from _groups_of_regions(place, image, score)
    absent = [score for score in named if presence_of(score) is concept.ABSENT]
    if absent:
        yield place.group(("absent findings",), [*(_absent(score) for score in absent), place.source])


def group_of_unread(study: StudyResult, image: UnreadImage, number: int) -> ContainerContentItem:
    """Say that an image was not read, and why: silence would be taken for 'nothing found'."""
    place = Place.of(study, image.header, number)
    reason = code(concept.NOT_READ, concept.REJECTIONS[image.rejection.code])
    sentence = text(concept.COMMENT, f"Not read by AI. {image.rejection}")
    judge = _named(study.scope) if study.scope and image.rejection.code in REFUSED_BY_PIXELS else ()
    return place.group(("not read",), [*judge, reason, sentence, place.source])


def presence_of(score: Score) -> Concept:
    """Decision 14: present, absent, or undetermined between the two points (CID 240)."""
    if score.is_positive:
        return concept.PRESENT
    return concept.ABSENT if score.probability < score.rule_out_point else concept.UNDETERMINED


def _group_of_image(place: Place, image: ReadImage) -> ContainerContentItem:
    items = [*_algorithm(place.study, image), *_abnormality(image)]
    items.append(code(concept.PRIORITY, concept.PRIORITIES[image.decision.priority]))
    flagged = [place.study.policy.priority_of(score.finding.key) for score in image.decision.because]
    if flagged:  # an order may lift the priority; it makes no finding more actionable
        items.append(code(concept.ACTIONABLE, concept.ACR_CATEGORIES[max(flagged)]))
    if image.header.view_position in concept.VIEWS:
        items.append(code(concept.IMAGE_VIEW, concept.VIEWS[image.header.view_position]))
    items += _quality(image)
    items += [text(concept.COMMENT, note.text) for note in image.notes]
    return place.group((), [*items, place.source])


def _abnormality(image: ReadImage) -> Iterator[ContentItem]:
    """How likely it is that anything is to be seen. 'Absent' is never said of it: it would clear the patient."""
    for score in image.reading.scores:
        if score.finding.key == ABNORMALITY:
            probability, operating_point = _measurements(score)
            of_what = code(concept.FINDING, concept.concept_of(score.finding.code), CONCEPT_MODIFIER)
            put_under(probability, [of_what])
            yield probability
            yield operating_point
            if presence_of(score) is not concept.ABSENT:
                yield _presence(score)


def _quality(image: ReadImage) -> Iterator[ContentItem]:
    """How well the image was taken. Without a fault no rating is claimed: 'Diagnostic' is for a person to say."""
    scope = image.reading.scope
    if scope is None or not any(answer.question.is_about_quality for answer in scope.answers):
        yield text(concept.IMAGE_QUALITY, "not assessed")
    elif not scope.quality_findings:
        yield text(concept.IMAGE_QUALITY, "not rated; no fault found by pixels")
    else:
        yield code(concept.QUALITY_ASSESSMENT, concept.concept_of(LIMITED_QUALITY))
        for answer in scope.quality_findings:
            fault = code(concept.QUALITY_FINDING, concept.concept_of(QUALITY_FINDINGS[answer.question]))
            put_under(fault, [number(concept.PROBABILITY, _rounded(answer.probability), concept.NO_UNITS, PROPERTIES)])
            yield fault


def _algorithm(study: StudyResult, image: ReadImage) -> Iterator[ContentItem]:
    """Which model, by which thresholds and which policy (TID 4019)."""
    points = [
        f"{score.finding.key} {score.operating_point:g} / {score.rule_out_point:g}" for score in image.reading.scores
    ]
    yield from _named(study.model)
    for parameter in (
        f"triage policy {study.policy.name} SHA-256 {study.policy.digest}",
        f"threshold set (operating point / rule-out point): {', '.join(points)}",
        *_scope_parameters(image.reading.scope),
    ):
        yield text(concept.ALGORITHM_PARAMETERS, parameter, CONCEPT_MODIFIER)


def _named(model: ModelIdentity) -> Iterator[ContentItem]:
    yield text(concept.ALGORITHM_NAME, model.name, CONCEPT_MODIFIER)
    yield text(concept.ALGORITHM_VERSION, model.version, CONCEPT_MODIFIER)
    yield text(concept.ALGORITHM_PARAMETERS, f"model pack SHA-256 {model.digest}", CONCEPT_MODIFIER)


def _scope_parameters(scope: ScopeReading | None) -> Iterator[str]:
    """A group has one algorithm, so the model that let the image pass is a parameter of the one that read it."""
    if scope is None:
        return
    points = ", ".join(f"{answer.question.value} {answer.point:g}" for answer in scope.answers)
    yield f"scope pack {scope.model.name} {scope.model.version} SHA-256 {scope.model.digest}"
    yield f"scope points: {points}"


def _group_of_finding(place: Place, score: Score) -> ContainerContentItem:
    site = concept.SITES.get(score.finding.key, concept.CHEST)
    finding = code(concept.FINDING, concept.concept_of(score.finding.code))
    items = [finding, code(concept.FINDING_SITE, site, CONCEPT_MODIFIER), *_measurements(score), _presence(score)]
    return place.group((score.finding.key,), [*items, place.source])


def _groups_of_regions(place: Place, image: ReadImage, score: Score) -> Iterator[ContainerContentItem]:
    rows, columns = integer_of(image.source, "Rows"), integer_of(image.source, "Columns")
    if not rows or not columns:
        return
    regions = regions_of(image.reading.heatmap_of(score.finding.key), rows, columns)
    for number_, region in enumerate(regions, start=1):
        finding = code(concept.FINDING, concept.concept_of(score.finding.code))
        words = (score.finding.key, f"region {number_}")
        yield place.group(words, [finding, _image_region(image.header, region)], PLANAR)


def _image_region(header: RadiographHeader, region: Region) -> ScoordContentItem:
    outline = ScoordContentItem(
        concept.IMAGE_REGION,
        GraphicTypeValues.POLYLINE,
        np.array(region.points, np.float32),
        relationship_type=CONTAINS,
    )
    put_under(outline, [reference(concept.SOURCE, header, SELECTED_FROM)])
    return outline


def _absent(score: Score) -> ContentItem:
    """Absent, with the probability below it: the group has one for each of its findings."""
    absent = _presence(score)
    put_under(absent, [number(concept.PROBABILITY, _rounded(score.probability), concept.NO_UNITS, PROPERTIES)])
    return absent


def _presence(score: Score) -> ContentItem:
    """The finding as the question, its presence as the answer."""
    return code(concept.concept_of(score.finding.code), presence_of(score))


def _measurements(score: Score) -> list[ContentItem]:
    return [
        number(concept.PROBABILITY, _rounded(score.probability), concept.NO_UNITS),
        number(concept.OPERATING_POINT, _rounded(score.operating_point), concept.NO_UNITS),
    ]


def _rounded(share: float) -> float:
    return round(float(share), DECIMALS)
