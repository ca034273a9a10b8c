"""Measure where a pack's heatmaps lie, on tuning patients, and bring docs/heatmaps.md up to date."""

import argparse
from pathlib import Path

from xray_ai.inference.model_pack import ModelPack
from xray_ai.inference.reader import Reader
from xray_ai.inference.session import Device
from xray_ai.training.datasets.nih_chestxray14 import read_cohort
from xray_ai.training.localisation.measure import measure
from xray_ai.training.localisation.page import write_localisation


def main() -> None:
    """Read the arguments, do it, and print where the result lies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path, help="A pack's folder.")
    parser.add_argument("--data", type=Path, required=True, help="Folder with manifest.csv and the images.")
    parser.add_argument("--out", type=Path, required=True, help="Folder for localisation.json and the radiographs.")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="Folder of the manual.")
    parser.add_argument("--seed", type=int, default=1, help="Seed of the bootstrap.")
    arguments = parser.parse_args()

    reader = Reader(ModelPack.open(arguments.pack), Device.CPU)
    measured, cases = measure(reader, read_cohort(arguments.data), arguments.seed)
    file = write_localisation(measured, cases, arguments.out, arguments.docs)

    print(f"energy inside {measured.drawn_by_hand[0].inside.value:.2f}; figures: {file}")


if __name__ == "__main__":
    main()
