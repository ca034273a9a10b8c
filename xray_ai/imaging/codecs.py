"""Which decoder serves which transfer syntax, whether it is there, and how it is called."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from types import MappingProxyType
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image, Jpeg2KImagePlugin, features
from pydicom import uid

from xray_ai.domain.uid import TransferSyntaxUID
from xray_ai.imaging.codestream import (
    CodestreamFrame,
    bare_jpeg2000,
    jpeg2000_frame,
    jpeg_frame,
    jpegls_frame,
)

Pixels = NDArray[np.integer[Any]]
BIG_ENDIAN_SYNTAX = TransferSyntaxUID(uid.ExplicitVRBigEndian)
NATIVE_SYNTAXES = (
    TransferSyntaxUID(uid.ImplicitVRLittleEndian),
    TransferSyntaxUID(uid.ExplicitVRLittleEndian),
    TransferSyntaxUID(uid.DeflatedExplicitVRLittleEndian),
    BIG_ENDIAN_SYNTAX,
)
RLE_SYNTAX = TransferSyntaxUID(uid.RLELossless)
ALWAYS_LOSSY = frozenset({TransferSyntaxUID(uid.JPEGBaseline8Bit), TransferSyntaxUID(uid.JPEGExtended12Bit)})
MAYBE_LOSSY = frozenset(  # unless the header says otherwise
    {TransferSyntaxUID(uid.JPEGLSNearLossless), TransferSyntaxUID(uid.JPEG2000), TransferSyntaxUID(uid.HTJ2K)}
)


@dataclass(frozen=True, slots=True)
class Codec:
    """One decoder: what the codestream says, all of it, and where it can, less of it."""

    package: str
    is_available: bool
    frame_of: Callable[[bytes], CodestreamFrame]
    decode: Callable[[bytes], Pixels]
    decode_reduced: Callable[[bytes, int, CodestreamFrame], Pixels] | None = None
    unwrap: Callable[[bytes], bytes] = bytes


def decode_rle(stream: bytes, word: np.dtype[Any], pixels: int) -> Pixels:
    """Decode RLE to little-endian words.

    Source: DICOM PS3.5 annex G.
    """
    return np.frombuffer(imagecodecs.dicomrle_decode(stream, word, out=pixels * word.itemsize), word)


def _decode_jpeg(stream: bytes) -> Pixels:
    return imagecodecs.jpeg8_decode(stream)


def _decode_jpegls(stream: bytes) -> Pixels:
    return imagecodecs.jpegls_decode(stream)


def _decode_jpeg2000(stream: bytes) -> Pixels:
    return imagecodecs.jpeg2k_decode(stream, numthreads=1)


def _decode_jpeg2000_reduced(stream: bytes, reduction: int, frame: CodestreamFrame) -> Pixels:
    """Decode the low-pass band by Pillow, which alone hands OpenJPEG's `reduce` through; undo its scaling to 16 bits.

    Its own `reduce` attribute fails for most odd sizes: it rounds where the standard rounds up.

    Shape:  (rows, columns) / 2**reduction, rounded up; uint8, uint16 or int16.
    """
    size = (-(-frame.columns >> reduction), -(-frame.rows >> reduction))
    with Image.open(BytesIO(stream), formats=["JPEG2000"]) as image:
        if not isinstance(image, Jpeg2KImagePlugin.Jpeg2KImageFile):
            raise TypeError
        image._size = size  # noqa: SLF001 - see above
        tile = image.tile[0]
        args = list(tile.args or ())
        args[1] = reduction
        image.tile = [tile._replace(extents=(0, 0, *size), args=tuple(args))]
        image.load()
        values: Pixels = np.asarray(image)
    if values.dtype != np.uint8:
        values = values >> (16 - frame.precision)
    return (values.astype(np.int32) - 2 ** (frame.precision - 1)).astype(np.int16) if frame.is_signed else values


_JPEG = Codec("imagecodecs", imagecodecs.JPEG8.available, jpeg_frame, _decode_jpeg)
_JPEGLS = Codec("imagecodecs", imagecodecs.JPEGLS.available, jpegls_frame, _decode_jpegls)
# OpenJPEG serves HTJ2K too: OpenJPH is twice as fast, but imagecodecs' binding swallows its errors and hands out a
# picture that ends in zeros, and its reduced bands wrap around at sharp edges.
_JPEG2000 = Codec(
    "imagecodecs pillow",
    imagecodecs.JPEG2K.available and bool(features.check("jpg_2000")),
    jpeg2000_frame,
    _decode_jpeg2000,
    _decode_jpeg2000_reduced,
    bare_jpeg2000,
)

CODECS = MappingProxyType(
    {
        TransferSyntaxUID(uid.JPEGBaseline8Bit): _JPEG,
        TransferSyntaxUID(uid.JPEGExtended12Bit): _JPEG,
        TransferSyntaxUID(uid.JPEGLossless): _JPEG,
        TransferSyntaxUID(uid.JPEGLosslessSV1): _JPEG,
        TransferSyntaxUID(uid.JPEGLSLossless): _JPEGLS,
        TransferSyntaxUID(uid.JPEGLSNearLossless): _JPEGLS,
        TransferSyntaxUID(uid.JPEG2000Lossless): _JPEG2000,
        TransferSyntaxUID(uid.JPEG2000): _JPEG2000,
        TransferSyntaxUID(uid.HTJ2KLossless): _JPEG2000,
        TransferSyntaxUID(uid.HTJ2KLosslessRPCL): _JPEG2000,
        TransferSyntaxUID(uid.HTJ2K): _JPEG2000,
    }
)


@dataclass(frozen=True, slots=True)
class DecoderState:
    """One line of `xray-ai doctor`: a transfer syntax, who decodes it, and whether that is installed."""

    transfer_syntax_uid: TransferSyntaxUID
    name: str
    package: str  # what to install with pip; more than one, parted by spaces
    is_available: bool


@cache
def decoders() -> tuple[DecoderState, ...]:
    """All transfer syntaxes that this service reads, in the order of their UIDs."""
    states = [DecoderState(syntax, uid.UID(syntax).name, "numpy", is_available=True) for syntax in NATIVE_SYNTAXES]
    is_rle_available = imagecodecs.DICOMRLE.available
    states.append(DecoderState(RLE_SYNTAX, uid.UID(RLE_SYNTAX).name, "imagecodecs", is_rle_available))
    states += [DecoderState(syntax, uid.UID(syntax).name, it.package, it.is_available) for syntax, it in CODECS.items()]
    return tuple(states)
