"""A run can be stopped and resumed, repeats itself, ships the average of its weights, and never sees a test patient."""

import json
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from tests.training.cohorts import TinyFeatures, UnpluggedFeatures, a_cohort, a_run, install
from xray_ai.training.datasets.cohort import Cohort
from xray_ai.training.run import TrainingRun
from xray_ai.training.train import masked_bce, train

pytestmark = pytest.mark.training

Weights = dict[str, torch.Tensor]
UNKNOWN = float("nan")
BATCHES_A_STAGE = 8  # 16 images, 4 a batch, 2 epochs


def trained(run: TrainingRun, cohort: Cohort, folder: Path) -> Weights:
    weights: Weights = torch.load(train(run, cohort, folder, folder.parent / "cache"), weights_only=True)
    return weights


def are_equal(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("at_batch", [2, 5, BATCHES_A_STAGE, BATCHES_A_STAGE + 6])
def test_a_run_that_was_stopped_goes_on_to_the_same_weights(tmp_path: Path, at_batch: int) -> None:
    cohort, run = a_cohort(tmp_path / "images"), a_run(network="unplugged")
    install("unplugged", UnpluggedFeatures, at_batch=at_batch)
    with pytest.raises(KeyboardInterrupt):
        train(run, cohort, tmp_path / "stopped" / "run", tmp_path / "stopped" / "cache")

    install("unplugged", TinyFeatures)
    resumed = trained(run, cohort, tmp_path / "stopped" / "run")

    assert are_equal(resumed, trained(run, cohort, tmp_path / "unbroken" / "run"))


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path: Path) -> None:
    cohort = a_cohort(tmp_path / "images")

    first, again = (trained(a_run(), cohort, tmp_path / name / "run") for name in ("first", "again"))
    other = trained(a_run(seed=8), cohort, tmp_path / "other" / "run")

    assert are_equal(first, again)
    assert not are_equal(first, other)


def test_the_average_of_the_weights_is_what_is_shipped(tmp_path: Path) -> None:
    shipped = trained(a_run(), a_cohort(tmp_path / "images"), tmp_path / "run")

    learner = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["learner"]
    average = {key.removeprefix("module."): value for key, value in learner["average"].items() if key != "n_averaged"}
    assert are_equal(shipped, average)
    assert not are_equal(shipped, learner["network"])


def test_the_average_moves_by_what_the_decay_leaves_at_each_step(tmp_path: Path) -> None:
    cohort = a_cohort(tmp_path / "images")

    paths = []
    for decay in (0.001, 0.999):
        shipped = trained(a_run(ema_decay=decay), cohort, tmp_path / f"{decay}" / "run")
        newest = torch.load(tmp_path / f"{decay}" / "run" / "checkpoint.pt", weights_only=True)["learner"]["network"]
        paths.append(float((shipped["classifier.weight"] - newest["classifier.weight"]).abs().max()))

    assert paths[0] < 0.01 * paths[1]


def test_patients_kept_for_the_test_are_never_opened(tmp_path: Path) -> None:
    cohort = a_cohort(tmp_path / "images", test=4)  # their files do not exist

    assert train(a_run(), cohort, tmp_path / "run", tmp_path / "cache").exists()


def test_each_epoch_leaves_a_point_on_the_curves(tmp_path: Path) -> None:
    train(a_run(), a_cohort(tmp_path / "images"), tmp_path / "run", tmp_path / "cache")

    points = [json.loads(line) for line in (tmp_path / "run" / "curves.jsonl").read_text("utf-8").splitlines()]
    assert [(point["stage"], point["epoch"]) for point in points] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert all(point["loss"] > 0 and 0 <= point["mean_auroc"] <= 1 for point in points)


def test_the_run_lies_beside_its_result_and_reads_back_as_it_was(tmp_path: Path) -> None:
    run = a_run()

    train(run, a_cohort(tmp_path / "images"), tmp_path / "run", tmp_path / "cache")

    assert TrainingRun.read(tmp_path / "run" / "run.toml") == run


def test_an_unknown_network_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no network 'resnet'.*efficientnet-lite0"):
        train(a_run(network="resnet"), a_cohort(tmp_path / "images"), tmp_path / "run", tmp_path / "cache")


def test_known_labels_cost_what_binary_cross_entropy_says() -> None:
    logits, labels = torch.tensor([[0.5, -1.0]]), torch.tensor([[1.0, 0.0]])

    expected = functional.binary_cross_entropy_with_logits(logits, labels)

    assert masked_bce(logits, labels).item() == pytest.approx(expected.item())


def test_an_unknown_label_teaches_nothing() -> None:
    logits = torch.tensor([[0.5, -1.0, 3.0]], requires_grad=True)

    masked_bce(logits, torch.tensor([[1.0, UNKNOWN, 0.0]])).backward()

    assert logits.grad is not None
    assert logits.grad[0, 1] == 0.0
    assert (logits.grad[0, [0, 2]] != 0.0).all()


def test_a_batch_without_any_known_label_leaves_the_network_as_it_is() -> None:
    logits = torch.tensor([[0.5, -1.0]], requires_grad=True)

    loss = masked_bce(logits, torch.tensor([[UNKNOWN, UNKNOWN]]))
    loss.backward()

    assert logits.grad is not None
    assert (loss.item(), logits.grad.tolist()) == (0.0, [[0.0, 0.0]])
