"""How the beam crossed the patient: PA, AP or lateral, from the header."""

import re
from types import MappingProxyType

from pydicom.dataset import Dataset

from xray_ai.domain.radiograph import ViewPosition
from xray_ai.imaging.attributes import items_of, text_of, values_of

# PS3.16 CID 4010 DX View (SNOMED CT), and the SNOMED RT values that older objects carry for the same concepts.
VIEW_BY_CODE = MappingProxyType(
    {
        "272479007": ViewPosition.PA,
        "R-40888": ViewPosition.PA,
        "R-10214": ViewPosition.PA,  # the older value; PS3.3 C.8.11 quotes it for cephalograms
        "399348003": ViewPosition.AP,
        "R-10206": ViewPosition.AP,
        "399033003": ViewPosition.UNKNOWN,  # frontal: PA or AP
        "R-10202": ViewPosition.UNKNOWN,
        "399067008": ViewPosition.LATERAL,
        "R-102CD": ViewPosition.LATERAL,
        "399198007": ViewPosition.LATERAL,  # right lateral
        "R-10232": ViewPosition.LATERAL,
        "399173006": ViewPosition.LATERAL,  # left lateral
        "R-10236": ViewPosition.LATERAL,
        "399352003": ViewPosition.LATERAL,  # lateral-medial
        "R-10228": ViewPosition.LATERAL,
        "399260004": ViewPosition.LATERAL,  # medial-lateral
        "R-10224": ViewPosition.LATERAL,
        "30730003": ViewPosition.LATERAL,  # sagittal
        "G-A145": ViewPosition.LATERAL,
    }
)

SPECIAL_WORDS = frozenset(
    {
        *("RLD", "LLD", "RLO", "LLO", "RAO", "LAO", "RPO", "LPO", "OBLIQUE", "OBL", "DECUBITUS", "DECUB", "DECUBITAL"),
        *("LORDOTIC", "AXIAL", "TANGENTIAL", "SWIMMERS"),
    }
)
LATERAL_WORDS = frozenset(
    {"LL", "RL", "LAT", "LATERAL", "LLAT", "RLAT", "SAGITTAL", "SEITLICH", "PROFIL", "PROFILE", "LATERALE"}
)
PA_WORDS = frozenset({"PA", "POSTEROANTERIOR", "POSTERO", "POSTERIORANTERIOR"})
AP_WORDS = frozenset({"AP", "ANTEROPOSTERIOR", "ANTERO", "ANTERIORPOSTERIOR"})


def view_position_of(dataset: Dataset) -> ViewPosition:
    """Ask View Position, View Code Sequence, Body Part Examined, then which way rows run through the patient.

    Source: DICOM PS3.3 C.8.1.4 and C.8.11.4 (defined terms), C.7.6.1.1.1 (Patient Orientation); PS3.16 CID 4010.
    """
    by_word = _view_by_word(text_of(dataset, "ViewPosition"))
    if by_word is not ViewPosition.UNKNOWN:
        return by_word
    codes = [text_of(item, "CodeValue").upper() for item in items_of(dataset, "ViewCodeSequence")]
    if codes and codes[0]:
        return VIEW_BY_CODE.get(codes[0], ViewPosition.OTHER)
    by_body_part = _view_by_word(text_of(dataset, "BodyPartExamined"))  # some write CHEST LATERAL there
    if by_body_part is not ViewPosition.UNKNOWN:
        return by_body_part
    return ViewPosition.LATERAL if _rows_run_front_to_back(dataset) else ViewPosition.UNKNOWN


def _view_by_word(text: str) -> ViewPosition:
    words = set(re.split(r"[^A-Z]+", re.sub(r"\b([AP])\W{0,2}([AP])\b\W?", r"\1\2 ", text.upper())))
    for view, known in (
        (ViewPosition.OTHER, SPECIAL_WORDS),
        (ViewPosition.LATERAL, LATERAL_WORDS),
        (ViewPosition.PA, PA_WORDS),
        (ViewPosition.AP, AP_WORDS),
    ):
        if words & known:
            return view
    return ViewPosition.UNKNOWN


def _rows_run_front_to_back(dataset: Dataset) -> bool:
    """Whether Patient Orientation says that the image is seen from the side: its rows run to A or P."""
    orientation = [str(value).strip().upper()[:1] for value in values_of(dataset, "PatientOrientation")]
    return len(orientation) == 2 and orientation[0] in {"A", "P"} and orientation[1] in {"F", "H"}  # noqa: PLR2004
