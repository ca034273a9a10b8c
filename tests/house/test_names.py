"""Rooms, scripts, make targets and pinned versions are what their names say."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.shape import ROOT

NAMELESS = {"utils", "util", "common", "helpers", "helper", "core", "managers", "manager", "misc"}


def python_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def make_targets() -> Iterator[tuple[str, str]]:
    """Each target of the Makefile, with what stands behind its colon."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    yield from re.findall(r"^([a-z][a-z0-9-]*):(?!=)(.*)$", text, flags=re.MULTILINE)


def pinned(constraints: str) -> dict[str, str]:
    lines = (ROOT / constraints).read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_every_room_has_a_name_of_its_own() -> None:
    nameless = [path for path in python_files("xray_ai") if NAMELESS & {*path.parent.parts[-2:], path.stem}]

    assert nameless == []


def test_a_package_hides_nothing_in_its_init_file() -> None:
    inits = [path for path in python_files("xray_ai/") if path.name == "__init__.py"]

    speaking = [path for path in inits if path.read_text(encoding="utf-8").strip()]

    assert speaking == [ROOT / "xray_ai" / "__init__.py"]


def test_a_script_is_a_thin_door_with_one_main() -> None:
    for script in python_files("scripts"):
        text = script.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 40, script
        assert len(re.findall(r"^def main\(", text, flags=re.MULTILINE)) == 1, script


def test_every_make_target_has_a_help_line() -> None:
    silent = [target for target, rest in make_targets() if " ## " not in rest]

    assert silent == []


def test_make_alone_shows_every_target() -> None:
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert [target for target, _ in make_targets() if f"make {target} " not in shown] == []


@pytest.mark.parametrize(("folder", "marker"), [("training", "training"), ("e2e", "e2e")])
def test_tests_that_need_more_than_python_say_so(folder: str, marker: str) -> None:
    mark = re.compile(rf"^pytestmark = [^=]*?\bpytest\.mark\.{marker}\b", flags=re.MULTILINE)

    unmarked = [path for path in python_files(f"tests/{folder}") if path.name.startswith("test_")]
    unmarked = [path for path in unmarked if not mark.search(path.read_text(encoding="utf-8"))]

    assert unmarked == []


def test_serving_and_training_install_the_same_versions_of_what_both_hold() -> None:
    serving, training = pinned("constraints.txt"), pinned("constraints-training.txt")

    assert {name: training.get(name) for name in serving} == serving
