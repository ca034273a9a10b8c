"""Branches set out from one run's weights, leave what they share untouched, and are averaged."""

from pathlib import Path

import pytest
import torch
from torch import nn

from tests.training.cohorts import a_cohort, a_run
from xray_ai.training.branches import train_branches, trained_network
from xray_ai.training.networks import ActivationMapNetwork, BranchedNetwork, build_network, trunk_of
from xray_ai.training.run import TrainingRun

pytestmark = pytest.mark.training

SHARED = 3
LITE = "efficientnet-lite0"
Weights = dict[str, torch.Tensor]


def a_branched_run() -> TrainingRun:
    stage = {"side": 64, "epochs": 1, "sources": ["nih"], "learning_rate": 0.01, "batch_size": 4}
    branches = {"seeds": [1, 2], "stage": stage | {"frozen_blocks": SHARED, "mixup": 0.4}}
    return a_run(network=LITE, stages=[stage], branches=branches)


def weights_of(folder: Path) -> Weights:
    weights: Weights = torch.load(folder / "weights.pt", weights_only=True)
    return weights


@pytest.fixture(scope="module")
def branched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("branches")
    return train_branches(a_branched_run(), a_cohort(folder / "images", train=8, tune=4), folder / "run")


def of_the_trunk(weights: Weights) -> Weights:
    first = ("_conv_stem", "_bn0", *(f"_blocks.{number}." for number in range(SHARED)))
    return {key: value for key, value in weights.items() if key.split("features.network.")[-1].startswith(first)}


def test_what_the_branches_share_stays_as_the_trunk_s_stages_left_it(branched: Path) -> None:
    base = of_the_trunk(weights_of(branched / "trunk"))

    assert base
    for seed in (1, 2):
        shared = of_the_trunk(weights_of(branched / f"branch-{seed}"))
        assert all(torch.equal(shared[key], base[key]) for key in base)


def test_what_follows_differs_from_branch_to_branch(branched: Path) -> None:
    one, other = (weights_of(branched / f"branch-{seed}")["classifier.weight"] for seed in (1, 2))

    assert not torch.equal(one, other)


def test_the_run_s_network_is_the_average_of_its_branches(branched: Path) -> None:
    image = torch.rand(1, 1, 64, 64)
    members = [trained_network(a_branched_run().of_branch(seed), branched / f"branch-{seed}", 2) for seed in (1, 2)]

    with torch.no_grad():
        logits, activation = trained_network(a_branched_run(), branched, 2)(image)
        alone = [member(image) for member in members]

    torch.testing.assert_close(logits, (alone[0][0] + alone[1][0]) / 2)
    torch.testing.assert_close(activation, (alone[0][1] + alone[1][1]) / 2)


def test_a_trunk_that_is_there_is_not_trained_again(branched: Path, tmp_path: Path) -> None:
    trunk = branched / "trunk" / "weights.pt"
    before = trunk.stat().st_mtime_ns

    train_branches(a_branched_run(), a_cohort(tmp_path / "images", train=8, tune=4), branched, only=[1])

    assert trunk.stat().st_mtime_ns == before


def test_a_run_without_branches_has_none_to_train() -> None:
    with pytest.raises(ValueError, match="has no branches"):
        a_run().of_branch(1)


def test_a_backbone_without_blocks_cannot_be_frozen() -> None:
    with pytest.raises(ValueError, match="frozen_blocks = 0"):
        trunk_of(ActivationMapNetwork(nn.Identity(), channels=1, outputs=1, dropout=0.0))


def test_frozen_blocks_learn_nothing_and_keep_their_batch_statistics() -> None:
    network = build_network(LITE, 1, dropout=0.0)
    before = {key: value.clone() for key, value in of_the_trunk(network.state_dict()).items()}
    trunk_of(network).freeze(SHARED)

    network.train()(torch.rand(2, 1, 64, 64))[0].sum().backward()

    assert all(torch.equal(value, before[key]) for key, value in of_the_trunk(network.state_dict()).items())
    assert all(part.grad is None for key, part in network.named_parameters() if key in before)


def test_one_pass_through_trunk_and_rest_is_one_through_the_backbone() -> None:
    network = build_network(LITE, 1, dropout=0.0).eval()
    image = torch.rand(1, 1, 64, 64)

    with torch.no_grad():
        torch.testing.assert_close(BranchedNetwork([network], SHARED)(image), network(image))
