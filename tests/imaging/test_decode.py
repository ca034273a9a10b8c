"""Decoding: every transfer syntax, every layout of pixels in their words, and what is refused."""

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from tests.factories import LOSSLESS, LOSSY, NATIVE, Pixels, a_dataset, a_demo_file, as_part10, encode, some_pixels
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging import decode as decode_module
from xray_ai.imaging.decode import DecoderState, decode, decoders
from xray_ai.imaging.part10 import open_part10, parse_part10


def decoded(dataset: Dataset) -> Pixels:
    return np.asarray(decode(parse_part10(as_part10(dataset)), least_side=None).values)


def refusal_of(dataset: Dataset) -> StudyRejected:
    with pytest.raises(StudyRejected) as refusal:
        decode(dataset, least_side=None)
    return refusal.value


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [8, 10, 12, 15, 16])
@pytest.mark.parametrize("syntax", NATIVE + LOSSLESS)
def test_lossless_syntaxes_give_back_every_stored_value(syntax: uid.UID, bits: int, *, signed: bool) -> None:
    pixels = some_pixels(bits=bits, signed=signed)

    values = decoded(a_dataset(pixels, bits_stored=bits, signed=signed, syntax=syntax))

    assert values.dtype == (np.int16 if signed else pixels.dtype)
    assert np.array_equal(values, pixels)


@pytest.mark.parametrize("syntax", NATIVE + LOSSLESS)
def test_lossless_syntaxes_give_back_a_real_chest(syntax: uid.UID) -> None:
    lungs = np.ascontiguousarray(
        decode(open_part10(a_demo_file("RG1_UNCR")), least_side=None).values[500:1200, 300:900]
    )

    assert np.array_equal(decoded(a_dataset(lungs, bits_stored=15, syntax=syntax)), lungs)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [8, 12])
@pytest.mark.parametrize("syntax", LOSSY)
def test_lossy_syntaxes_come_close_and_say_that_they_are_lossy(syntax: uid.UID, bits: int, *, signed: bool) -> None:
    if (syntax == uid.JPEGBaseline8Bit and bits != 8) or (syntax == uid.JPEGExtended12Bit and bits != 12):
        pytest.skip("the syntax has other bits")
    pixels = some_pixels(bits=bits, signed=signed)
    pixels = np.clip(pixels, np.percentile(pixels, 1), np.percentile(pixels, 99)).astype(pixels.dtype)

    image = decode(a_dataset(pixels, bits_stored=bits, signed=signed, syntax=syntax), least_side=None)

    assert image.lossy
    assert np.abs(image.values.astype(np.int32) - pixels).max() <= 0.05 * 2**bits


@pytest.mark.parametrize("name", ["RG1_UNCI", "RG1_J2KI"])
def test_a_header_that_admits_lossy_compression_is_believed(name: str) -> None:
    assert decode(open_part10(a_demo_file(name)), least_side=None).lossy


def test_the_same_radiograph_decodes_the_same_uncompressed_and_from_jpeg_2000() -> None:
    uncompressed = decode(open_part10(a_demo_file("RG1_UNCR")), least_side=None)
    compressed = decode(open_part10(a_demo_file("RG1_J2KR")), least_side=None)

    assert np.array_equal(uncompressed.values, compressed.values)
    assert not compressed.lossy


@pytest.mark.parametrize("syntax", [*LOSSLESS, uid.ExplicitVRLittleEndian])
def test_odd_sizes_decode_in_every_syntax(syntax: uid.UID) -> None:
    pixels = some_pixels(67, 65, bits=8)

    assert np.array_equal(decoded(a_dataset(pixels, bits_stored=8, syntax=syntax)), pixels)


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize("vr", ["OB", "OW"])
def test_bytes_read_the_same_whether_stored_as_ob_or_ow(syntax: uid.UID, vr: str) -> None:
    pixels = some_pixels(65, 67, bits=8)
    dataset = a_dataset(pixels, bits_stored=8, syntax=syntax)
    if vr == "OB":
        dataset.add_new("PixelData", "OB", pixels.tobytes() + b"\0")

    assert np.array_equal(decoded(dataset), pixels)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(("bits", "high_bit"), [(12, 15), (12, 13), (10, 11), (15, 15)])
