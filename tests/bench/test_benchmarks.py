"""The benchmarks run, on a small image and once; how fast anything is, no test says."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.house.shape import ROOT

pytestmark = pytest.mark.training


def figures_of(module: str, folder: Path) -> Any:  # noqa: ANN401 - JSON
    file = folder / "figures.json"
    subprocess.run([sys.executable, "-m", module, "--quick", "--json", file], cwd=ROOT, check=True, capture_output=True)
    return json.loads(file.read_text(encoding="utf-8"))


def test_both_sides_read_the_radiograph_in_every_form(tmp_path: Path) -> None:
    figures = figures_of("bench.end_to_end", tmp_path)

    assert len({one["form"] for one in figures["compared"]}) == 9
    assert all(one["lowest_ratio"] <= one["ratio"] <= one["highest_ratio"] for one in figures["compared"])
    assert figures["our_peak_memory_mb"] < figures["peer_peak_memory_mb"]


def test_every_result_object_has_its_cost(tmp_path: Path) -> None:
    objects = figures_of("bench.results", tmp_path)["objects"]

    assert len(objects) == 10
    assert all(one["size_bytes"] > 1000 for one in objects)


def test_two_networks_are_timed_in_turns(tmp_path: Path) -> None:
    file, network = tmp_path / "figures.json", ROOT / "models" / "nih14-duo" / "model.onnx"
    command = [
        sys.executable,
        "-m",
        "bench.network",
        "--quick",
        "--networks",
        str(network),
        str(network),
        "--side",
        "192",
        "--json",
        str(file),
    ]

    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)

    pace = json.loads(file.read_text(encoding="utf-8"))["model"]
    assert pace.keys() == {"first", "second", "times_faster"}
    assert all(figure > 0 for figure in pace.values())
