"""What the header says of its pixels (PS3.3 C.7.6.3), refused here when it is not one plain grayscale frame."""

from dataclasses import dataclass

from pydicom.dataset import Dataset

from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.attributes import integer_of, number_of, word_of

MOST_PIXELS = 64 * 2**20
SHORTEST_SIDE_PX = 64
FEWEST_BITS = 8
GRAYSCALE = frozenset({"MONOCHROME1", "MONOCHROME2"})
COLOUR_PREFIXES = ("RGB", "YBR", "PALETTE", "HSV", "ARGB", "CMYK", "XYB")

SEND_GRAYSCALE = "Send the radiograph itself, not a screenshot or a result image."
SEND_AGAIN = "Send the image again from the modality."


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """One grayscale frame of 8 to 16 bits: how its stored values lie in their words."""

    rows: int  # 64 or more; rows * columns at most 64 Mi
    columns: int
    bits_allocated: int  # 8 or 16
    bits_stored: int  # 8 to 16
    shift: int  # bits below the stored value: High Bit + 1 - Bits Stored
    is_signed: bool

    @property
    def lowest(self) -> int:
        return -(1 << self.bits_stored - 1) if self.is_signed else 0

    @property
    def highest(self) -> int:
        return self.lowest + (1 << self.bits_stored) - 1


def pixel_format_of(dataset: Dataset) -> PixelFormat:
    """Read the pixel format, before anything is allocated for the image.

    Raises: StudyRejected COLOUR, MULTI_FRAME, IMAGE_SIZE or PIXEL_FORMAT.
    Source: DICOM PS3.3 C.7.6.3.1; PS3.5 8.1.1.
    """
    _refuse_colour(dataset)
    if (number_of(dataset, "NumberOfFrames") or 1) > 1:
        found = "The object holds several frames; a radiograph has one."
        raise StudyRejected(RejectionCode.MULTI_FRAME, found, remedy="Send single radiographs.")
    rows, columns = integer_of(dataset, "Rows") or 0, integer_of(dataset, "Columns") or 0
    if min(rows, columns) < SHORTEST_SIDE_PX or rows * columns > MOST_PIXELS:
        found = f"The image has {rows} x {columns} pixels, which is no size for a radiograph."
        raise StudyRejected(RejectionCode.IMAGE_SIZE, found, remedy=SEND_AGAIN)
    allocated, stored = integer_of(dataset, "BitsAllocated") or 0, integer_of(dataset, "BitsStored") or 0
    high_bit = integer_of(dataset, "HighBit")
    shift = 0 if high_bit is None else high_bit + 1 - stored
    if allocated not in {8, 16} or not FEWEST_BITS <= stored <= allocated or not 0 <= shift <= allocated - stored:
        found = f"The pixels have {stored} bits stored in {allocated}; 8 to 16 bits in 8 or 16 can be read."
        raise StudyRejected(RejectionCode.PIXEL_FORMAT, found, remedy=SEND_AGAIN)
    sign = integer_of(dataset, "PixelRepresentation")
    if sign not in {0, 1}:
        found = "The header does not say whether the pixels are signed (Pixel Representation)."
        raise StudyRejected(RejectionCode.PIXEL_FORMAT, found, remedy=SEND_AGAIN)
    return PixelFormat(rows, columns, allocated, stored, shift, is_signed=sign == 1)


def _refuse_colour(dataset: Dataset) -> None:
    photometric = word_of(dataset, "PhotometricInterpretation")
    samples = integer_of(dataset, "SamplesPerPixel")
    if photometric.startswith(COLOUR_PREFIXES) or samples not in {None, 1}:
        raise StudyRejected(RejectionCode.COLOUR, "This is a colour image.", remedy=SEND_GRAYSCALE)
    if photometric not in GRAYSCALE:
        found = "The header does not say which end of the grey scale is white (Photometric Interpretation)."
        raise StudyRejected(RejectionCode.PIXEL_FORMAT, found, remedy=SEND_AGAIN)
