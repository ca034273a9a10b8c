"""How much faster is a network in 8 bits than in single precision, on one thread? Both in turns, so that both wait.

Without `--networks` it compares those of the shipped classifiers; a pack of one network says nothing here.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from xray_ai.inference.model_pack import ModelPack, PackKind, installed_packs, kind_of
from xray_ai.inference.session import Device, Session
from xray_ai.training.quantization.timing import PAIRS, Pace, paired_pace

MODELS = Path(__file__).parents[1] / "models"


def pace_of(float32: Path, int8: Path, rows: int, columns: int, pairs: int) -> Pace:
    """Time both on noise: what a pixel holds costs no time."""
    noise = np.random.default_rng(0).normal(size=(1, 1, rows, columns)).astype(np.float32)
    return paired_pace(Session(float32, Device.CPU), Session(int8, Device.CPU), noise, pairs)


def paces_of_packs(models: Path, pairs: int) -> dict[str, Pace]:
    """Time each classifier that has two networks."""
    paces = {}
    for folder in (folder for folder in installed_packs(models) if kind_of(folder) is PackKind.CLASSIFIER):
        pack = ModelPack.open(folder)
        files = {network.precision: folder / network.file for network in pack.card.networks}
        if len(files) > 1:
            recipe = pack.card.preprocessing
            paces[folder.name] = pace_of(files["float32"], files["int8"], recipe.rows, recipe.columns, pairs)
    return paces


def main() -> None:
    """Read the arguments, time, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", nargs=2, type=Path, metavar=("FLOAT32", "INT8"), help="Two ONNX files.")
    parser.add_argument("--side", type=int, default=224, help="Rows and columns that these two take.")
    parser.add_argument("--json", type=Path, help="File for the figures.")
    parser.add_argument("--quick", action="store_true", help="Few turns: to see that it runs.")
    arguments = parser.parse_args()

    pairs = 3 if arguments.quick else PAIRS
    if arguments.networks:
        float32, int8 = arguments.networks
        paces = {int8.stem: pace_of(float32, int8, arguments.side, arguments.side, pairs)}
    else:
        paces = paces_of_packs(MODELS, pairs)
    for name, pace in paces.items():
        print(f"{name}: {pace.first:.2f} ms, in 8 bits {pace.second:.2f} ms, {pace.times_faster:.2f} times faster")
    if arguments.json:
        arguments.json.write_text(json.dumps({name: asdict(pace) for name, pace in paces.items()}, indent=1), "utf-8")


if __name__ == "__main__":
    main()
