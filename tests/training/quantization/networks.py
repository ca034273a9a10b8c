"""A tiny network that was exported, as a run's folder holds it."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tests.training.cohorts import KEYS, SIDE_PX, a_cohort, a_run
from xray_ai.imaging.preprocess import as_input
from xray_ai.training.cohort_dataset import prepared
from xray_ai.training.courses import TRUNK
from xray_ai.training.datasets.cohort import Cohort
from xray_ai.training.export_onnx import export_onnx
from xray_ai.training.networks import build_network
from xray_ai.training.train import WEIGHTS_FILE


def an_exported_run(folder: Path, tune: int = 8, networks: int = 1) -> tuple[Path, Cohort]:
    """Give the folder with its network, or several averaged, model.onnx, and the cohort that it is for."""
    run = a_run(further=[{"seed": 8, "stages": a_run().stages}] * (networks - 1))
    cohort = a_cohort(folder / "images", train=12, tune=tune)
    run_folder = folder / "run"
    torch.manual_seed(0)
    for number in range(1, networks + 1):
        trunk = run_folder / f"network-{number}" / TRUNK
        trunk.mkdir(parents=True)
        torch.save(build_network("tiny", len(KEYS), dropout=0.2).state_dict(), trunk / WEIGHTS_FILE)
    export_onnx(run, run_folder, cohort, run_folder / "model.onnx")
    return run_folder, cohort


def inputs_of(cohort: Cohort) -> NDArray[np.float32]:
    """Every image of the cohort as the network takes it: (N, 1, rows, columns)."""
    recipe = a_run().recipe.recipe()
    inputs = np.concatenate([as_input(prepared(image.path, recipe).grey, recipe) for image in cohort.images])
    assert inputs.shape[1:] == (1, SIDE_PX, SIDE_PX)
    return inputs
