"""The same hostile files through `xray-ai triage --json --out`, results and all."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.factories import MARKED_NAME
from tests.hostile.corpus import hostile_contents
from tests.packs import a_pack, absent, present
from tests.scope_packs import a_scope_pack
from xray_ai.errors import RejectionCode

HANG_GUARD_S = 300


@cache
def run() -> tuple[int, subprocess.CompletedProcess[str]]:
    """Write the corpus into a folder and have the command read it; gives the number of files too."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "study").mkdir()
        a_pack(folder / "packs", (present("mass"), absent("hernia")))
        a_scope_pack(folder / "packs")
        contents = [content for _, content in hostile_contents()]
        for number, content in enumerate(contents):
            (folder / "study" / f"{number:04d}.dcm").write_bytes(content)
        ended = subprocess.run(
            [sys.executable, "-m", "xray_ai", "triage", "--json", "--out", "results", "study"],
            cwd=folder,
            env=os.environ | {"XRAY_AI_MODELS__ROOT": str(folder / "packs")},
            capture_output=True,
            text=True,
            timeout=HANG_GUARD_S,
            check=False,
        )
    return len(contents), ended


def lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in run()[1].stdout.splitlines()]


def test_the_command_ends_with_exit_code_1_and_without_a_traceback() -> None:
    _, ended = run()

    assert ended.returncode == 1, ended.stderr[-2000:]
    assert "Traceback" not in ended.stderr
    assert "defect" not in ended.stderr


def test_every_file_has_its_line_read_or_with_a_coded_reason() -> None:
    files, _ = run()

    assert len(lines()) == files >= 500
    assert all(line["status"] == "read" or line["reason"]["code"] in set(RejectionCode) for line in lines())


def test_most_are_refused_and_some_are_read_and_reported() -> None:
    read = [line for line in lines() if line["status"] == "read"]

    assert 20 <= len(read) < len(lines()) / 2
    assert any(line["files"]["sr"] for line in read)


def test_no_patient_is_in_what_is_printed() -> None:
    _, ended = run()

    assert MARKED_NAME.split("^")[0].upper() not in (ended.stdout + ended.stderr).upper()
