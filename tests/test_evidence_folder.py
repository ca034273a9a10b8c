"""One study, one report: what `xray-ai triage --out` writes about studies of several images."""

from pathlib import Path

import numpy as np
from pydicom import dcmread, uid

from tests.command import Command, a_file
from tests.factories import some_pixels
from tests.packs import Tree

BLANK = np.full((100, 100), 7, np.uint16)


def lines_of(xray_ai: Command, *files: Path) -> list[Tree]:
    return xray_ai("triage", "--json", "--out", "results", *files).json_lines


def an_image(number: int, study: int = 1, **attributes: object) -> Path:
    uids = {"SOPInstanceUID": f"1.2.3.{study}.{number}", "StudyInstanceUID": f"1.2.3.{study}"}
    return a_file(f"{study}-{number}.dcm", attributes.pop("pixels", None), **uids, **attributes)  # type: ignore[arg-type]  # pixels or None


def referenced_in(report: str) -> set[str]:
    evidence = dcmread(report).CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    return {image.ReferencedSOPInstanceUID for series in evidence for image in series.ReferencedSOPSequence}


def test_two_frontals_and_a_lateral_make_one_report_of_all_three(xray_ai: Command) -> None:
    files = [an_image(1), an_image(2, ViewPosition="AP"), an_image(3, ViewPosition="LL")]

    first, second, lateral = lines_of(xray_ai, *files)

    assert [line["status"] for line in (first, second, lateral)] == ["read", "read", "not_read"]
    assert first["files"]["sr"] == second["files"]["sr"] == lateral["files"]["sr"]
    assert referenced_in(first["files"]["sr"]) == {"1.2.3.1.1", "1.2.3.1.2", "1.2.3.1.3"}


def test_each_study_has_its_own_report(xray_ai: Command) -> None:
    one, other = lines_of(xray_ai, an_image(1, study=1), an_image(1, study=2))

    assert one["files"]["sr"] != other["files"]["sr"]
    assert dcmread(one["files"]["sr"]).StudyInstanceUID == "1.2.3.1"


def test_a_chest_that_could_not_be_read_has_a_report_that_says_so(xray_ai: Command) -> None:
    (line,) = lines_of(xray_ai, an_image(1, pixels=BLANK))

    assert "Not read by AI" in str(dcmread(line["files"]["sr"]))
    assert line["files"]["sc"] is None


def test_what_is_no_chest_by_its_header_has_no_report(xray_ai: Command) -> None:
    (line,) = lines_of(xray_ai, an_image(1, BodyPartExamined="KNEE"))

    assert set(line["files"].values()) == {None}


def test_an_image_that_came_twice_counts_once(xray_ai: Command) -> None:
    image = an_image(1)

    once, again = lines_of(xray_ai, image, image)

    assert once["files"]["sr"] == again["files"]["sr"]
    assert once["files"]["sc"] == again["files"]["sc"]
    assert referenced_in(once["files"]["sr"]) == {"1.2.3.1.1"}


def test_a_damaged_record_of_reading_times_needs_an_operator(xray_ai: Command) -> None:
    Path("results").mkdir()
    Path("results/reading-times.json").write_text("{", "utf-8")

    ended = xray_ai("triage", "--out", "results", a_file("chest.dcm"))

    assert ended.code == 2
    assert "reading-times.json is damaged" in ended.err


def test_a_damaged_copy_hides_no_reading(xray_ai: Command) -> None:
    whole = an_image(1)
    Path("0-damaged.dcm").write_bytes(whole.read_bytes()[:-20_000])

    damaged, read = lines_of(xray_ai, Path("0-damaged.dcm"), whole)

    assert (damaged["status"], read["status"]) == ("not_read", "read")
    assert "Not read" not in str(dcmread(read["files"]["sr"]))
    assert read["files"]["sc"] is not None


def test_an_image_whose_details_are_damaged_spoils_no_other_result(xray_ai: Command) -> None:
    whole = an_image(1, pixels=some_pixels(1024, 900), syntax=uid.JPEG2000Lossless)
    content = bytearray(whole.read_bytes())
    content[-30_000:-2_000:7] = bytes(len(content[-30_000:-2_000:7]))
    damaged = Path("1-2.dcm")
    damaged.write_bytes(bytes(content).replace(b"1.2.3.1.1", b"1.2.3.1.2"))

    lines = lines_of(xray_ai, damaged, an_image(1, study=2))

    assert lines[1]["files"]["sr"] is not None
