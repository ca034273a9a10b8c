"""The image library of a report (TID 1600): every image of the study, read or not."""

from collections.abc import Iterable, Iterator

from highdicom.sr import ContainerContentItem, ContentItem

from xray_ai.imaging.attributes import integer_of, values_of
from xray_ai.results import coded_concepts as concept
from xray_ai.results.content_items import (
    ACQUISITION_CONTEXT,
    code,
    container,
    is_image,
    number,
    put_under,
    reference,
    text,
)
from xray_ai.results.study_result import StudyImage


def image_library(images: Iterable[StudyImage]) -> Iterator[ContainerContentItem]:
    """List the images, where any of the objects is one."""
    entries = [_entry(image) for image in images if is_image(image.header)]
    if entries:
        yield container(concept.IMAGE_LIBRARY, [container(concept.IMAGE_LIBRARY_GROUP, entries)])


def _entry(image: StudyImage) -> ContentItem:
    entry = reference(concept.SOURCE, image.header)
    descriptors = list(_descriptors(image))
    if descriptors:
        put_under(entry, descriptors)
    return entry


def _descriptors(image: StudyImage) -> Iterator[ContentItem]:
    """What the header says (TID 1602, 1603); highdicom's template raises where it says less than that."""
    header, source = image.header, image.source
    if header.modality in concept.MODALITIES:
        yield code(concept.MODALITY, concept.MODALITIES[header.modality], ACQUISITION_CONTEXT)
    for name, pixels in ((concept.ROWS, integer_of(source, "Rows")), (concept.COLUMNS, integer_of(source, "Columns"))):
        if pixels is not None:
            yield number(name, pixels, concept.PIXELS, ACQUISITION_CONTEXT)
    if header.view_position in concept.VIEWS:
        yield code(concept.IMAGE_VIEW, concept.VIEWS[header.view_position], ACQUISITION_CONTEXT)
    orientation = [str(value) for value in values_of(source, "PatientOrientation")]
    if len(orientation) == 2:  # noqa: PLR2004 - of the rows and of the columns
        yield text(concept.ORIENTATION_OF_ROWS, orientation[0], ACQUISITION_CONTEXT)
        yield text(concept.ORIENTATION_OF_COLUMNS, orientation[1], ACQUISITION_CONTEXT)
