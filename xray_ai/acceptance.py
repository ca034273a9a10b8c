"""Is it a frontal chest radiograph that this model may judge? By the header before decoding, by the pixels after."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

from pydicom.uid import UID

from xray_ai.domain.radiograph import Note, RadiographHeader, ViewPosition
from xray_ai.domain.scope import ScopeAnswer, ScopeQuestion
from xray_ai.errors import RejectionCode, StudyRejected

CR_STORAGE = "1.2.840.10008.5.1.4.1.1.1"
DX_FOR_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.1"
DX_FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1.1"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

SECONDARY_CAPTURE_MODALITIES = frozenset({"OT", "SC"})
NOT_FOR_US = "Route only chest radiographs to this service."

# Words that sites add to the body part; they say how the image was taken and not of what.
HOW_TAKEN = frozenset(
    {
        *("PA", "AP", "P", "A", "FRONTAL", "LATERAL", "LAT", "LL", "RL", "ERECT", "UPRIGHT", "SUPINE", "SITTING"),
        *("PORTABLE", "PORT", "MOBILE", "BEDSIDE", "BED", "INSPIRATION", "EXPIRATION", "ADULT", "CHILD", "XR", "CXR"),
        *("1V", "2V", "VIEW", "VIEWS", "1", "2"),
    }
)
# Modalities (PS3.3 C.7.3.1.1.1) and body parts (PS3.16 annex L) that a sentence may name; all else is 'another one'.
KNOWN_MODALITIES = frozenset(
    {
        *("CT", "MR", "MG", "US", "NM", "PT", "XA", "RF", "CR", "DX", "RG", "OT", "SC", "SR", "PR", "KO", "SEG", "IO"),
        *("PX", "ES", "GM", "SM", "OP", "ECG", "RTIMAGE", "RTSTRUCT", "RTPLAN", "RTDOSE", "DOC", "BMD", "OCT", "TG"),
    }
)
KNOWN_BODY_PARTS = frozenset(
    {
        *("ABDOMEN", "ABDOMENPELVIS", "ANKLE", "ARM", "BREAST", "CALCANEUS", "CHESTABDOMEN", "CHESTABDPELVIS"),
        *("CLAVICLE", "COCCYX", "CSPINE", "CTSPINE", "EAR", "ELBOW", "EXTREMITY", "EYE", "FEMUR", "FINGER", "FOOT"),
        *("FOREARM", "HAND", "HEAD", "HEADNECK", "HEART", "HIP", "HUMERUS", "JAW", "KNEE", "LEG", "LOWER LEG"),
        *("LSPINE", "LSSPINE", "MANDIBLE", "MAXILLA", "NECK", "NECKCHEST", "NOSE", "ORBIT", "PELVIS", "RIB"),
        *("RIBS", "SCAPULA", "SHOULDER", "SKULL", "SPINE", "SSPINE", "STERNUM", "THIGH", "TIBIA FIBULA", "TMJ"),
        *("TOE", "TSPINE", "WHOLEBODY", "WRIST"),
    }
)

PIXELS_NOT_CHECKED = Note(
    "pixels_not_checked",
    "Whether this is an upright frontal chest was not checked by its pixels: no scope pack is used.",
)
CHEST_BUT_UNREADABLE = frozenset({RejectionCode.TURNED, RejectionCode.LOOKS_INVERTED})  # by its pixels
REFUSED_BY_PIXELS = CHEST_BUT_UNREADABLE | {RejectionCode.NOT_FRONTAL_CHEST}
TURNED_BY = MappingProxyType(  # degrees clockwise
    {ScopeQuestion.TURNED_90: 90, ScopeQuestion.TURNED_180: 180, ScopeQuestion.TURNED_270: 270}
)
QUALITY_NOTES = MappingProxyType(
    {
        ScopeQuestion.CLIPPED: "The lungs look cut off by the edge of the image",
        ScopeQuestion.MOTION: "The image looks blurred by motion",
        ScopeQuestion.UNDEREXPOSED: "The image looks underexposed",
        ScopeQuestion.OVEREXPOSED: "The image looks overexposed",
    }
)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What a model pack may judge, together with the site's policy on secondary captures."""

    sop_class_uids: frozenset[str]  # without Secondary Capture, which is the site's choice
    secondary_capture: bool
    modalities: frozenset[str]
    body_parts: frozenset[str]  # upper case
    view_positions: frozenset[ViewPosition]
    youngest_age_years: float
    oldest_age_years: float | None


def accept_header(header: RadiographHeader, acceptance: Acceptance) -> tuple[Note, ...]:
    """Let the radiograph pass with notes on what its header leaves open, or refuse it.

    Raises: StudyRejected SOP_CLASS, FOR_PROCESSING, MODALITY, BODY_PART, VIEW_POSITION or PATIENT_AGE.
    """
    _judge_sop_class(header, acceptance)
    notes = (
        _judge_modality(header, acceptance),
        _judge_body_part(header, acceptance),
        _judge_view(header, acceptance),
        _judge_age(header, acceptance),
    )
    return tuple(note for note in notes if note is not None)


def accept_pixels(answers: Iterable[ScopeAnswer]) -> tuple[Note, ...]:
    """Let the radiograph pass with notes on how well it was taken, or refuse it by the first answer that does.

    Raises: StudyRejected NOT_FRONTAL_CHEST, TURNED or LOOKS_INVERTED.
    """
    yes = {answer.question: answer.probability for answer in answers if answer.is_yes}
    found = [question for question in ScopeQuestion if question in yes]
    for question in found:
        if not question.is_about_quality:
            raise _refusal(question, yes[question])
    return tuple(
        Note(question.value, f"{QUALITY_NOTES[question]} (probability {yes[question]:.2f}).") for question in found
    )


