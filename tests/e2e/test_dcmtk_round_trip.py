"""What dcmtk compresses without loss, we decode to the last bit."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.factories import a_dataset, a_demo_file, as_part10, some_pixels
from xray_ai.imaging.decode import decode
from xray_ai.imaging.part10 import open_part10

pytestmark = pytest.mark.e2e

COMMANDS = (
    ("dcmconv", "+ti"),
    ("dcmconv", "+te"),
    ("dcmconv", "+tb"),
    ("dcmconv", "+td"),
    ("dcmcrle",),
    ("dcmcjpeg", "+el"),
    ("dcmcjpeg", "+e1"),
    ("dcmcjpls", "+el"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_real_chest_radiograph_comes_back_to_the_last_bit(command: tuple[str, ...], tmp_path: Path) -> None:
    subprocess.run([*command, str(a_demo_file("RG1_UNCR")), str(tmp_path / "out.dcm")], check=True)

    image = decode(open_part10(tmp_path / "out.dcm"), least_side=None)

    assert np.array_equal(image.values, decode(open_part10(a_demo_file("RG1_UNCR")), least_side=None).values)
    assert not image.lossy


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_bit_depth_and_sign_comes_back_to_the_last_bit(
    command: tuple[str, ...], bits: int, tmp_path: Path, *, signed: bool
) -> None:
    pixels = some_pixels(101, 97, bits=bits, signed=signed)
    (tmp_path / "in.dcm").write_bytes(as_part10(a_dataset(pixels, bits_stored=bits, signed=signed)))
    subprocess.run([*command, str(tmp_path / "in.dcm"), str(tmp_path / "out.dcm")], check=True)

    assert np.array_equal(decode(open_part10(tmp_path / "out.dcm"), least_side=None).values, pixels)
