"""Export a trained network to ONNX; refused when ONNX Runtime and torch differ."""

import argparse
from pathlib import Path

from xray_ai.training.datasets.nih_chestxray14 import read_cohort
from xray_ai.training.export_onnx import export_onnx
from xray_ai.training.run import TrainingRun


def main() -> None:
    """Read the arguments, do it, and print where the result lies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="The folder that scripts/train.py wrote.")
    parser.add_argument("--data", type=Path, required=True, help="Folder with manifest.csv and the images.")
    arguments = parser.parse_args()

    folder = arguments.folder
    network = folder / "model.onnx"
    difference = export_onnx(TrainingRun.read(folder / "run.toml"), folder, read_cohort(arguments.data), network)

    print(f"network: {network} (differs from torch by {difference:.1e} of the largest value)")


if __name__ == "__main__":
    main()
