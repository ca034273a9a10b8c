"""Reduced-resolution decoding: as near to full decoding as resamplers are to each other."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset

from tests.factories import a_dataset, a_demo_file, encode, some_pixels
from xray_ai.imaging.codestream import CodestreamFrame, jpeg2000_frame
from xray_ai.imaging.decode import decode
from xray_ai.imaging.part10 import open_part10
from xray_ai.imaging.reduced import on_block_grid

WAVELETS = (uid.JPEG2000Lossless, uid.JPEG2000, uid.HTJ2KLossless, uid.HTJ2K)


def errors_of(dataset: Dataset, side: int) -> NDArray[np.float64]:
    """How far reduced decoding is from full decoding once both are resized, in shares of full scale."""
    small, full = (
        cv2.resize(
            decode(dataset, least_side=least).values.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA
        )
        for least in (side, None)
    )
    return np.asarray(np.abs(small.astype(np.float64) - full) / 2**dataset.BitsStored)


@pytest.mark.parametrize("name", ["RG1_J2KR", "RG1_J2KI"])
@pytest.mark.parametrize(("side", "reduction"), [(320, 1), (224, 2), (128, 2)])
def test_a_real_chest_radiograph_comes_out_as_from_full_decoding(name: str, side: int, reduction: int) -> None:
    dataset = open_part10(a_demo_file(name))

    errors = errors_of(dataset, side)

    assert decode(dataset, least_side=side).reduction == reduction
    assert errors.mean() <= 0.001
    assert np.percentile(errors, 99.9) <= 0.01


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("syntax", WAVELETS)
def test_every_bit_depth_and_sign_comes_out_right(syntax: uid.UID, bits: int, *, signed: bool) -> None:
    smooth = cv2.GaussianBlur(some_pixels(500, 460, bits=bits), (0, 0), 3).astype(np.int32)
    pixels = (smooth - (2 ** (bits - 1) if signed else 0)).astype(some_pixels(bits=bits, signed=signed).dtype)
    dataset = a_dataset(pixels, bits_stored=bits, signed=signed, syntax=syntax)

    image = decode(dataset, least_side=100)

    assert image.reduction == 1
    assert image.values.dtype == (np.int16 if signed else pixels.dtype)
    assert errors_of(dataset, 100).mean() <= 0.002


@pytest.mark.parametrize("rows", range(513, 522))
@pytest.mark.parametrize("syntax", [uid.JPEG2000Lossless, uid.HTJ2KLossless])
def test_sizes_that_are_no_multiple_of_the_reduction_decode_too(syntax: uid.UID, rows: int) -> None:
    image = decode(a_dataset(some_pixels(rows, 530), syntax=syntax), least_side=64)

    assert image.reduction == 2
    assert image.values.shape == (-(-rows // 2), -(-530 // 2))
    assert (image.rows, image.columns) == (rows, 530)


def test_a_ramp_stays_where_it_was() -> None:
    ramp = np.tile(np.arange(512, dtype=np.uint16) * 8, (512, 1))

    values = decode(a_dataset(ramp, syntax=uid.JPEG2000Lossless), least_side=64).values

    blocks = ramp.reshape(256, 2, 256, 2).mean(axis=(1, 3))
    assert np.abs(values - blocks)[:, 8:-8].max() <= 1.5


@pytest.mark.parametrize(("least_side", "reduction"), [(None, 0), (251, 0), (250, 1), (126, 1), (125, 2), (1, 5)])
def test_the_reduction_leaves_twice_the_side_that_is_asked_for(least_side: int | None, reduction: int) -> None:
    dataset = a_dataset(some_pixels(1000, 1100), syntax=uid.JPEG2000Lossless)

    assert decode(dataset, least_side=least_side).reduction == reduction


def test_sharp_black_edges_do_not_wrap_around_to_white() -> None:
    pixels = np.zeros((512, 512), np.uint16)
    pixels[101:400, 133:371] = 60000

    values = decode(a_dataset(pixels, bits_stored=16, syntax=uid.HTJ2KLossless), least_side=64).values

    assert values[:40].max() < 6000
    assert values[80:160, 100:160].min() > 54000


def test_foreign_bits_above_the_stored_ones_force_full_decoding() -> None:
    pixels = some_pixels(512, 512)
    pixels[100:200, 100:200] |= 0x8000

    assert decode(a_dataset(pixels, syntax=uid.HTJ2KLossless), least_side=64).reduction == 0


def test_a_codestream_that_begins_off_the_origin_is_decoded_in_full() -> None:
    stream = encode(some_pixels(512, 512), uid.JPEG2000Lossless, 12)
    moved = stream[:16] + (1).to_bytes(4, "big") + stream[20:]

    assert jpeg2000_frame(stream).reductions > 0
    assert jpeg2000_frame(moved).reductions == 0


def test_the_block_grid_covers_the_source_evenly() -> None:
    frame = CodestreamFrame(rows=401, columns=402, components=1, precision=12)
    band = np.tile(np.arange(101, dtype=np.float32) * 4, (101, 1))  # sample i lies on source pixel 4 i

    moved = on_block_grid(band, frame, 2)

    centres = (np.arange(201) + 0.5) * 2 - 0.5  # 201 blocks of 2 cover 402 columns
    assert moved[50, 3:-3] == pytest.approx(centres[3:-3], abs=0.1)
