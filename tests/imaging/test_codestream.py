"""What codestreams say of themselves, and what of it is refused before a codec sees it."""

import struct

import pytest
from pydicom import uid

from tests.factories import LOSSLESS, encode, some_pixels
from xray_ai.domain.uid import TransferSyntaxUID
from xray_ai.imaging.codecs import CODECS
from xray_ai.imaging.codestream import CodestreamDamagedError, jpeg2000_frame, jpeg_frame, jpegls_frame

CODED = [it for it in LOSSLESS if it != uid.RLELossless]
WAVELETS = [uid.JPEG2000Lossless, uid.HTJ2KLossless]


def with_bytes(stream: bytes, position: int, value: bytes) -> bytes:
    return stream[:position] + value + stream[position + len(value) :]


@pytest.mark.parametrize("syntax", CODED)
def test_size_and_depth_are_read_from_every_codestream(syntax: uid.UID) -> None:
    frame = CODECS[TransferSyntaxUID(syntax)].frame_of(encode(some_pixels(), syntax, 12))

    assert (frame.rows, frame.columns, frame.components, frame.is_signed) == (203, 301, 1, False)
    assert frame.precision in {12, 16}


@pytest.mark.parametrize("syntax", WAVELETS)
def test_signed_samples_are_known(syntax: uid.UID) -> None:
    assert jpeg2000_frame(encode(some_pixels(signed=True), syntax, 12)).is_signed


def test_the_reversible_wavelet_is_told_from_the_irreversible_one() -> None:
    assert jpeg2000_frame(encode(some_pixels(), uid.JPEG2000Lossless, 12)).is_reversible
    assert not jpeg2000_frame(encode(some_pixels(), uid.JPEG2000, 12)).is_reversible


def test_fill_bytes_before_a_marker_are_passed_over() -> None:
    stream = encode(some_pixels(), uid.JPEGLosslessSV1, 12)

    assert jpeg_frame(stream[:2] + b"\xff" * 9 + stream[2:]).rows == 203


def test_progressive_jpeg_which_dicom_does_not_know_is_refused() -> None:
    stream = encode(some_pixels(bits=8), uid.JPEGBaseline8Bit, 8)
    progressive = stream.replace(b"\xff\xc0\x00\x0b", b"\xff\xc2\x00\x0b", 1)

    assert jpeg_frame(stream).precision == 8
    with pytest.raises(CodestreamDamagedError):
        jpeg_frame(progressive)


def test_one_codec_is_not_taken_for_another() -> None:
    jpeg, jpegls = (encode(some_pixels(), syntax, 12) for syntax in (uid.JPEGLosslessSV1, uid.JPEGLSLossless))

    with pytest.raises(CodestreamDamagedError):
        jpegls_frame(jpeg)
    with pytest.raises(CodestreamDamagedError):
        jpeg_frame(jpegls)


@pytest.mark.parametrize("syntax", WAVELETS)
@pytest.mark.parametrize(
    ("position", "value"),
    [
        (24, struct.pack(">2L", 1, 1)),  # tiles of one pixel
        (24, struct.pack(">2L", 0, 0)),
        (8, struct.pack(">2L", 0, 0)),
        (43, b"\x02\x02"),  # subsampled
        (0, b"\xff\xd8"),
    ],
)
def test_a_wavelet_codestream_of_an_absurd_geometry_is_refused(syntax: uid.UID, position: int, value: bytes) -> None:
    stream = encode(some_pixels(), syntax, 12)

    with pytest.raises(CodestreamDamagedError):
        jpeg2000_frame(with_bytes(stream, position, value))


def test_precincts_of_one_pixel_are_refused_since_each_costs_memory() -> None:
    stream = encode(some_pixels(2000, 2000), uid.JPEG2000Lossless, 12)
    style = stream.index(b"\xff\x52")
    levels = stream[style + 9]
    length = 12 + levels + 1
    small = struct.pack(">HHB", 0xFF52, length, 1) + stream[style + 5 : style + 14] + b"\x00" * (levels + 1)

    with pytest.raises(CodestreamDamagedError):
        jpeg2000_frame(stream[:style] + small + stream[style + 14 :])


def test_a_tile_part_that_ends_before_its_length_is_refused() -> None:
    stream = encode(some_pixels(), uid.JPEG2000Lossless, 12)

    with pytest.raises(CodestreamDamagedError):
        jpeg2000_frame(stream[:-500])


def test_a_coding_style_hidden_in_a_tile_part_is_refused() -> None:
    stream = encode(some_pixels(), uid.JPEG2000Lossless, 12)
    data = stream.index(b"\xff\x93")
    style = stream[stream.index(b"\xff\x52") :][:14]

    with pytest.raises(CodestreamDamagedError):
        jpeg2000_frame(stream[:data] + style + stream[data:])


@pytest.mark.parametrize(
    "stream", [b"\xff\xd8" + b"\xff" * 50_000 + b"\xff\xd9", b"\xff\xd8" + b"\xff\xe0\0\2" * 20_000 + b"\xff\xd9"]
)
def test_endless_segments_are_given_up(stream: bytes) -> None:
    with pytest.raises(CodestreamDamagedError):
        jpeg_frame(stream)
