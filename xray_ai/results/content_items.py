"""Content items of a report (PS3.3 C.17.3), by highdicom's classes, which check them.

Its templates would build each coded concept anew and go through each group three times, at three times the cost.
"""

from collections.abc import Iterable

from highdicom.sr import (
    CodeContentItem,
    CodedConcept,
    CompositeContentItem,
    ContainerContentItem,
    ContentItem,
    ImageContentItem,
    NumContentItem,
    RelationshipTypeValues,
    TextContentItem,
    UIDRefContentItem,
)
from pydicom.sequence import Sequence
from pydicom.uid import UID

from xray_ai.domain.radiograph import RadiographHeader
from xray_ai.results.plain_text import plain

ACQUISITION_CONTEXT = RelationshipTypeValues.HAS_ACQ_CONTEXT
CONCEPT_MODIFIER = RelationshipTypeValues.HAS_CONCEPT_MOD
CONTAINS = RelationshipTypeValues.CONTAINS
OBSERVATION_CONTEXT = RelationshipTypeValues.HAS_OBS_CONTEXT
PROPERTIES = RelationshipTypeValues.HAS_PROPERTIES
SELECTED_FROM = RelationshipTypeValues.SELECTED_FROM


class Concept(CodedConcept):
    """A coded concept that knows its hash: highdicom files each content item by the hash of its name."""

    def __init__(self, value: str, scheme_designator: str, meaning: str) -> None:
        super().__init__(value, scheme_designator, meaning)
        self._hash = super().__hash__()

    def __hash__(self) -> int:
        return self._hash


def container(
    name: Concept,
    items: Iterable[ContentItem],
    *,
    template: str | None = None,
    relationship: RelationshipTypeValues | None = CONTAINS,
) -> ContainerContentItem:
    """A heading over other items; the root has no relationship."""
    item = ContainerContentItem(name, template_id=template, relationship_type=relationship)
    put_under(item, items)
    return item


def put_under(item: ContentItem, items: Iterable[ContentItem]) -> None:
    """Give an item children, of which each states its relationship."""
    item.ContentSequence = Sequence(items)


def code(name: Concept, value: Concept, relationship: RelationshipTypeValues = CONTAINS) -> CodeContentItem:
    return CodeContentItem(name, value, relationship)


def text(name: Concept, value: str, relationship: RelationshipTypeValues = CONTAINS) -> TextContentItem:
    return TextContentItem(name, plain(value), relationship)


def uid_reference(name: Concept, value: str, relationship: RelationshipTypeValues) -> UIDRefContentItem:
    return UIDRefContentItem(name, value, relationship)


def number(
    name: Concept, value: float, unit: Concept, relationship: RelationshipTypeValues = CONTAINS
) -> NumContentItem:
    item = NumContentItem(name, value, unit, relationship_type=relationship)
    if isinstance(value, int):  # which highdicom writes as 3000.0
        item.MeasuredValueSequence[0].NumericValue = str(value)
    return item


def reference(
    name: Concept, header: RadiographHeader, relationship: RelationshipTypeValues = CONTAINS
) -> ImageContentItem | CompositeContentItem:
    """Point to an image, or to whatever else the study holds."""
    kind = ImageContentItem if is_image(header) else CompositeContentItem
    return kind(name, header.sop_class_uid, header.sop_instance_uid, relationship_type=relationship)


def is_image(header: RadiographHeader) -> bool:
    """Whether the object is an image by its SOP Class; a study may hold reports and presentation states too."""
    return "Image Storage" in UID(header.sop_class_uid).name
