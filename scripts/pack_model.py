"""Make a model pack of a run that is exported and calibrated, with its evaluation where there is one."""

import argparse
from pathlib import Path

from xray_ai.training.calibrate import Calibration
from xray_ai.training.datasets.nih_chestxray14 import read_cohort
from xray_ai.training.evaluation.measured import EVALUATION_FILE, Evaluation
from xray_ai.training.pack_model import PackContent, pack_model
from xray_ai.training.quantization.quantize_run import quantization_of, served_network
from xray_ai.training.run import TrainingRun


def main() -> None:
    """Read the arguments, do it, and print where the result lies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="The folder that scripts/train.py wrote.")
    parser.add_argument("--data", type=Path, required=True, help="Folder with manifest.csv and the images.")
    parser.add_argument("--version", required=True)
    parser.add_argument("--models", type=Path, default=Path("models"))
    arguments = parser.parse_args()

    folder, run = arguments.folder, TrainingRun.read(arguments.folder / "run.toml")
    evaluation = folder / EVALUATION_FILE
    content = PackContent(
        version=arguments.version,
        run=run,
        cohort=read_cohort(arguments.data),
        calibration=Calibration.model_validate_json((folder / "calibration.json").read_bytes()),
        evaluation=Evaluation.model_validate_json(evaluation.read_bytes()) if evaluation.exists() else None,
        quantization=quantization_of(folder),
    )
    pack = pack_model(content, served_network(folder), arguments.models / run.name)

    print(f"pack: {pack.folder} {pack.identity.digest[:12]}")


if __name__ == "__main__":
    main()
