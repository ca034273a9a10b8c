"""A patient who is marked in every corner of the header appears in nothing that the command prints or writes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydicom import uid

from tests.command import FINDINGS, a_file
from tests.factories import Pixels
from tests.house.shape import ROOT
from tests.packs import a_pack
from tests.scope_packs import a_scope_pack

MARKS = ("ZZMARKED", "ZZ-ID-4711", "ZZPLACE")
PATIENT: dict[str, object] = {
    "PatientName": "ZZMARKED^NAME",
    "PatientID": "ZZ-ID-4711",
    "OtherPatientNames": "ZZMARKED^OTHER",
    "AccessionNumber": "ZZ-ID-4711-A",
    "InstitutionName": "ZZPLACE HOSPITAL",
    "ReferringPhysicianName": "ZZMARKED^DOCTOR",
    "StudyDescription": "Chest of ZZMARKED",
    "ImageComments": "ZZMARKED",
}
MISPLACED = {"Modality": "ZZMARKED", "BodyPartExamined": "ZZMARKED", "ViewPosition": "ZZMARKED", "PatientAge": "ZZMA"}
BLANK = np.full((100, 100), 7, np.uint16)


def xray_ai(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run the command as a process of its own, where no warning is an error; all that it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XRAY_AI_")}
    environment |= {
        "PYTHONPATH": str(ROOT),
        "XRAY_AI_MODELS__ROOT": str(folder / "packs"),
        "XRAY_AI_LOG__LEVEL": "DEBUG",
        "COLUMNS": "300",
    }
    command = [sys.executable, "-m", "xray_ai", *arguments]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout + ended.stderr


def a_patient(file: Path, pixels: Pixels | None = None, **attributes: object) -> None:
    a_file(file, pixels, **{**PATIENT, **attributes})


def a_patients_files(folder: Path) -> None:
    """Radiographs that are read, refused by header, refused by pixels, contradicting themselves, and damaged."""
    a_patient(folder / "read.dcm")
    a_patient(folder / "contradicting.dcm", PresentationLUTShape="INVERSE", ViewPosition=None)
    a_patient(folder / "implicit.dcm", syntax=uid.ImplicitVRLittleEndian)
    a_patient(folder / "blank.dcm", BLANK)
    a_patient(folder / "knee.dcm", BodyPartExamined="KNEE")
    a_patient(folder / "window.dcm", WindowCenter=0, WindowWidth=0)
    for keyword, value in MISPLACED.items():
        a_patient(folder / f"misplaced-{keyword}.dcm", None, **{keyword: value})
    whole = (folder / "read.dcm").read_bytes()
    (folder / "half.dcm").write_bytes(whole[: len(whole) // 2])
    (folder / "header.dcm").write_bytes(whole[:600])
    (folder / "misspelt.dcm").write_bytes(whole.replace(b"19600704", b"ZZMARKED").replace(b"60043.10.1", b"ZZMARKED!!"))


def marks_in(text: str) -> list[str]:
    return [mark for mark in MARKS if mark in text.upper()]


@pytest.mark.parametrize("flags", [(), ("--json",)], ids=["table", "json"])
def test_the_patient_is_in_no_line_and_in_no_name_of_a_file(tmp_path: Path, flags: tuple[str, ...]) -> None:
    a_pack(tmp_path / "packs", FINDINGS)
    a_scope_pack(tmp_path / "packs")
    a_patients_files(tmp_path / "study")

    code, printed = xray_ai(tmp_path, "triage", *flags, "--out", "pictures", "study")

    pictures = list((tmp_path / "pictures").iterdir())
    assert code == 1
    assert len(pictures) >= 6
    assert marks_in(printed) == []
    assert marks_in(" ".join(picture.name for picture in pictures)) == []
    assert [file for file in pictures if file.suffix != ".dcm" and marks_in(file.read_bytes().decode("latin-1"))] == []


def test_files_that_are_read_and_files_that_are_not_are_among_them(tmp_path: Path) -> None:
    a_pack(tmp_path / "packs", FINDINGS)
    a_scope_pack(tmp_path / "packs")
    a_patients_files(tmp_path / "study")

    _, printed = xray_ai(tmp_path, "triage", "--json", "study")

    assert printed.count('"status": "read"') >= 4
    assert printed.count('"status": "not_read"') >= 4
    assert "study.triaged" in printed
