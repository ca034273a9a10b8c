"""A scope run and a folder of drawn data that take seconds."""

import csv
from pathlib import Path

import cv2
import numpy as np

from tests.training.cohorts import draw
from xray_ai.training.scope.anatomy import drawn_part
from xray_ai.training.scope.run import ScopeRun

COLUMNS = ("path", "dataset", "patient_id", "split")
SHIPPED_RUN = Path("scripts/runs/frontal-scope.toml")


def a_scope_run(**changes: object) -> ScopeRun:
    """The shipped run at 32 px, with a handful of steps; further keys by name."""
    tree = ScopeRun.read(SHIPPED_RUN).model_dump()
    tree["recipe"] |= {"rows": 32, "columns": 32}
    tree |= {"name": "tiny-scope", "steps": 3, "chests_a_step": 32, "others_a_step": 8, "stored_side": 64}
    return ScopeRun.model_validate(tree | {"drawn_each": 1, "source_weights": {}} | changes)


def a_data_folder(folder: Path, patients: int = 40) -> Path:
    """Drawn chests of two sources and drawn hands, listed as the public sets are."""
    rows = [_row(folder, "nih", number, "test" if number % 5 == 0 else "develop") for number in range(patients)]
    rows += [_row(folder, "kermany", number, "develop") for number in range(patients)]
    rows += [_row(folder, "bccd", number, "develop") for number in range(8)]
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as manifest:
        writer = csv.DictWriter(manifest, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return folder


def _row(folder: Path, source: str, number: int, split: str) -> dict[str, str]:
    name = f"{source}-{number}.png"
    if source == "bccd":
        cv2.imwrite(str(folder / name), drawn_part("hand", 64, np.random.default_rng(number)))
        return {"path": name, "dataset": source, "patient_id": "", "split": split}
    draw(folder / name, number)
    return {"path": name, "dataset": source, "patient_id": f"{source}:{number}", "split": split}
