"""From a dataset's pixel data, in any listed transfer syntax, to stored values at full or at reduced resolution."""

import struct
from dataclasses import dataclass

import numpy as np
from pydicom import uid
from pydicom.dataset import Dataset

from xray_ai.domain.uid import TransferSyntaxUID
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.attributes import attempt, text_of, values_of
from xray_ai.imaging.codecs import (
    ALWAYS_LOSSY,
    BIG_ENDIAN_SYNTAX,
    CODECS,
    MAYBE_LOSSY,
    NATIVE_SYNTAXES,
    RLE_SYNTAX,
    Codec,
    DecoderState,
    Pixels,
    decode_rle,
    decoders,
)
from xray_ai.imaging.codestream import CodestreamFrame
from xray_ai.imaging.padding import has_padding, without_padding
from xray_ai.imaging.pixel_format import PixelFormat, pixel_format_of
from xray_ai.imaging.reduced import decode_reduced
from xray_ai.imaging.stored_image import StoredImage

__all__ = ["DecoderState", "decode", "decoders"]

ITEM = b"\xfe\xff\x00\xe0"
SEQUENCE_DELIMITER = b"\xfe\xff\xdd\xe0"
MOST_FRAGMENTS = 65_536
SEND_AGAIN = "Send the image again from its source."


@dataclass(frozen=True, slots=True)
class _Words:
    """What a decoder hands out: pixels that may still lie shifted, unsigned or with foreign bits in their words."""

    pixels: Pixels
    precision: int  # bits that the decoder says are used


def decode(dataset: Dataset, *, least_side: int | None) -> StoredImage:
    """Decode one grayscale frame; where the codec can, only as far as `least_side` pixels on the shorter side need.

    Shape:  (rows, columns), at reduction r > 0 divided by 2**(r - 1) and rounded up.
    Units:  stored values, right-aligned and sign-extended; Pixel Padding replaced by the darkest other value.
    Raises: StudyRejected TRANSFER_SYNTAX, DECODER_MISSING, NO_PIXEL_DATA, PIXEL_DATA_CORRUPT, BLANK, or what
            `pixel_format_of` finds.
    Source: DICOM PS3.5 8.1.1, 8.2, A.4; PS3.3 C.7.6.3, C.7.5.1.1.2.
    """
    content = _pixel_data_of(dataset)
    pixel_format = pixel_format_of(dataset)
    syntax = _transfer_syntax_of(dataset)
    is_lossy = _is_lossy(dataset, syntax)
    if syntax in NATIVE_SYNTAXES:
        words = _Words(_native_words(dataset, content, pixel_format, syntax), pixel_format.bits_allocated)
    elif syntax == RLE_SYNTAX:
        words = _rle_words(_frame_of(content), pixel_format)
    else:
        codec = CODECS[syntax]
        stream = codec.unwrap(_frame_of(content))
        frame = _announced_frame(codec, stream, pixel_format)
        reduced = None if has_padding(dataset) else decode_reduced(codec, stream, frame, pixel_format, least_side)
        if reduced is not None:
            return StoredImage(reduced[0], frame.rows, frame.columns, reduced[1], is_lossy)
        words = _codec_words(codec, stream, frame)
    values = _stored_values(words, pixel_format, may_overshoot=is_lossy and syntax in CODECS)
    if has_padding(dataset):
        values = without_padding(values, words.pixels, dataset, pixel_format)
    return StoredImage(values, pixel_format.rows, pixel_format.columns, 0, is_lossy)


def _transfer_syntax_of(dataset: Dataset) -> TransferSyntaxUID:
    meta = getattr(dataset, "file_meta", None)
    syntax = TransferSyntaxUID(text_of(meta, "TransferSyntaxUID") if meta is not None else "")
    if syntax not in CODECS and syntax not in NATIVE_SYNTAXES and syntax != RLE_SYNTAX:
        name = uid.UID(syntax).name
        found = f"This service does not read the transfer syntax {name if name != syntax else 'of this image'}."
        remedy = "Send it uncompressed or as JPEG, JPEG-LS, JPEG 2000 or RLE."
        raise StudyRejected(RejectionCode.TRANSFER_SYNTAX, found, remedy=remedy)
    state = next(state for state in decoders() if state.transfer_syntax_uid == syntax)
    if not state.is_available:
        found = f"The decoder for {state.name} is not installed."
        remedy = f"Run `pip install {state.package}` and check with `xray-ai doctor`."
        raise StudyRejected(RejectionCode.DECODER_MISSING, found, remedy=remedy)
    return syntax


def _pixel_data_of(dataset: Dataset) -> bytes:
    values = values_of(dataset, "PixelData")
    if not values or not isinstance(values[0], bytes) or not values[0]:
        found = "The object has no pixel data."
        raise StudyRejected(RejectionCode.NO_PIXEL_DATA, found, remedy="Send the image itself.")
    return values[0]


