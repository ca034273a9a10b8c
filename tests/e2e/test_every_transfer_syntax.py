"""The real chest radiograph, in every transfer syntax, as other people's programs write it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypedDict

import pytest
from pydicom import dcmread, uid
from pydicom.encaps import encapsulate

from tests.factories import encode

pytestmark = pytest.mark.e2e

CHEST = Path(str(files("data_store"))) / "data" / "RG1_UNCR.dcm"
BY_DCMTK = {
    "implicit little endian": ["dcmconv", "+ti"],
    "explicit little endian": ["dcmconv", "+te"],
    "explicit big endian": ["dcmconv", "+tb"],
    "deflated": ["dcmconv", "+td"],
    "RLE": ["dcmcrle"],
    "JPEG lossless": ["dcmcjpeg", "+el"],
    "JPEG lossless SV1": ["dcmcjpeg", "+e1"],
    "JPEG-LS lossless": ["dcmcjpls", "+el"],
    "JPEG-LS near-lossless": ["dcmcjpls", "+en", "+md", "3"],
    "JPEG extended, 12 bit": ["dcmcjpeg", "+ee"],
    "JPEG baseline, 8 bit": ["dcmcjpeg", "+eb", "+q", "95"],
}
BY_OPENJPH = {"HTJ2K lossless": uid.HTJ2KLossless, "HTJ2K lossless RPCL": uid.HTJ2KLosslessRPCL, "HTJ2K": uid.HTJ2K}
FROM_PYDICOM_DATA = {"JPEG 2000 lossless": "RG1_J2KR.dcm", "JPEG 2000": "RG1_J2KI.dcm"}
LOSSY = {"JPEG-LS near-lossless", "JPEG extended, 12 bit", "JPEG baseline, 8 bit", "HTJ2K", "JPEG 2000"}


def write_by_openjph(syntax: uid.UID, file: Path) -> None:
    dataset = dcmread(CHEST)
    dataset.PixelData = encapsulate([encode(dataset.pixel_array, syntax, dataset.BitsStored)])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(file)


class Scored(TypedDict):
    """A part of the command's JSON."""

    probability: float
    positive: bool


class Reading(TypedDict):
    """What this test needs of the command's JSON."""

    status: str
    reason: dict[str, str] | None
    abnormality: Scored
    findings: list[Scored]
    priority: str


@cache
def readings() -> dict[str, Reading]:
    """Read the chest in all syntaxes by one call of the command."""
    with TemporaryDirectory() as folder:
        paths = {"uncompressed": CHEST} | {name: CHEST.with_name(file) for name, file in FROM_PYDICOM_DATA.items()}
        for name, command in BY_DCMTK.items():
            paths[name] = Path(folder, f"{name}.dcm")
            subprocess.run([command[0], *command[1:], CHEST, paths[name]], check=True, capture_output=True)
        for name, syntax in BY_OPENJPH.items():
            paths[name] = Path(folder, f"{name}.dcm")
            write_by_openjph(syntax, paths[name])
        command = [sys.executable, "-m", "xray_ai", "triage", "--json", *map(str, paths.values())]
        ran = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ)
    return dict(zip(paths, map(json.loads, ran.stdout.splitlines()), strict=True))


def probabilities(name: str) -> Iterator[float]:
    reading = readings()[name]
    assert reading["status"] == "read", reading["reason"]
    yield reading["abnormality"]["probability"]
    yield from (finding["probability"] for finding in reading["findings"])


def largest_change(name: str) -> float:
    pairs = zip(probabilities("uncompressed"), probabilities(name), strict=True)
    return max(abs(uncompressed - other) for uncompressed, other in pairs)


@pytest.mark.parametrize("name", sorted((BY_DCMTK | BY_OPENJPH | FROM_PYDICOM_DATA).keys() - LOSSY))
def test_a_lossless_copy_scores_within_a_hundredth(name: str) -> None:
    assert largest_change(name) <= 0.01


@pytest.mark.parametrize("name", sorted(LOSSY))
def test_a_lossy_copy_scores_within_two_hundredths(name: str) -> None:
    assert largest_change(name) <= 0.02


def test_lungs_full_of_masses_are_abnormal_and_above_routine() -> None:
    reading = readings()["uncompressed"]

    assert reading["abnormality"]["positive"]
    assert reading["priority"] in {"HIGH", "STAT"}
