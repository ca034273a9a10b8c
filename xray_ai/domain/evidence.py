"""What may be written about a study, and every choice that changes its content."""

from dataclasses import dataclass
from enum import StrEnum


class SRForm(StrEnum):
    """Which SR object is written: IHE AIR asks for the first, older peers take only the second."""

    COMPREHENSIVE_3D = "comprehensive_3d"
    COMPREHENSIVE = "comprehensive"


class SCForm(StrEnum):
    """How the pixels of a Secondary Capture are encoded; old archives cannot transcode."""

    JPEG = "jpeg"
    RLE = "rle"
    UNCOMPRESSED = "uncompressed"


@dataclass(frozen=True, slots=True)
class ResultOptions:
    """Every choice that changes the content of a result; each enters its UID."""

    localisation: bool = True  # False: no region and no heatmap, since regulators class devices by it
    sr_form: SRForm = SRForm.COMPREHENSIVE_3D
    sc_form: SCForm = SCForm.JPEG
    sr_series_number: int = 9901  # 1 to 2**31 - 1
    sc_series_number: int = 9902
