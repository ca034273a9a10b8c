"""Try a scope pack on held-out images through the serving code; on test patients once for each pack that ships."""

import argparse
from pathlib import Path

from xray_ai.inference.model_pack import ScopePack
from xray_ai.inference.scope_check import ScopeCheck
from xray_ai.inference.session import Device
from xray_ai.training.datasets.cohort import Split
from xray_ai.training.scope.measure import MEASURED_ON, failures, measure, performance_file
from xray_ai.training.scope.trials import all_trials


def main() -> None:
    """Read the arguments, do it, and print what misses its bar and where the result lies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path, help="A scope pack's folder.")
    parser.add_argument("--data", type=Path, required=True, help="Folder with manifest.csv and the images.")
    parser.add_argument("--split", required=True, choices=("tune", "test"), help="Which patients of the NIH.")
    parser.add_argument("--ct", type=Path, help="Folder with the axial slices of one chest CT.")
    parser.add_argument("--out", type=Path, required=True, help="The folder that train_scope.py wrote.")
    arguments = parser.parse_args()

    arguments.out.mkdir(parents=True, exist_ok=True)  # before the minutes that measuring takes
    check = ScopeCheck(ScopePack.open(arguments.pack), Device.CPU)
    trials = all_trials(arguments.data, Split(arguments.split), arguments.ct)
    performance = measure(check, trials, MEASURED_ON[arguments.split])
    points = (output.point for output in check.pack.card.outputs)
    file = performance_file(arguments.out, check.pack.network, points)
    file.write_text(performance.model_dump_json(indent=1), "utf-8")

    print("\n".join((*failures(performance), f"performance: {file}")))


if __name__ == "__main__":
    main()
