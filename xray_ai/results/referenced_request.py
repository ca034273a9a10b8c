"""Which order a result answers: the requests that its source image names."""

import hashlib

from pydicom.dataset import Dataset

from xray_ai.results.carried_elements import carried, empty, sound_items_of, tags_of
from xray_ai.results.explicit_vr import framed

# Type 2 in an item of Referenced Request Sequence (PS3.3 C.17.2): where the source lacks them they are written empty.
REQUIRED = (
    *("AccessionNumber", "ReferencedStudySequence", "RequestedProcedureID", "RequestedProcedureDescription"),
    *("RequestedProcedureCodeSequence", "PlacerOrderNumberImagingServiceRequest"),
    "FillerOrderNumberImagingServiceRequest",
)
OPTIONAL = (
    *("IssuerOfAccessionNumberSequence", "OrderPlacerIdentifierSequence", "OrderFillerIdentifierSequence"),
    *("ReasonForTheRequestedProcedure", "ReasonForRequestedProcedureCodeSequence"),
)
SAID_BY_THE_IMAGE = tags_of(("StudyInstanceUID", "AccessionNumber"))  # where the request leaves them out
NEVER_MISSING = tags_of(REQUIRED)
CARRIED = tags_of(("StudyInstanceUID", *REQUIRED, *OPTIONAL))


def requests_of(source: Dataset) -> list[Dataset]:
    """Items of Referenced Request Sequence, from the source's own or its Request Attributes Sequence, byte for byte."""
    return [_request(source, stated) for stated in _stated(source)]


def requests_digest(source: Dataset) -> str:
    """SHA-256 of what `requests_of` reads."""
    elements = [one for stated in _stated(source) for one in (*carried(stated, CARRIED), empty(CARRIED[0]))]
    return hashlib.sha256(b"".join(framed(one.tag, str(one.VR), one.value or b"") for one in elements)).hexdigest()


def _stated(source: Dataset) -> tuple[Dataset, ...]:
    return sound_items_of(source, "ReferencedRequestSequence") or sound_items_of(source, "RequestAttributesSequence")


def _request(source: Dataset, stated: Dataset) -> Dataset:
    request = Dataset()
    for tag in NEVER_MISSING:
        request[tag] = empty(tag)
    for element in (*carried(source, SAID_BY_THE_IMAGE), *carried(stated, CARRIED)):
        if element.value:
            request[element.tag] = element
    return request