def test_a_high_bit_above_the_stored_bits_means_a_shift(bits: int, high_bit: int, *, signed: bool) -> None:
    pixels = some_pixels(bits=bits, signed=signed)
    shifted = (pixels.view(np.uint16) << (high_bit + 1 - bits)).astype(np.uint16)

    dataset = a_dataset(shifted, bits_stored=bits, HighBit=high_bit, PixelRepresentation=int(signed))

    assert np.array_equal(decoded(dataset), pixels)


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.RLELossless])
@pytest.mark.parametrize("signed", [False, True])
def test_an_overlay_in_the_high_bits_is_dropped(syntax: uid.UID, *, signed: bool) -> None:
    pixels = some_pixels(bits=12, signed=signed)
    words = pixels.view(np.uint16) & 0x0FFF
    words[40:80, 40:80] |= 0x8000
    dataset = a_dataset(words, bits_stored=12, syntax=syntax, PixelRepresentation=int(signed))

    assert np.array_equal(decoded(dataset), pixels)


def test_a_sign_that_the_writer_did_not_extend_is_extended() -> None:
    pixels = some_pixels(bits=12, signed=True)
    words = pixels.view(np.uint16) & 0x0FFF

    assert np.array_equal(decoded(a_dataset(words, bits_stored=12, PixelRepresentation=1)), pixels)


@pytest.mark.parametrize("syntax", [uid.JPEG2000Lossless, uid.HTJ2KLossless])
def test_twos_complement_in_an_unsigned_codestream_becomes_signed(syntax: uid.UID) -> None:
    pixels = some_pixels(bits=12, signed=True)
    dataset = a_dataset(pixels.view(np.uint16) & 0x0FFF, bits_stored=12, syntax=syntax, PixelRepresentation=1)

    assert np.array_equal(decode(dataset, least_side=None).values, pixels)
    assert np.array_equal(decode(dataset, least_side=32).values, pixels)


@pytest.mark.parametrize("syntax", [uid.JPEGLosslessSV1, uid.JPEG2000Lossless])
def test_a_codec_that_delivers_right_aligned_values_is_not_shifted_again(syntax: uid.UID) -> None:
    pixels = some_pixels(bits=12)

    assert np.array_equal(decoded(a_dataset(pixels, syntax=syntax, HighBit=15)), pixels)


def test_the_overshoot_of_a_lossy_codec_is_clipped_and_not_wrapped() -> None:
    pixels = np.zeros((128, 128), np.uint16)
    pixels[:, 64:] = 4095
    dataset = a_dataset(pixels, syntax=uid.HTJ2K)

    values = decode(dataset, least_side=None).values

    assert values[:, 70:].min() > 3900
    assert values.max() <= 4095


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_pixel_padding_becomes_the_darkest_other_value(photometric: str) -> None:
    pixels = some_pixels(bits=12).clip(100, 4000)
    pixels[:20] = 4095
    darkest = pixels[20:].max() if photometric == "MONOCHROME1" else pixels[20:].min()

    values = decoded(a_dataset(pixels, photometric=photometric, PixelPaddingValue=4095))

    assert (values[:20] == darkest).all()
    assert np.array_equal(values[20:], pixels[20:])


def test_a_range_of_padding_values_is_replaced_whichever_end_is_named_first() -> None:
    pixels = some_pixels(bits=12).clip(100, 4000)
    pixels[:10], pixels[10:20] = 0, 50

    for first, limit in ((0, 50), (50, 0)):
        values = decoded(a_dataset(pixels, PixelPaddingValue=first, PixelPaddingRangeLimit=limit))
        assert (values[:20] == pixels[20:].min()).all()


def test_a_padding_value_beyond_the_stored_bits_is_found_in_the_words() -> None:
    pixels = some_pixels(bits=12).clip(100, 4095)
    words = pixels.copy()
    words[:20] = 0xFFFF

    values = decoded(a_dataset(words, PixelPaddingValue=0xFFFF))

    assert (values[:20] == pixels[20:].min()).all()
    assert np.array_equal(values[20:], pixels[20:])


def test_negative_padding_is_replaced() -> None:
    pixels = some_pixels(bits=16, signed=True).clip(-1000, 1000)
    pixels[:20] = -2000

    values = decoded(a_dataset(pixels, bits_stored=16, signed=True, PixelPaddingValue=-2000))

    assert (values[:20] == pixels[20:].min()).all()


