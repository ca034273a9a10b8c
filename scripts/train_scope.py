"""Make the scope pack: train, fit the one-class distance, export, set points, pack."""

import argparse
from pathlib import Path

from xray_ai.training.scope.make import Making, make_scope_pack
from xray_ai.training.scope.run import ScopeRun


def main() -> None:
    """Read the arguments, do it, and print where the pack lies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="The run's TOML file: scripts/runs/frontal-scope.toml.")
    parser.add_argument("--data", type=Path, required=True, help="Folder with manifest.csv and the images.")
    parser.add_argument("--out", type=Path, required=True, help="Folder for weights and curves; weights are kept.")
    parser.add_argument("--version", required=True)
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    arguments = parser.parse_args()

    making = Making.of(ScopeRun.read(arguments.run), arguments.data, arguments.out, arguments.device)
    pack = make_scope_pack(making, arguments.version, arguments.models)

    print(f"pack: {pack.folder} {pack.identity.digest[:12]}")


if __name__ == "__main__":
    main()