def looks_inverted(how_sure: str = "") -> StudyRejected:
    """Refuse a negative, whoever found that it is one."""
    return StudyRejected(
        RejectionCode.LOOKS_INVERTED,
        f"The image looks inverted{how_sure}: air is bright where its header says that air is dark.",
        remedy="Correct Photometric Interpretation at the sender, or the inversion at the modality, and send it again.",
    )


def _refusal(question: ScopeQuestion, probability: float) -> StudyRejected:
    how_sure = f" (probability {probability:.2f})"
    if question is ScopeQuestion.INVERTED:
        return looks_inverted(how_sure)
    if question in TURNED_BY:
        return StudyRejected(
            RejectionCode.TURNED,
            f"The image looks turned by {TURNED_BY[question]} degrees clockwise{how_sure}.",
            remedy="Turn it upright at the sender and send it again.",
        )
    return StudyRejected(
        RejectionCode.NOT_FRONTAL_CHEST,
        f"By its pixels this is no frontal chest radiograph{how_sure}.",
        remedy=f"If it is one, have a radiologist read it without the model. {NOT_FOR_US}",
    )


def _judge_sop_class(header: RadiographHeader, acceptance: Acceptance) -> None:
    is_ours = header.sop_class_uid in acceptance.sop_class_uids
    if header.sop_class_uid == DX_FOR_PROCESSING or (is_ours and header.presentation_intent == "FOR PROCESSING"):
        raise StudyRejected(
            RejectionCode.FOR_PROCESSING,
            "This image is raw detector data, for processing.",
            remedy="Send the processed image, for presentation.",
        )
    if header.sop_class_uid == SECONDARY_CAPTURE and not acceptance.secondary_capture:
        raise StudyRejected(
            RejectionCode.SOP_CLASS,
            "This is a secondary capture (a scan or screenshot), and this site has them not read.",
            remedy="Send the original radiograph.",
        )
    if not is_ours and header.sop_class_uid != SECONDARY_CAPTURE:
        name = UID(header.sop_class_uid).name
        kind = "unknown" if name == header.sop_class_uid else name.removesuffix(" Storage")
        found = f"The object's kind (SOP Class) is {kind}, not a chest radiograph."
        raise StudyRejected(RejectionCode.SOP_CLASS, found, remedy=NOT_FOR_US)


def _judge_modality(header: RadiographHeader, acceptance: Acceptance) -> Note | None:
    is_capture = header.sop_class_uid == SECONDARY_CAPTURE
    accepted = acceptance.modalities | (SECONDARY_CAPTURE_MODALITIES if is_capture else frozenset())
    if not header.modality:
        return Note("modality_unknown", "The header does not name the modality.")
    if header.modality not in accepted:
        named = header.modality if header.modality in KNOWN_MODALITIES else "another one"
        found = f"The modality is {named}, not {_listed(acceptance.modalities)}."
        raise StudyRejected(RejectionCode.MODALITY, found, remedy=NOT_FOR_US)
    return None


def _judge_body_part(header: RadiographHeader, acceptance: Acceptance) -> Note | None:
    words = set(re.split(r"[ _]+", header.body_part_examined)) - HOW_TAKEN - {""}
    if not words:
        return Note("body_part_unknown", "The header does not say which body part was examined.")
    if header.body_part_examined not in acceptance.body_parts and not words <= acceptance.body_parts:
        named = header.body_part_examined if header.body_part_examined in KNOWN_BODY_PARTS else "another one"
        remedy = "If it is a chest, correct Body Part Examined at the modality and send it again."
        found = f"The body part examined is {named}, not {_listed(acceptance.body_parts)}."
        raise StudyRejected(RejectionCode.BODY_PART, found, remedy=remedy)
    return None


def _judge_view(header: RadiographHeader, acceptance: Acceptance) -> Note | None:
    if header.view_position is ViewPosition.UNKNOWN:
        return Note("view_position_unknown", "The header does not say whether the view is PA or AP.")
    if header.view_position not in acceptance.view_positions:
        named = "an oblique, decubitus or other special"
        if header.view_position is not ViewPosition.OTHER:
            named = "a lateral" if header.view_position is ViewPosition.LATERAL else f"a {header.view_position}"
        found = f"This is {named} view; the model reads {_listed(acceptance.view_positions)} views only."
        raise StudyRejected(RejectionCode.VIEW_POSITION, found, remedy="Send the frontal view of this study.")
    return None


def _judge_age(header: RadiographHeader, acceptance: Acceptance) -> Note | None:
    age = header.patient_age_years
    if age is None:
        return Note("patient_age_unknown", "The header does not tell the patient's age.")
    remedy = "Have a radiologist read it without the model."
    if age < acceptance.youngest_age_years:
        found = f"The patient is younger than {acceptance.youngest_age_years:g} years, the model's limit."
        raise StudyRejected(RejectionCode.PATIENT_AGE, found, remedy=remedy)
    if acceptance.oldest_age_years is not None and age >= acceptance.oldest_age_years + 1:
        found = f"The patient is older than {acceptance.oldest_age_years:g} years, the model's limit."
        raise StudyRejected(RejectionCode.PATIENT_AGE, found, remedy=remedy)
    return None


def _listed(words: frozenset[str] | frozenset[ViewPosition]) -> str:
    return " or ".join(sorted(str(word) for word in words))
