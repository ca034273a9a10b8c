"""Make an 8-bit copy of an exported network, and measure on tuning patients whether it may ship."""

import argparse
from pathlib import Path

from xray_ai.training.datasets.nih_chestxray14 import read_cohort
from xray_ai.training.quantization.quantize_run import quantize_run, served_network
from xray_ai.training.run import TrainingRun


def main() -> None:
    """Read the arguments, do it, and print where the result lies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="The folder that scripts/export_onnx.py wrote into.")
    parser.add_argument("--data", type=Path, required=True, help="Folder with manifest.csv and the images.")
    arguments = parser.parse_args()

    folder = arguments.folder
    measured = quantize_run(TrainingRun.read(folder / "run.toml"), read_cohort(arguments.data), folder)

    print(f"{measured.times_faster} times faster, mean AUROC loss {measured.mean_loss}; {'; '.join(measured.because)}")
    print(f"served: {served_network(folder)}; measured: {folder / 'quantization.json'}")


if __name__ == "__main__":
    main()
