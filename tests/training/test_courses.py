"""Each network of a run is one soup of its branches, the networks are averaged, and what is trained stays."""

from pathlib import Path

import pytest
import torch
from torch import nn

from tests.training.cohorts import a_cohort, a_run
from xray_ai.training.courses import train_run, trained_network
from xray_ai.training.networks import ActivationMapNetwork, AveragedNetwork, backbone_of, build_network
from xray_ai.training.run import TrainingRun

pytestmark = pytest.mark.training

FROZEN = 3
LITE = "efficientnet-lite0"
Weights = dict[str, torch.Tensor]

STAGE = {"side": 64, "epochs": 1, "sources": ["nih"], "learning_rate": 0.01, "batch_size": 4}
BRANCHES = {"seeds": [1, 2], "stage": STAGE | {"frozen_blocks": FROZEN, "mixup": 0.4}}


def a_run_of_two() -> TrainingRun:
    """One network with two branches, one without."""
    return a_run(network=LITE, stages=[STAGE], branches=BRANCHES, further=[{"seed": 3, "stages": [STAGE]}])


def weights_of(folder: Path) -> Weights:
    weights: Weights = torch.load(folder / "weights.pt", weights_only=True)
    return weights


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("courses")
    return train_run(a_run_of_two(), a_cohort(folder / "images", train=8, tune=4), folder / "run")


def first_blocks(weights: Weights) -> Weights:
    first = ("_conv_stem", "_bn0", *(f"_blocks.{number}." for number in range(FROZEN)))
    return {key: value for key, value in weights.items() if key.split("features.network.")[-1].startswith(first)}


def test_what_branches_keep_frozen_stays_as_the_stages_left_it(trained: Path) -> None:
    base = first_blocks(weights_of(trained / "network-1" / "trunk"))

    assert base
    for seed in (1, 2):
        kept = first_blocks(weights_of(trained / "network-1" / f"branch-{seed}"))
        assert all(torch.equal(kept[key], base[key]) for key in base)


def test_what_follows_differs_from_branch_to_branch(trained: Path) -> None:
    one, other = (weights_of(trained / "network-1" / f"branch-{seed}")["classifier.weight"] for seed in (1, 2))

    assert not torch.equal(one, other)


def test_branches_become_one_network_by_the_mean_of_their_weights(trained: Path) -> None:
    one, other = (weights_of(trained / "network-1" / f"branch-{seed}")["classifier.weight"] for seed in (1, 2))

    soup = trained_network(a_run(network=LITE, stages=[STAGE], branches=BRANCHES), trained, 2)

    torch.testing.assert_close(soup.state_dict()["classifier.weight"], (one + other) / 2)


def test_a_network_without_branches_is_what_its_stages_left(trained: Path) -> None:
    network = trained_network(a_run_of_two(), trained, 2)

    assert isinstance(network, AveragedNetwork)
    left = weights_of(trained / "network-2" / "trunk")["classifier.weight"]
    assert torch.equal(network.state_dict()["members.1.classifier.weight"], left)


def test_networks_are_averaged_and_the_second_one_looks_in_the_mirror() -> None:
    image = torch.rand(1, 1, 64, 64)
    one, other = (build_network(LITE, 2, dropout=0.0).eval() for _ in range(2))

    with torch.no_grad():
        logits, activation = AveragedNetwork([one, other])(image)
        plain, mirrored = one(image), other(image.flip(-1))

    torch.testing.assert_close(logits, (plain[0] + mirrored[0]) / 2)
    torch.testing.assert_close(activation, (plain[1] + mirrored[1].flip(-1)) / 2)


def test_what_is_trained_is_not_trained_again(trained: Path, tmp_path: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in trained.rglob("weights.pt")}

    train_run(a_run_of_two(), a_cohort(tmp_path / "images", train=8, tune=4), trained)

    assert before == {file: file.stat().st_mtime_ns for file in trained.rglob("weights.pt")}


def test_processes_can_share_the_branches(trained: Path, tmp_path: Path) -> None:
    branch = trained / "network-1" / "branch-2" / "weights.pt"
    branch.unlink()
    cohort = a_cohort(tmp_path / "images", train=8, tune=4)

    train_run(a_run_of_two(), cohort, trained, only=[1])
    without = branch.exists()
    train_run(a_run_of_two(), cohort, trained, only=[2])

    assert (without, branch.exists()) == (False, True)


def test_a_backbone_without_blocks_cannot_be_frozen() -> None:
    with pytest.raises(ValueError, match="frozen_blocks = 0"):
        backbone_of(ActivationMapNetwork(nn.Identity(), channels=1, outputs=1, dropout=0.0))


def test_frozen_blocks_learn_nothing_and_keep_their_batch_statistics() -> None:
    network = build_network(LITE, 1, dropout=0.0)
    before = {key: value.clone() for key, value in first_blocks(network.state_dict()).items()}
    backbone_of(network).freeze(FROZEN)

    network.train()(torch.rand(2, 1, 64, 64))[0].sum().backward()

    assert all(torch.equal(value, before[key]) for key, value in first_blocks(network.state_dict()).items())
    assert all(part.grad is None for key, part in network.named_parameters() if key in before)
