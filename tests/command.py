"""The command xray-ai as tests call it: in an empty folder, with a tiny classifier and a tiny scope pack installed."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.factories import Pixels, a_dataset, as_part10
from tests.packs import Tree, a_pack, absent, present
from tests.scope_packs import a_scope_pack
from xray_ai.cli import main

FINDINGS = (present("pneumothorax", bias=1.0), present("mass"), absent("hernia"))


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it printed."""

    code: object
    out: str
    err: str

    @property
    def json_lines(self) -> list[Tree]:
        return [json.loads(line) for line in self.out.splitlines()]


Command = Callable[..., Ended]


def the_command(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Prepare `folder` and the environment, and give the command."""
    a_pack(folder / "packs", FINDINGS)
    a_scope_pack(folder / "packs")
    for variable in [name for name in os.environ if name.startswith("XRAY_AI_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("XRAY_AI_MODELS__ROOT", str(folder / "packs"))
    monkeypatch.setenv("COLUMNS", "300")  # no line of a table is broken
    (folder / "here").mkdir()
    monkeypatch.chdir(folder / "here")

    def run(*arguments: str | Path) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        return Ended(ended.value.code, *capsys.readouterr())

    return run


def a_file(name: str | Path, pixels: Pixels | None = None, **attributes: object) -> Path:
    """Write a DICOM file of a chest here, and name it as the user would."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_part10(a_dataset(pixels, **attributes)))  # type: ignore[arg-type]  # any attribute of a dataset
    return path
