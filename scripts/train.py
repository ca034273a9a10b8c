"""Train a network as a run's TOML file says; a run that was stopped goes on where it was."""

import argparse
from pathlib import Path

from xray_ai.training.courses import train_run
from xray_ai.training.datasets.nih_chestxray14 import read_cohort
from xray_ai.training.run import TrainingRun


def main() -> None:
    """Read the arguments, train, and print where the weights lie."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="The run's TOML file, for example scripts/runs/nih14-duo.toml.")
    parser.add_argument("--data", type=Path, required=True, help="Folder with manifest.csv and the images.")
    parser.add_argument("--out", type=Path, required=True, help="Folder for weights, curves and checkpoints.")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument(
        "--branch", type=int, action="append", default=[], help="Train this seed's branch only; can be repeated."
    )
    arguments = parser.parse_args()
    run, cohort = TrainingRun.read(arguments.run), read_cohort(arguments.data)

    weights = train_run(run, cohort, arguments.out, arguments.device, arguments.branch)

    print(f"weights: {weights}")


if __name__ == "__main__":
    main()