def _native_words(dataset: Dataset, content: bytes, pixel_format: PixelFormat, syntax: TransferSyntaxUID) -> Pixels:
    """View uncompressed words without a copy; a byte of an odd 8-bit frame may be swapped in a big-endian word."""
    width = pixel_format.bits_allocated // 8
    needed = pixel_format.rows * pixel_format.columns * width
    if not needed <= len(content) < 2 * needed:
        found = f"The pixel data have {len(content)} bytes, the header announces {needed}."
        raise StudyRejected(RejectionCode.PIXEL_DATA_CORRUPT, found, remedy=SEND_AGAIN)
    is_big_endian = syntax == BIG_ENDIAN_SYNTAX
    if width == 1 and is_big_endian and dataset["PixelData"].VR == "OW":
        words = np.frombuffer(content[: len(content) // 2 * 2], np.uint8).reshape(-1, 2)[:, ::-1].reshape(-1)
        return words[:needed].reshape(pixel_format.rows, pixel_format.columns)
    stored = np.frombuffer(
        content, f"{'>' if is_big_endian else '<'}u{width}", pixel_format.rows * pixel_format.columns
    )
    return stored.reshape(pixel_format.rows, pixel_format.columns).astype(f"=u{width}", copy=False)


def _frame_of(content: bytes) -> bytes:
    """Join the fragments of the one encapsulated frame; the Basic Offset Table, right or wrong, is passed over."""
    fragments = []
    position = 0
    for _ in range(MOST_FRAGMENTS):
        tag, length = content[position : position + 4], content[position + 4 : position + 8]
        if tag == SEQUENCE_DELIMITER or not tag:
            break
        end = position + 8 + struct.unpack("<L", length.ljust(4, b"\xff"))[0]
        if tag != ITEM or end > len(content):
            raise _corrupt("The compressed pixel data are cut off or not framed as they should be.")
        fragments.append(content[position + 8 : end])
        position = end
    return b"".join(fragments[1:])


def _rle_words(stream: bytes, pixel_format: PixelFormat) -> _Words:
    word = np.dtype(f"<u{pixel_format.bits_allocated // 8}")
    shape = (pixel_format.rows, pixel_format.columns)
    words = attempt(lambda: decode_rle(stream, word, shape[0] * shape[1]).reshape(shape))
    if words is None:
        raise _corrupt("The RLE pixel data cannot be decoded.")
    return _Words(words, pixel_format.bits_allocated)


def _announced_frame(codec: Codec, stream: bytes, pixel_format: PixelFormat) -> CodestreamFrame:
    """Compare what the codestream announces with the header, before a codec is let loose on it."""
    frame = attempt(lambda: codec.frame_of(stream))
    if frame is None:
        raise _corrupt("The compressed pixel data are cut off or damaged.")
    if (frame.rows, frame.columns, frame.components) != (pixel_format.rows, pixel_format.columns, 1):
        found = f"The compressed image has {frame.rows} x {frame.columns} pixels in {frame.components} components"
        raise _corrupt(f"{found}, the header announces {pixel_format.rows} x {pixel_format.columns} in one.")
    if frame.precision > pixel_format.bits_allocated:
        raise _corrupt(f"The compressed image has {frame.precision} bits, more than the header allocates.")
    return frame


def _codec_words(codec: Codec, stream: bytes, frame: CodestreamFrame) -> _Words:
    pixels = attempt(lambda: codec.decode(stream))
    if pixels is None or pixels.shape != (frame.rows, frame.columns) or pixels.dtype.itemsize > 2:  # noqa: PLR2004
        raise _corrupt("The compressed pixel data cannot be decoded.")
    return _Words(pixels, frame.precision)


def _stored_values(words: _Words, pixel_format: PixelFormat, *, may_overshoot: bool) -> Pixels:
    """Bring words to stored values: shift, drop foreign high bits (overlays), extend the sign; most need none of it.

    A lossy codec's overshoot is clipped instead, as dropping a bit would turn white into black.
    """
    pixels = words.pixels
    shift = pixel_format.shift if words.precision > pixel_format.bits_stored else 0
    bits = min(words.precision, pixel_format.bits_stored)
    lowest, highest = _range_of(bits, is_signed=pixel_format.is_signed)
    values = _reinterpreted(pixels, is_signed=pixel_format.is_signed)
    if shift == 0 and _holds_only(values, lowest, highest):
        return values
    if may_overshoot and shift == 0 and (pixels.dtype.kind == "i") == pixel_format.is_signed:
        return np.clip(values, lowest, highest)
    raised = _reinterpreted(pixels, is_signed=False).astype(np.uint16) << (16 - shift - bits)
    return _reinterpreted(raised, is_signed=pixel_format.is_signed) >> (16 - bits)


def _holds_only(values: Pixels, lowest: int, highest: int) -> bool:
    """Whether all values lie in this range; asks the pixels only where their type leaves it open."""
    possible = np.iinfo(values.dtype)
    is_low_enough = highest >= possible.max or values.max() <= highest
    return bool(is_low_enough and (lowest <= possible.min or values.min() >= lowest))


def _reinterpreted(pixels: Pixels, *, is_signed: bool) -> Pixels:
    """The same bits as int16, or as unsigned integers of the same width."""
    if is_signed:
        return pixels.view(f"i{pixels.dtype.itemsize}").astype(np.int16, copy=False)
    return pixels.view(f"u{pixels.dtype.itemsize}")


def _range_of(bits: int, *, is_signed: bool) -> tuple[int, int]:
    lowest = -(2 ** (bits - 1)) if is_signed else 0
    return lowest, lowest + 2**bits - 1


def _is_lossy(dataset: Dataset, syntax: TransferSyntaxUID) -> bool:
    stated = text_of(dataset, "LossyImageCompression")
    return syntax in ALWAYS_LOSSY or stated == "01" or (syntax in MAYBE_LOSSY and stated != "00")


def _corrupt(found: str) -> StudyRejected:
    return StudyRejected(RejectionCode.PIXEL_DATA_CORRUPT, found, remedy=SEND_AGAIN)
