"""Several networks trained from one start with different seeds, sharing its first blocks, and their average."""

from collections.abc import Sequence
from pathlib import Path

import tomli_w
import torch

from xray_ai.training.datasets.cohort import Cohort
from xray_ai.training.networks import ActivationMapNetwork, BranchedNetwork, build_network
from xray_ai.training.run import TrainingRun
from xray_ai.training.train import train


def train_branches(
    run: TrainingRun, cohort: Cohort, folder: Path, device: str = "cpu", only: Sequence[int] = ()
) -> Path:
    """Train each branch in `folder`/branch-SEED, or `only` some; returns the folder.

    Raises: FileNotFoundError, when the run that this one starts from was not trained beside it.
    """
    start = folder.parent / run.start_from / "weights.pt" if run.start_from else None
    if start and not start.exists():
        message = f"{start} does not exist: train the run {run.start_from} first, into the folder beside."
        raise FileNotFoundError(message)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.toml").write_text(tomli_w.dumps(run.as_toml_tree()), "utf-8")
    for seed in only or run.branch_seeds:
        train(run.branch(seed), cohort, folder / f"branch-{seed}", device, start)
    return folder


def trained_network(run: TrainingRun, folder: Path, outputs: int) -> ActivationMapNetwork | BranchedNetwork:
    """Build the run's network with its trained weights, ready to score."""
    if not run.branch_seeds:
        return _trained(run, folder / "weights.pt", outputs)
    members = [_trained(run, folder / f"branch-{seed}" / "weights.pt", outputs) for seed in run.branch_seeds]
    return BranchedNetwork(members, run.stages[0].frozen_blocks).eval()


def _trained(run: TrainingRun, weights: Path, outputs: int) -> ActivationMapNetwork:
    network = build_network(run.network, outputs, run.dropout)
    network.load_state_dict(torch.load(weights, weights_only=True))
    return network.eval()
