"""The path of a radiograph, from the file to how soon; what is not read says why and keeps what its header told."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import uid

from tests.factories import Pixels, a_dataset, an_acceptance, as_part10, some_pixels
from tests.packs import (
    NO_ABNORMALITY,
    TinyFinding,
    a_network,
    a_pack,
    a_polarity,
    a_reader,
    absent,
    present,
    replace_network,
)
from tests.scope_packs import ALL_IS_WELL, ONLY_OF_DARK_IMAGES, YES, Answers, a_gated_reader
from xray_ai.domain.finding import FindingKey, ScoreOutOfRange
from xray_ai.domain.priority import Priority
from xray_ai.domain.scope import ScopeQuestion
from xray_ai.errors import RejectionCode
from xray_ai.imaging.part10 import open_part10
from xray_ai.reading_room import ReadingRoom, TriagedRadiograph, UnreadRadiograph, display_grayscale, triage_file
from xray_ai.triage import TriagePolicy

POLICY = TriagePolicy.parse('name = "test"\n[priorities]\nmass = "HIGH"')
SOP_INSTANCE_UID, STUDY_INSTANCE_UID = "1.2.826.0.1.3680043.10.1", "1.2.826.0.1.3680043.10.2"
BRIGHTNESS = TinyFinding("mass", weight=4.0)


def a_site(pack: Path, answers: Answers = ALL_IS_WELL) -> ReadingRoom:
    return ReadingRoom(a_gated_reader(pack, answers), an_acceptance(), POLICY, Priority.ROUTINE)


def a_file(folder: Path, pixels: Pixels | None = None, **attributes: object) -> Path:
    file = folder / "radiograph.dcm"
    file.write_bytes(as_part10(a_dataset(pixels, **attributes)))  # type: ignore[arg-type]  # any attribute of a dataset
    return file


def read(site: ReadingRoom, file: Path) -> TriagedRadiograph:
    outcome = triage_file(site, file)
    assert isinstance(outcome, TriagedRadiograph), outcome
    return outcome


def unread(site: ReadingRoom, file: Path) -> UnreadRadiograph:
    outcome = triage_file(site, file)
    assert isinstance(outcome, UnreadRadiograph)
    return outcome


def test_a_chest_radiograph_is_read_and_triaged(tmp_path: Path) -> None:
    site = a_site(a_pack(tmp_path, [present("mass"), absent("pneumothorax")]))

    outcome = read(site, a_file(tmp_path))

    assert outcome.header.study_instance_uid == STUDY_INSTANCE_UID
    assert outcome.decision.priority is Priority.HIGH
    assert [score.finding.key for score in outcome.decision.because] == ["mass"]
    assert outcome.policy is POLICY
    assert outcome.notes == ()


def test_the_ordered_priority_of_the_site_is_kept(tmp_path: Path) -> None:
    site = a_site(a_pack(tmp_path, [absent("mass")]))

    outcome = read(replace(site, ordered_priority=Priority.STAT), a_file(tmp_path))

    assert outcome.decision.priority is Priority.STAT


def test_what_is_refused_by_its_header_keeps_its_uids(tmp_path: Path) -> None:
    outcome = unread(a_site(a_pack(tmp_path)), a_file(tmp_path, BodyPartExamined="KNEE"))

    assert outcome.rejection.code is RejectionCode.BODY_PART
    assert outcome.header is not None
    assert outcome.header.sop_instance_uid == SOP_INSTANCE_UID
    assert outcome.header.study_instance_uid == STUDY_INSTANCE_UID


def test_what_is_refused_by_its_pixels_keeps_its_uids(tmp_path: Path) -> None:
    outcome = unread(a_site(a_pack(tmp_path)), a_file(tmp_path, np.full((100, 100), 7, np.uint16)))

    assert outcome.rejection.code is RejectionCode.BLANK
    assert outcome.header is not None
    assert outcome.header.sop_instance_uid == SOP_INSTANCE_UID


def test_a_wrongly_tagged_negative_is_not_scored(tmp_path: Path) -> None:
    site = a_site(a_pack(tmp_path), {ScopeQuestion.INVERTED: ONLY_OF_DARK_IMAGES})

    outcome = unread(site, a_file(tmp_path, photometric="MONOCHROME1"))

    assert outcome.rejection.code is RejectionCode.LOOKS_INVERTED


def test_without_a_scope_pack_the_classifiers_own_template_finds_a_negative(tmp_path: Path) -> None:
    site = replace(a_site(a_pack(tmp_path)), reader=a_reader(a_pack(tmp_path, name="old", polarity=a_polarity())))

    outcome = unread(site, a_file(tmp_path, photometric="MONOCHROME1"))

    assert outcome.rejection.code is RejectionCode.LOOKS_INVERTED


def test_a_site_without_a_scope_pack_says_that_pixels_were_not_checked(tmp_path: Path) -> None:
    site = replace(a_site(a_pack(tmp_path)), reader=a_reader(a_pack(tmp_path, name="old")))

    outcome = read(site, a_file(tmp_path))

    assert [note.code for note in outcome.notes] == ["pixels_not_checked"]


@pytest.mark.parametrize("body_part", [None, "CHEST"])
def test_what_is_no_chest_by_its_pixels_is_refused_whatever_its_header_says(
    tmp_path: Path, body_part: str | None
) -> None:
    site = a_site(a_pack(tmp_path), {ScopeQuestion.NOT_FRONTAL_CHEST: YES})

    outcome = unread(site, a_file(tmp_path, BodyPartExamined=body_part))

    assert outcome.rejection.code is RejectionCode.NOT_FRONTAL_CHEST


def test_a_chest_whose_header_does_not_say_so_is_read_with_a_note(tmp_path: Path) -> None:
    outcome = read(a_site(a_pack(tmp_path)), a_file(tmp_path, BodyPartExamined=None))

    assert [note.code for note in outcome.notes] == ["body_part_unknown"]


def test_pixels_of_what_the_header_rules_out_are_never_decoded(tmp_path: Path) -> None:
    outcome = unread(a_site(a_pack(tmp_path)), a_file(tmp_path, BodyPartExamined="KNEE", PixelData=b""))

    assert outcome.rejection.code is RejectionCode.BODY_PART


@pytest.mark.parametrize("content", [b"", b"no DICOM", b"\0" * 128 + b"DICM"])
def test_a_file_that_cannot_be_read_has_no_header(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "radiograph.dcm"
    file.write_bytes(content)

    outcome = unread(a_site(a_pack(tmp_path)), file)

    assert outcome.header is None
    assert outcome.rejection.code in {RejectionCode.NOT_DICOM, RejectionCode.FILE_UNREADABLE}


def test_a_file_that_is_not_there_is_not_read(tmp_path: Path) -> None:
    outcome = unread(a_site(a_pack(tmp_path)), tmp_path / "missing.dcm")

    assert outcome.header is None
    assert outcome.rejection.code is RejectionCode.NOT_FOUND


def test_notes_on_the_header_come_before_those_on_the_pixels_and_on_its_grayscale(tmp_path: Path) -> None:
    file = a_file(tmp_path, ViewPosition=None, PresentationLUTShape="INVERSE")

    outcome = read(a_site(a_pack(tmp_path), {ScopeQuestion.MOTION: YES}), file)

    codes = [note.code for note in outcome.notes]
    assert codes == ["view_position_unknown", "motion", "presentation_lut_shape_contradiction"]


@pytest.mark.parametrize("syntax", [uid.JPEG2000Lossless, uid.HTJ2KLossless])
def test_reduced_decoding_changes_no_score(tmp_path: Path, syntax: uid.UID) -> None:
    site = a_site(a_pack(tmp_path, [BRIGHTNESS]))
    pixels = some_pixels(1024, 900)

    reduced = read(site, a_file(tmp_path, pixels, syntax=syntax)).reading.score_of(FindingKey("mass"))
    whole = read(site, a_file(tmp_path, pixels)).reading.score_of(FindingKey("mass"))

    assert reduced.probability == pytest.approx(whole.probability, abs=0.005)


def test_a_defect_of_the_model_is_not_taken_for_a_bad_image(tmp_path: Path) -> None:
    pack = a_pack(tmp_path, [absent("mass")])
    replace_network(pack, a_network([TinyFinding("mass", bias=math.nan), NO_ABNORMALITY]))

    with pytest.raises(ScoreOutOfRange):
        triage_file(a_site(pack), a_file(tmp_path))


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.JPEG2000Lossless])
def test_the_eye_sees_full_resolution_in_the_window_of_the_header(tmp_path: Path, syntax: uid.UID) -> None:
    pixels = some_pixels(1024, 900)

    file = a_file(tmp_path, pixels, syntax=syntax, WindowCenter=3000, WindowWidth=1000)
    display = display_grayscale(open_part10(file))

    assert display.shape == (1024, 900)
    assert (display[pixels < 2499] == 0.0).all()
    assert (display[pixels > 3500] == 1.0).all()
