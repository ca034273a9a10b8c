"""The pixels of a Secondary Capture, in the form that an archive takes."""

import struct
from dataclasses import dataclass
from itertools import accumulate, chain, islice, repeat
from typing import NamedTuple

import imagecodecs
import numpy as np
from highdicom import PhotometricInterpretationValues
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless

from xray_ai.domain.evidence import SCForm
from xray_ai.results.heatmap_image import Picture

JPEG_QUALITY = 85


class Loss(NamedTuple):
    """One lossy compression: how many times smaller, and by which method."""

    ratio: str
    method: str


@dataclass(frozen=True, slots=True)
class Frame:
    """Pixels as they are stored, and the attributes that say how (PS3.5 8.2)."""

    pixels: bytes
    syntax: UID
    photometric: PhotometricInterpretationValues = PhotometricInterpretationValues.RGB
    loss: Loss | None = None


def frame_of(picture: Picture, form: SCForm) -> Frame:
    """Encode a picture, (rows, columns, 3) RGB uint8."""
    match form:
        case SCForm.JPEG:
            pixels = bytes(
                imagecodecs.jpeg8_encode(
                    picture, level=JPEG_QUALITY, colorspace="RGB", outcolorspace="YCBCR", subsampling="420"
                )
            )
            # YBR_FULL_422 stands for 4:2:0 too (PS3.3 C.7.6.3.1.2).
            photometric = PhotometricInterpretationValues.YBR_FULL_422
            loss = Loss(f"{picture.size / len(pixels):.2f}", "ISO_10918_1")
            return Frame(pixels, JPEGBaseline8Bit, photometric, loss)
        case SCForm.RLE:
            # The standard lets Planar Configuration be 0 or 1; Orthanc before 1.11.3 draws noise where it is 1.
            return Frame(_run_lengths(picture), RLELossless)
        case SCForm.UNCOMPRESSED:
            return Frame(picture.tobytes(), ExplicitVRLittleEndian)


def _run_lengths(picture: Picture) -> bytes:
    """One frame of RLE: a header of 16 words and a segment for each colour (PS3.5 annex G)."""
    planes = np.moveaxis(picture, -1, 0)
    segments = [bytes(imagecodecs.packbits_encode(np.ascontiguousarray(plane), axis=-1)) for plane in planes]
    segments = [segment + b"\0" * (len(segment) % 2) for segment in segments]
    starts = accumulate((len(segment) for segment in segments[:-1]), initial=64)
    header = struct.pack("<16L", *islice(chain([len(segments)], starts, repeat(0)), 16))
    return header + b"".join(segments)
