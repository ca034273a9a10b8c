"""The whole way of a real chest and a real tibia whose headers say too little, or the wrong thing."""

from functools import cache
from pathlib import Path

import pytest
from pydicom import dcmread

from tests.factories import a_demo_file
from tests.house.shape import ROOT
from xray_ai.app import open_reading_room
from xray_ai.config import Settings
from xray_ai.errors import RejectionCode
from xray_ai.inference.model_pack import PackKind, installed_packs, kind_of
from xray_ai.reading_room import ReadingRoom, TriagedRadiograph, UnreadRadiograph, triage_file

IS_SHIPPED = any(kind_of(pack) is PackKind.SCOPE for pack in installed_packs(ROOT / "models"))
pytestmark = pytest.mark.skipif(not IS_SHIPPED, reason="no scope pack ships yet")


@cache
def site() -> ReadingRoom:
    return open_reading_room(Settings())


def outcome_of(name: str, folder: Path, **attributes: str) -> TriagedRadiograph | UnreadRadiograph:
    """Triage a real file whose header was changed."""
    dataset = dcmread(a_demo_file(name))
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    dataset.save_as(folder / "image.dcm")
    return triage_file(site(), folder / "image.dcm")


@pytest.mark.parametrize("body_part", ["", "CHEST"])
def test_a_tibia_is_refused_by_its_pixels_where_its_header_does_not_help(tmp_path: Path, body_part: str) -> None:
    outcome = outcome_of("RG3_UNCR", tmp_path, BodyPartExamined=body_part, ViewPosition="PA", Modality="DX")

    assert isinstance(outcome, UnreadRadiograph)
    assert outcome.rejection.code is RejectionCode.NOT_FRONTAL_CHEST


def test_a_chest_whose_header_does_not_say_so_is_read_and_the_note_says_that_it_did_not(tmp_path: Path) -> None:
    outcome = outcome_of("RG1_UNCR", tmp_path, BodyPartExamined="")

    assert isinstance(outcome, TriagedRadiograph)
    assert "body_part_unknown" in [note.code for note in outcome.notes]


def test_a_chest_tagged_as_its_negative_is_refused(tmp_path: Path) -> None:
    turned = {"MONOCHROME1": "MONOCHROME2", "MONOCHROME2": "MONOCHROME1"}
    photometric = turned[dcmread(a_demo_file("RG1_UNCR")).PhotometricInterpretation]

    outcome = outcome_of("RG1_UNCR", tmp_path, PhotometricInterpretation=photometric)

    assert isinstance(outcome, UnreadRadiograph)
    assert outcome.rejection.code is RejectionCode.LOOKS_INVERTED
