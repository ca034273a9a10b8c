"""Score a pack on the test patients through the serving reader; once for each pack that ships."""

import argparse
from pathlib import Path

from xray_ai.inference.model_pack import ModelPack
from xray_ai.inference.reader import Reader
from xray_ai.inference.session import Device
from xray_ai.training.datasets.cohort import Split
from xray_ai.training.datasets.nih_chestxray14 import read_cohort
from xray_ai.training.evaluate import evaluate

MEASURED_ON = "the test patients (one in five) of NIH ChestX-ray14 as in the data's manifest, sharp and 128 px pooled"


def main() -> None:
    """Read the arguments, do it, and print where the result lies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path, help="A pack's folder.")
    parser.add_argument("--data", type=Path, required=True, help="Folder with manifest.csv and the images.")
    parser.add_argument("--out", type=Path, required=True, help="Folder for evaluation.json.")
    parser.add_argument("--seed", type=int, default=1, help="Seed of the bootstrap.")
    arguments = parser.parse_args()

    cohort = read_cohort(arguments.data)
    reader = Reader(ModelPack.open(arguments.pack), Device.CPU)
    performance = evaluate(reader, cohort, cohort.of(Split.TEST), MEASURED_ON, arguments.seed)
    file = arguments.out / "evaluation.json"
    file.write_text(performance.model_dump_json(indent=1), "utf-8")

    print(f"mean AUROC {performance.mean_auroc.value:.3f}; evaluation: {file}")


if __name__ == "__main__":
    main()
