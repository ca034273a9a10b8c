"""Calibrate the network that will be served and set its points, on tuning patients only."""

import argparse
from pathlib import Path

import numpy as np

from xray_ai.training.calibrate import calibrate_run
from xray_ai.training.datasets.nih_chestxray14 import read_cohort
from xray_ai.training.finding_table import finding_table
from xray_ai.training.quantization.quantize_run import served_network
from xray_ai.training.run import TrainingRun
from xray_ai.triage import TriagePolicy


def main() -> None:
    """Read the arguments, do it, and print where the result lies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="The folder that scripts/train.py wrote.")
    parser.add_argument("--data", type=Path, required=True, help="Folder with manifest.csv and the images.")
    parser.add_argument("--policy", type=Path, default=Path("xray_ai/triage_policy.toml"))
    arguments = parser.parse_args()

    folder, cohort, table = arguments.folder, read_cohort(arguments.data), finding_table()
    calibration = calibrate_run(
        TrainingRun.read(folder / "run.toml"),
        cohort,
        served_network(folder),
        TriagePolicy.parse(arguments.policy.read_text("utf-8")),
        np.array([table[key].prevalence for key in cohort.finding_keys]),
    )
    file = folder / "calibration.json"
    file.write_text(calibration.model_dump_json(indent=1), "utf-8")

    print(f"calibration: {file}")


if __name__ == "__main__":
    main()
