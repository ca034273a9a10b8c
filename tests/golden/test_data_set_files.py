"""Files of the data set that were made to mislead."""

import os
from pathlib import Path

import pytest

from xray_ai.app import open_reading_room
from xray_ai.config import Settings
from xray_ai.reading_room import TriagedRadiograph, UnreadRadiograph, triage_file

DICOM = Path(os.environ.get("XRAY_AI_DATA", "data")) / "dicom"
pytestmark = pytest.mark.skipif(not DICOM.exists(), reason="XRAY_AI_DATA names no folder with dicom/")


def test_a_chest_wrongly_tagged_monochrome1_is_never_scored_inverted() -> None:
    outcome = triage_file(open_reading_room(Settings()), DICOM / "siim_cr_pa_retagged_monochrome1.dcm")

    assert isinstance(outcome, UnreadRadiograph)
    assert outcome.rejection.code == "looks_inverted"


def test_the_same_chest_rightly_tagged_is_read() -> None:
    outcome = triage_file(open_reading_room(Settings()), DICOM / "siim_cr_pa_jpeg_baseline.dcm")

    assert isinstance(outcome, TriagedRadiograph)


@pytest.mark.parametrize("name", ["rg2_cr_hip_j2k.dcm", "rg3_cr_tibia_rle.dcm", "rg3_cr_tibia_jpll.dcm"])
def test_bones_are_refused_by_their_header(name: str) -> None:
    outcome = triage_file(open_reading_room(Settings()), DICOM / name)

    assert isinstance(outcome, UnreadRadiograph)
    assert outcome.rejection.code == "body_part"
