"""One tree of errors, sorted by what happens next.

XrayAiError
 ├─ StudyRejected    never again: the input is listed as 'not read by AI: <reason>'
 ├─ PeerUnavailable  later: another program does not answer; try again with back-off
 └─ OperatorNeeded   stop: a person must mend the installation, the configuration or the model pack

The edges alone turn these into an exit code, a DIMSE status, an HTTP problem or an HL7 ACK.
"""

from enum import StrEnum


class RejectionCode(StrEnum):
    """Why a radiograph is not read, as a stable word for programs; the sentence for people goes with it."""

    NOT_FOUND = "not_found"
    NOT_DICOM = "not_dicom"
    FILE_UNREADABLE = "file_unreadable"
    FILE_TOO_LARGE = "file_too_large"
    HEADER_INCOMPLETE = "header_incomplete"
    SOP_CLASS = "sop_class"
    FOR_PROCESSING = "for_processing"
    MODALITY = "modality"
    BODY_PART = "body_part"
    VIEW_POSITION = "view_position"
    PATIENT_AGE = "patient_age"
    COLOUR = "colour"
    MULTI_FRAME = "multi_frame"
    TRANSFER_SYNTAX = "transfer_syntax"
    DECODER_MISSING = "decoder_missing"
    NO_PIXEL_DATA = "no_pixel_data"
    IMAGE_SIZE = "image_size"
    PIXEL_FORMAT = "pixel_format"
    PIXEL_DATA_CORRUPT = "pixel_data_corrupt"
    UNDISPLAYABLE = "undisplayable"
    BLANK = "blank"
    NOT_FRONTAL_CHEST = "not_frontal_chest"
    TURNED = "turned"
    LOOKS_INVERTED = "looks_inverted"
    DEFECT = "defect"


class XrayAiError(Exception):
    """The root: a sentence that says what was found, and one that says what to do."""

    def __init__(self, found: str, *, remedy: str) -> None:
        super().__init__(f"{found} {remedy}".strip())
        self.found = found
        self.remedy = remedy


class StudyRejected(XrayAiError):
    """This input cannot be read, now or later; it stays visible with its reason."""

    def __init__(self, code: RejectionCode, found: str, *, remedy: str = "") -> None:
        super().__init__(found, remedy=remedy)
        self.code = code


class PeerUnavailable(XrayAiError):
    """Another program does not answer; what was asked of it is asked again later."""


class OperatorNeeded(XrayAiError):
    """The service itself is not sound: configuration, device, model pack or disk."""