def test_an_image_of_padding_alone_is_blank() -> None:
    dataset = a_dataset(np.full((100, 100), 7, np.uint16), PixelPaddingValue=7)

    assert refusal_of(dataset).code is RejectionCode.BLANK


def test_padding_keeps_a_wavelet_from_being_decoded_at_reduced_resolution() -> None:
    pixels = some_pixels(400, 400)

    assert decode(a_dataset(pixels, syntax=uid.JPEG2000Lossless), least_side=64).reduction == 1
    assert decode(a_dataset(pixels, syntax=uid.JPEG2000Lossless, PixelPaddingValue=0), least_side=64).reduction == 0


def test_overlays_of_their_own_group_are_ignored() -> None:
    dataset = a_dataset()
    dataset.add_new((0x6000, 0x3000), "OW", b"\xff" * 100)

    assert np.array_equal(decoded(dataset), some_pixels())


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}, RejectionCode.COLOUR),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, RejectionCode.COLOUR),
        ({"PhotometricInterpretation": "YBR_FULL_422"}, RejectionCode.COLOUR),
        ({"SamplesPerPixel": 3}, RejectionCode.COLOUR),
        ({"PhotometricInterpretation": "SOMETHING"}, RejectionCode.PIXEL_FORMAT),
        ({"PhotometricInterpretation": None}, RejectionCode.PIXEL_FORMAT),
        ({"NumberOfFrames": 2}, RejectionCode.MULTI_FRAME),
        ({"Rows": 0}, RejectionCode.IMAGE_SIZE),
        ({"Columns": None}, RejectionCode.IMAGE_SIZE),
        ({"Rows": 63}, RejectionCode.IMAGE_SIZE),
        ({"Rows": 65535, "Columns": 65535}, RejectionCode.IMAGE_SIZE),
        ({"BitsAllocated": 32}, RejectionCode.PIXEL_FORMAT),
        ({"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0}, RejectionCode.PIXEL_FORMAT),
        ({"BitsStored": 7, "HighBit": 6}, RejectionCode.PIXEL_FORMAT),
        ({"BitsStored": 17}, RejectionCode.PIXEL_FORMAT),
        ({"HighBit": 3}, RejectionCode.PIXEL_FORMAT),
        ({"HighBit": 16}, RejectionCode.PIXEL_FORMAT),
        ({"PixelRepresentation": None}, RejectionCode.PIXEL_FORMAT),
        ({"PixelRepresentation": 2}, RejectionCode.PIXEL_FORMAT),
        ({"PixelData": None}, RejectionCode.NO_PIXEL_DATA),
        ({"PixelData": b""}, RejectionCode.NO_PIXEL_DATA),
        ({"PixelData": b"\0" * 1000}, RejectionCode.PIXEL_DATA_CORRUPT),
        ({"PixelData": b"\0" * 1_000_000}, RejectionCode.PIXEL_DATA_CORRUPT),
    ],
)
def test_what_is_no_plain_grayscale_frame_is_refused(attributes: dict[str, Any], code: RejectionCode) -> None:
    assert refusal_of(a_dataset(**attributes)).code is code


@pytest.mark.parametrize("syntax", [uid.MPEG2MPML, uid.SMPTEST211020UncompressedProgressiveActiveVideo, "1.2.3.4", ""])
def test_a_transfer_syntax_that_is_not_listed_is_refused(syntax: str) -> None:
    dataset = a_dataset()
    dataset.file_meta.TransferSyntaxUID = uid.UID(syntax)

    assert refusal_of(dataset).code is RejectionCode.TRANSFER_SYNTAX


def test_a_dataset_without_file_meta_information_is_refused() -> None:
    dataset = a_dataset()
    del dataset.file_meta

    assert refusal_of(dataset).code is RejectionCode.TRANSFER_SYNTAX


def test_a_decoder_that_is_not_installed_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = [DecoderState(state.transfer_syntax_uid, state.name, "some-codecs", False) for state in decoders()]
    monkeypatch.setattr(decode_module, "decoders", lambda: missing)

    refusal = refusal_of(a_dataset(syntax=uid.JPEG2000Lossless))

    assert refusal.code is RejectionCode.DECODER_MISSING
    assert "pip install some-codecs" in refusal.remedy


