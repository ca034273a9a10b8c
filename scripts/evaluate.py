"""Measure a pack through the serving reader; test patients are scored once for each pack that ships."""

import argparse
from pathlib import Path

from xray_ai.inference.model_pack import ModelPack, ScopePack
from xray_ai.inference.reader import Reader
from xray_ai.inference.scope_check import ScopeCheck
from xray_ai.inference.session import Device
from xray_ai.training.datasets.cohort import Split
from xray_ai.training.datasets.nih_chestxray14 import MEASURED_ON, read_cohort
from xray_ai.training.evaluation.evaluate import Examination, evaluate
from xray_ai.training.evaluation.report import write_evaluation
from xray_ai.triage import TriagePolicy


def main() -> None:
    """Read the arguments, do it, and print where the result lies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path, help="A pack's folder.")
    parser.add_argument("--data", type=Path, required=True, help="Folder with manifest.csv and the images.")
    parser.add_argument("--out", type=Path, required=True, help="Folder for evaluation.json and report.html.")
    parser.add_argument("--against", type=Path, help="The previous pack's folder, to compare with.")
    parser.add_argument("--scope", type=Path, help="The scope pack's folder; absent: pixels are not checked.")
    parser.add_argument("--split", type=Split, choices=(Split.TEST, Split.TUNE), default=Split.TUNE)
    parser.add_argument("--device", type=Device, choices=tuple(Device), default=Device.CPU)
    parser.add_argument("--policy", type=Path, default=Path("xray_ai/triage_policy.toml"))
    parser.add_argument("--seed", type=int, default=1, help="Seed of the bootstrap.")
    asked = parser.parse_args()

    scope = ScopeCheck(ScopePack.open(asked.scope), asked.device) if asked.scope else None
    previous = Reader(ModelPack.open(asked.against), asked.device) if asked.against else None
    policy = TriagePolicy.parse(asked.policy.read_text("utf-8"))
    examination = Examination(read_cohort(asked.data), asked.split, MEASURED_ON[asked.split], policy, asked.seed)
    evaluation = evaluate(Reader(ModelPack.open(asked.pack), asked.device, scope), examination, previous)
    print(f"mean AUROC {evaluation.headline.value:.3f}; report: {write_evaluation(evaluation, asked.out)}")


if __name__ == "__main__":
    main()
