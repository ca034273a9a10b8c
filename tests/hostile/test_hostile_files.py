"""Whatever is sent ends as an image or as a coded reason: no crash, no other error, in bounded memory and time."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.factories import MARKED_NAME
from xray_ai.errors import RejectionCode

ROOT = Path(__file__).parents[2]
HANG_GUARD_S = 60
MOST_MEMORY_BYTES = 2**30

Line = dict[str, Any]  # JSON


@cache
def run() -> subprocess.CompletedProcess[str]:
    with TemporaryDirectory() as folder:
        return subprocess.run(
            [sys.executable, "-X", "faulthandler", "-m", "tests.hostile.read_corpus", folder],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=HANG_GUARD_S,
            check=False,
        )


@cache
def lines() -> list[Line]:
    return [json.loads(line) for line in run().stdout.splitlines()]


def outcomes() -> dict[str, list[str]]:
    return {line["name"]: line["outcomes"] for line in lines() if "outcomes" in line}


def test_every_hostile_input_is_read_or_refused_and_nothing_else() -> None:
    last = next((line["begun"] for line in reversed(lines()) if "begun" in line), "")

    assert run().returncode == 0, f"{last}: {run().stderr[-2000:]}"
    assert {code for steps in outcomes().values() for code in steps} <= {"read", *RejectionCode}


def test_there_are_hundreds_of_them() -> None:
    assert len(outcomes()) >= 500


def test_they_fit_into_bounded_memory() -> None:
    assert lines()[-1]["peak_bytes"] <= MOST_MEMORY_BYTES


def test_they_are_read_without_a_word_and_without_a_patient() -> None:
    assert run().stderr == ""
    assert MARKED_NAME.split("^")[0] not in run().stdout


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("empty", RejectionCode.NOT_DICOM),
        ("PNG", RejectionCode.NOT_DICOM),
        ("preamble alone", RejectionCode.FILE_UNREADABLE),
        ("sequences 100,000 deep", RejectionCode.FILE_UNREADABLE),
        ("a million elements", RejectionCode.FILE_UNREADABLE),
        ("deflate bomb", RejectionCode.FILE_TOO_LARGE),
        ("path: 'folder'", RejectionCode.FILE_UNREADABLE),
        ("path: 'circle'", RejectionCode.FILE_UNREADABLE),
        ("path: 'pipe'", RejectionCode.FILE_UNREADABLE),
        ("path: 'huge'", RejectionCode.FILE_TOO_LARGE),
        ("path: 'absent'", RejectionCode.NOT_FOUND),
    ],
)
def test_what_cannot_be_opened_says_why(name: str, code: RejectionCode) -> None:
    assert outcomes()[name] == [code]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("zero rows", RejectionCode.IMAGE_SIZE),
        ("four gigapixels", RejectionCode.IMAGE_SIZE),
        ("an image of terabytes", RejectionCode.MULTI_FRAME),
        ("no pixel data", RejectionCode.NO_PIXEL_DATA),
        ("colour", RejectionCode.COLOUR),
        ("padding everywhere", RejectionCode.BLANK),
        ("transfer syntax '1.2.3.4.5'", RejectionCode.TRANSFER_SYNTAX),
        ("framing: noise", RejectionCode.PIXEL_DATA_CORRUPT),
        ("JPEG 2000 of 255 levels", RejectionCode.PIXEL_DATA_CORRUPT),
        ("RLE of nothing but repeats", RejectionCode.PIXEL_DATA_CORRUPT),
    ],
)
def test_what_cannot_be_decoded_says_why(name: str, code: RejectionCode) -> None:
    _opened, _accepted, for_model, for_viewer = outcomes()[name]

    assert for_model == for_viewer == code
