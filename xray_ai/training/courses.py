"""All networks of a run: each trained through its stages and branches, then averaged."""

from collections.abc import Sequence
from pathlib import Path

import torch

from xray_ai.training.datasets.cohort import Cohort
from xray_ai.training.networks import ActivationMapNetwork, AveragedNetwork, build_network
from xray_ai.training.run import Course, TrainingRun
from xray_ai.training.train import WEIGHTS_FILE, train, write_run

TRUNK = "trunk"

Weights = dict[str, torch.Tensor]


def train_run(run: TrainingRun, cohort: Cohort, folder: Path, device: str = "cpu", only: Sequence[int] = ()) -> Path:
    """Train each network into `folder`/network-NUMBER: its stages into `trunk`, its branches into `branch-SEED`.

    `only` names the seeds of branches that are trained, so that processes can share the work; absent: all. What is
    trained already is not trained again. Returns `folder`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_run(run, folder)
    cache = folder.parent / "cache"
    for number, course in enumerate(run.courses(), start=1):
        trunk = _network(folder, number) / TRUNK
        if not (trunk / WEIGHTS_FILE).exists():
            train(run.only(course.seed, course.stages), cohort, trunk, cache, device)
        for seed, branch in _branches(course, _network(folder, number)).items():
            if course.branches and (seed in only or not only) and not (branch / WEIGHTS_FILE).exists():
                stages = (course.branches.stage,)
                train(run.only(seed, stages), cohort, branch, cache, device, trunk / WEIGHTS_FILE)
    return folder


def trained_network(run: TrainingRun, folder: Path, outputs: int) -> ActivationMapNetwork | AveragedNetwork:
    """Build the run's network with its trained weights, ready to score."""
    networks = []
    for number, course in enumerate(run.courses(), start=1):
        network = build_network(run.network, outputs, run.dropout)
        network.load_state_dict(_weights(course, _network(folder, number)))
        networks.append(network.eval())
    return networks[0] if len(networks) == 1 else AveragedNetwork(networks).eval()


def _weights(course: Course, folder: Path) -> Weights:
    """What the course left: the mean of its branches' weights, where it has branches."""
    files = [branch / WEIGHTS_FILE for branch in _branches(course, folder).values()] or [folder / TRUNK / WEIGHTS_FILE]
    each: list[Weights] = [torch.load(file, weights_only=True) for file in files]
    return {key: _mean([weights[key] for weights in each]) for key in each[0]}


def _mean(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.stack([part.double() for part in parts]).mean(dim=0).to(parts[0].dtype)  # some are counters


def _network(folder: Path, number: int) -> Path:
    return folder / f"network-{number}"


def _branches(course: Course, folder: Path) -> dict[int, Path]:
    seeds = course.branches.seeds if course.branches else ()
    return {seed: folder / f"branch-{seed}" for seed in seeds}
