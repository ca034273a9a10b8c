"""Secondary Captures in the eyes of others: dicom3tools finds no error, dcmtk draws the same picture."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.factories import a_dataset, some_pixels
from tests.readings import MASS, a_read_image, a_score, a_study_result
from xray_ai.domain.evidence import SCForm
from xray_ai.results.part10_bytes import encoded
from xray_ai.results.secondary_capture import secondary_capture
from xray_ai.results.study_result import ReadImage

pytestmark = pytest.mark.e2e

SHAPES = [(64, 64), (203, 301), (1024, 853), (700, 1024)]


def a_capture_file(folder: Path, image: ReadImage, form: SCForm) -> Path:
    capture = secondary_capture(a_study_result(image, sc_form=form), image)
    assert capture is not None
    file = folder / f"{form}.dcm"
    file.write_bytes(encoded(capture))
    return file


def complaints_of_dciodvfy(file: Path) -> list[str]:
    verdict = subprocess.run(["dciodvfy", file], capture_output=True, text=True, check=False)
    assert "SCImage" in verdict.stderr  # it knows what this is
    return [line for line in verdict.stderr.splitlines() if line.startswith(("Error", "Warning"))]


def drawn_by_dcmtk(file: Path) -> NDArray[np.int_]:
    picture = file.with_suffix(".ppm")
    subprocess.run(["dcmj2pnm", file, picture], capture_output=True, check=True)
    return np.asarray(Image.open(picture), np.int_)


@pytest.mark.parametrize("form", SCForm)
@pytest.mark.parametrize("lossy", ["00", "01"])
def test_dciodvfy_finds_nothing_to_say(tmp_path: Path, form: SCForm, lossy: str) -> None:
    source = a_dataset(LossyImageCompression=lossy, PatientSex="F", StudyTime="101500", StudyID="7")
    source.SpecificCharacterSet, source.PatientName = "ISO_IR 192", "Nguyễn^Thị Hương"
    source.PatientOrientation = ["L", "F"]

    file = a_capture_file(tmp_path, a_read_image(source), form)

    assert complaints_of_dciodvfy(file) == []


@pytest.mark.parametrize("form", SCForm)
def test_dciodvfy_finds_no_error_where_the_source_says_little(tmp_path: Path, form: SCForm) -> None:
    file = a_capture_file(tmp_path, a_read_image(a_dataset(PatientBirthDate=None, StudyDate=None)), form)

    assert [line for line in complaints_of_dciodvfy(file) if line.startswith("Error")] == []


@pytest.mark.parametrize("shape", SHAPES)
def test_dcmtk_draws_every_form_as_the_same_picture(tmp_path: Path, shape: tuple[int, int]) -> None:
    image = a_read_image(a_dataset(some_pixels(*shape)), [MASS, a_score("Pleural effusion", 0.6)])

    jpeg, rle, uncompressed = (drawn_by_dcmtk(a_capture_file(tmp_path, image, form)) for form in SCForm)

    assert (rle == uncompressed).all()
    assert jpeg.shape == rle.shape
    assert np.abs(jpeg - rle).mean() < 3
