"""Networks that part from one trunk, trained with different seeds, and their average."""

from collections.abc import Sequence
from pathlib import Path

import torch

from xray_ai.training.datasets.cohort import Cohort
from xray_ai.training.networks import ActivationMapNetwork, BranchedNetwork, build_network
from xray_ai.training.run import TrainingRun
from xray_ai.training.train import WEIGHTS_FILE, train, write_run

TRUNK = "trunk"


def train_branches(
    run: TrainingRun, cohort: Cohort, folder: Path, device: str = "cpu", only: Sequence[int] = ()
) -> Path:
    """Train the trunk into `folder`/trunk, then each branch into `folder`/branch-SEED, or `only` some of them.

    What is trained already is not trained again. Returns `folder`.
    """
    if run.branches is None:
        return train(run, cohort, folder, device)
    folder.mkdir(parents=True, exist_ok=True)
    write_run(run, folder)
    trunk = folder / TRUNK / WEIGHTS_FILE
    if not trunk.exists():
        train(run.trunk(), cohort, trunk.parent, device)
    for seed in only or run.branches.seeds:
        train(run.of_branch(seed), cohort, _branch(folder, seed), device, trunk)
    return folder


def trained_network(run: TrainingRun, folder: Path, outputs: int) -> ActivationMapNetwork | BranchedNetwork:
    """Build the run's network with its trained weights, ready to score."""
    if run.branches is None:
        return _trained(run, folder, outputs)
    members = [_trained(run, _branch(folder, seed), outputs) for seed in run.branches.seeds]
    return BranchedNetwork(members, run.branches.stage.frozen_blocks).eval()


def _trained(run: TrainingRun, folder: Path, outputs: int) -> ActivationMapNetwork:
    network = build_network(run.network, outputs, run.dropout)
    network.load_state_dict(torch.load(folder / WEIGHTS_FILE, weights_only=True))
    return network.eval()


def _branch(folder: Path, seed: int) -> Path:
    return folder / f"branch-{seed}"
