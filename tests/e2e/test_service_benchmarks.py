"""The benchmarks of the service run, on a few small images; how fast anything is, no test says."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.house.shape import ROOT

pytestmark = pytest.mark.e2e


def figures_of(module: str, folder: Path, *arguments: str) -> Any:  # noqa: ANN401 - JSON
    file = folder / "figures.json"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XRAY_AI_")}
    command = [sys.executable, "-m", module, *arguments, "--json", str(file)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return json.loads(file.read_text(encoding="utf-8"))


def test_each_push_is_timed_until_its_flag(tmp_path: Path) -> None:
    waited = figures_of("bench.push_to_flag", tmp_path, "--quick", "--no-peer")["ours"]

    assert waited["images"] == 6
    assert 0 < waited["p50_ms"] <= waited["p95_ms"] <= waited["longest_ms"]


def test_under_load_and_kills_what_was_stored_is_read_and_delivered_once(tmp_path: Path) -> None:
    seen = figures_of("bench.soak", tmp_path, "--small", "--images", "24", "--images-per-s", "4", "--kills", "3")

    assert seen["kills"] == 3
    assert seen["stored"] + seen["refused"] == 24
    assert (seen["read"], seen["dead_letters"]) == (seen["stored"], 0)
    assert seen["delivered"] == seen["at_the_pacs"] >= seen["stored"]


def test_in_a_long_load_each_radiograph_is_flagged_and_what_is_ordered_stat_is_told_apart(tmp_path: Path) -> None:
    load = ("--seconds", "4", "--images-per-s", "4", "--kind", "tiny")
    seen = figures_of("bench.sustained", tmp_path, *load)

    assert (seen["routine"]["images"], seen["stat"]["images"]) == (12, 4)
    assert seen["at_the_pacs"] == 2 * 16
