"""Acceptance by pixels as a user meets it: what is said of a refusal and of a poor image, and by whom."""

import shutil
from pathlib import Path

import pytest
from pydicom import dcmread

from tests.command import Command, a_file
from tests.factories import some_pixels
from tests.scope_packs import ONLY_OF_DARK_IMAGES, YES, a_scope_pack
from xray_ai.domain.scope import ScopeQuestion


@pytest.fixture
def packs(tmp_path: Path, xray_ai: Command) -> Path:  # noqa: ARG001 - it installs the classifier
    """The folder of packs, without a scope pack."""
    shutil.rmtree(tmp_path / "packs" / "tiny-scope")
    return tmp_path / "packs"


def test_a_refusal_by_pixels_is_in_the_table_with_its_probability(xray_ai: Command, packs: Path) -> None:
    a_scope_pack(packs, {ScopeQuestion.NOT_FRONTAL_CHEST: YES})

    ended = xray_ai("triage", a_file("foot.dcm", BodyPartExamined=None))

    assert ended.code == 1
    assert "not read by AI: By its pixels this is no frontal chest radiograph (probability 0.95)." in ended.out


def test_a_refusal_by_pixels_has_its_code_in_json_and_a_report_of_its_own(xray_ai: Command, packs: Path) -> None:
    a_scope_pack(packs, {ScopeQuestion.INVERTED: ONLY_OF_DARK_IMAGES})
    negative = a_file("negative.dcm", 4095 - some_pixels())

    (line,) = xray_ai("triage", "--json", "--out", "results", negative).json_lines

    assert line["reason"]["code"] == "looks_inverted"
    assert line["scope"]["name"] == "tiny-scope"
    assert "(probability 1.00)" in line["reason"]["text"]
    assert "Not read: looks inverted" in dcmread(line["files"]["sr"]).to_json()


def test_a_poor_image_is_read_and_said_to_be_poor_everywhere(xray_ai: Command, packs: Path) -> None:
    a_scope_pack(packs, {ScopeQuestion.MOTION: YES})

    table = xray_ai("triage", a_file("blurred.dcm"))
    (line,) = xray_ai("triage", "--json", "--out", "results", "blurred.dcm").json_lines

    assert "note: The image looks blurred by motion (probability 0.95)." in table.out
    assert line["image_quality"]["findings"][0]["code"]["value"] == "111210"
    assert [note["code"] for note in line["notes"]] == ["motion"]
    assert "Limited image quality: Motion blur." in dcmread(line["files"]["sr"]).to_json()


def test_the_table_names_both_models(xray_ai: Command) -> None:
    ended = xray_ai("triage", a_file("chest.dcm"))

    assert "Model tiny 1.2.3 (" in ended.out
    assert "Scope tiny-scope 0.1.0 (" in ended.out


def test_a_site_that_wants_pixels_not_checked_reads_with_a_note(xray_ai: Command, packs: Path) -> None:
    Path("xray-ai.toml").write_text('[models]\nscope = "none"', "utf-8")

    ended = xray_ai("triage", a_file("chest.dcm"))

    assert list(packs.iterdir()) == [packs / "tiny"]
    assert ended.code == 0
    assert "note: Whether this is an upright frontal chest was not checked by its pixels" in ended.out
    assert "Pixels are not checked." in ended.out


def test_without_a_scope_pack_an_operator_is_needed(xray_ai: Command, packs: Path) -> None:
    ended = xray_ai("triage", a_file("chest.dcm"))

    assert list(packs.iterdir()) == [packs / "tiny"]
    assert ended.code == 2
    assert "0 scope packs are installed" in ended.err
    assert "models.scope" in ended.err


def test_another_scope_pack_gives_another_report(xray_ai: Command, packs: Path) -> None:
    uids = []
    for name in ("one", "other"):
        scope = a_scope_pack(packs, name=name)
        (line,) = xray_ai("triage", "--json", "--out", "results", a_file("chest.dcm")).json_lines
        uids.append(dcmread(line["files"]["sr"]).SOPInstanceUID)
        shutil.rmtree(scope)

    assert len(set(uids)) == 2