def test_every_listed_syntax_has_its_decoder_here() -> None:
    assert {str(state.transfer_syntax_uid) for state in decoders()} == {*map(str, NATIVE + LOSSLESS + LOSSY)}
    assert all(state.is_available and state.package for state in decoders())


@pytest.mark.parametrize("syntax", [it for it in LOSSLESS if it != uid.RLELossless])
def test_a_codestream_of_another_size_than_the_header_is_refused(syntax: uid.UID) -> None:
    dataset = a_dataset(syntax=syntax, Rows=100)

    refusal = refusal_of(dataset)

    assert refusal.code is RejectionCode.PIXEL_DATA_CORRUPT
    assert "203 x 301" in refusal.found


@pytest.mark.parametrize("syntax", LOSSLESS)
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_frame_that_is_cut_off_is_refused(syntax: uid.UID, share: float) -> None:
    frame = encode(some_pixels(), syntax, 12)
    dataset = a_dataset(syntax=syntax, PixelData=encapsulate([frame[: int(share * len(frame))] or b"\0\0"]))

    assert refusal_of(dataset).code is RejectionCode.PIXEL_DATA_CORRUPT


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_a_file_that_is_cut_off_within_its_frame_is_refused(syntax: uid.UID) -> None:
    content = as_part10(a_dataset(syntax=syntax))

    assert refusal_of(parse_part10(content[:-200])).code is RejectionCode.PIXEL_DATA_CORRUPT


def test_uncompressed_pixels_in_a_compressed_syntax_are_refused() -> None:
    dataset = a_dataset(syntax=uid.JPEG2000Lossless, PixelData=some_pixels().tobytes())

    assert refusal_of(dataset).code is RejectionCode.PIXEL_DATA_CORRUPT


@pytest.mark.parametrize("table", [b"", struct.pack("<L", 0), struct.pack("<L", 999_999), b"\1\2\3\4" * 7])
def test_a_basic_offset_table_right_or_wrong_is_passed_over(table: bytes) -> None:
    frame = encode(some_pixels(), uid.JPEGLSLossless, 12)
    frame += b"\0" * (len(frame) % 2)
    item = b"\xfe\xff\x00\xe0"
    content = item + struct.pack("<L", len(table)) + table + item + struct.pack("<L", len(frame)) + frame

    dataset = a_dataset(syntax=uid.JPEGLSLossless, PixelData=content)

    assert np.array_equal(decode(dataset, least_side=None).values, some_pixels())


@pytest.mark.parametrize("fragments", [2, 7])
def test_a_frame_in_several_fragments_is_joined(fragments: int) -> None:
    frame = encode(some_pixels(), uid.JPEG2000Lossless, 12)
    dataset = a_dataset(
        syntax=uid.JPEG2000Lossless, PixelData=encapsulate([frame], fragments_per_frame=fragments, has_bot=False)
    )

    assert np.array_equal(decode(dataset, least_side=None).values, some_pixels())


def test_a_codestream_inside_a_jp2_file_is_found() -> None:
    jp2 = b"\x00\x00\x00\x0cjP  \r\n\x87\n" + b"\x00\x00\x00\x00jp2c" + encode(some_pixels(), uid.JPEG2000Lossless, 12)
    dataset = a_dataset(syntax=uid.JPEG2000Lossless, PixelData=encapsulate([jp2]))

    assert np.array_equal(decode(dataset, least_side=None).values, some_pixels())


@given(st.data())
def test_random_damage_to_a_frame_reads_or_is_refused(data: st.DataObject) -> None:
    syntax = data.draw(st.sampled_from((*LOSSLESS, uid.JPEGExtended12Bit, uid.JPEG2000)))
    frame = bytearray(encode(some_pixels(70, 70), syntax, 12))
    for place, byte in data.draw(st.lists(st.tuples(st.integers(0, len(frame) - 1), st.integers(0, 255)), max_size=4)):
        frame[place] = byte
    dataset = a_dataset(some_pixels(70, 70), syntax=uid.ExplicitVRLittleEndian, PixelData=encapsulate([bytes(frame)]))
    dataset.file_meta.TransferSyntaxUID = syntax

    codes: list[RejectionCode] = []
    try:
        decode(dataset, least_side=16)
    except StudyRejected as refusal:
        codes.append(refusal.code)

    assert codes in ([], [RejectionCode.PIXEL_DATA_CORRUPT])
