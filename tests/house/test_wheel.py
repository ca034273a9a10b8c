"""What is installed from the wheel is what runs in a checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.house.shape import ROOT


def names_in_the_wheel(folder: Path) -> set[str]:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        return set(wheel.namelist())


def test_the_wheel_carries_every_module_table_and_model_pack(tmp_path: Path) -> None:
    rooms = [path for path in (ROOT / "xray_ai").rglob("*") if path.suffix in {".py", ".toml"}]
    packs = [path for path in (ROOT / "models").rglob("*") if path.is_file()]

    expected = {path.relative_to(ROOT).as_posix() for path in rooms}
    expected |= {f"xray_ai/{path.relative_to(ROOT).as_posix()}" for path in packs}

    assert expected - names_in_the_wheel(tmp_path) == set()
