"""The pixels of a Secondary Capture: nothing is lost that is not declared."""

import struct
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate

from xray_ai.domain.evidence import SCForm
from xray_ai.results.capture_frame import Frame, frame_of

Picture = NDArray[np.uint8]
FOUR_TWO_ZERO = 2  # Pillow's name for it
RUNS = st.lists(st.tuples(st.integers(0, 255), st.integers(1, 300)), min_size=1, max_size=20)


def a_picture(rows: int = 40, columns: int = 31) -> Picture:
    """Smooth in red, even in green, noise in blue."""
    red = np.linspace(0, 255, rows * columns).reshape(rows, columns)
    noise = np.random.default_rng(0).integers(0, 256, (rows, columns))
    return np.stack([red, np.full_like(red, 7), noise], axis=-1).astype(np.uint8)


def with_runs(runs: list[tuple[int, int]], columns: int) -> Picture:
    """Runs of equal bytes, one after the other over the borders of rows."""
    plane = np.concatenate([np.full(length, value, np.uint8) for value, length in runs])
    plane = np.resize(plane, (-(-len(plane) // columns), columns))
    return np.stack([plane, plane[::-1], 255 - plane], axis=-1)


def read_by_pydicom(frame: Frame, rows: int, columns: int) -> Picture:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = frame.syntax
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel, dataset.PlanarConfiguration = rows, columns, 3, 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    dataset.PhotometricInterpretation = frame.photometric.value
    dataset.PixelData = encapsulate([frame.pixels])
    dataset["PixelData"].is_undefined_length = True
    return np.asarray(dataset.pixel_array, np.uint8)


@given(RUNS, st.integers(2, 200))
def test_runs_of_every_length_come_back(runs: list[tuple[int, int]], columns: int) -> None:
    picture = with_runs(runs, columns)

    frame = frame_of(picture, SCForm.RLE)

    assert (read_by_pydicom(frame, *picture.shape[:2]) == picture).all()
    assert frame.loss is None


def test_each_colour_is_a_segment_of_even_length() -> None:
    frame = frame_of(a_picture(), SCForm.RLE)

    count, *starts = struct.unpack("<16L", frame.pixels[:64])
    assert (count, starts[0], starts[3:]) == (3, 64, [0] * 12)
    assert [start % 2 for start in (*starts[:3], len(frame.pixels))] == [0] * 4


def test_uncompressed_pixels_stand_as_they_are() -> None:
    frame = frame_of(a_picture(), SCForm.UNCOMPRESSED)

    assert (frame.pixels, frame.syntax, frame.loss) == (a_picture().tobytes(), uid.ExplicitVRLittleEndian, None)


def test_a_jpeg_is_baseline_with_reduced_colour_and_says_what_it_lost() -> None:
    frame = frame_of(a_picture(300, 200), SCForm.JPEG)

    jpeg = Image.open(BytesIO(frame.pixels))
    assert frame.loss is not None
    assert (jpeg.format, jpeg.mode, jpeg.size) == ("JPEG", "RGB", (200, 300))
    assert b"\xff\xc0" in frame.pixels  # start of a baseline frame
    assert JpegImagePlugin.get_sampling(jpeg) == FOUR_TWO_ZERO
    assert float(frame.loss.ratio) == pytest.approx(300 * 200 * 3 / len(frame.pixels), rel=0.01)
