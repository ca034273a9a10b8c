"""What is exported computes what was trained, or it is not exported; its maps are told relative to clear chests."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.training.cohorts import KEYS, SIDE_PX, TwoFacedFeatures, a_cohort, a_run, install
from xray_ai.imaging.preprocess import as_input
from xray_ai.inference.session import Device, Session
from xray_ai.training.cohort_dataset import prepared
from xray_ai.training.courses import TRUNK, trained_network
from xray_ai.training.datasets.cohort import Cohort, Split
from xray_ai.training.export_onnx import export_onnx
from xray_ai.training.networks import build_network
from xray_ai.training.onnx_file import ExportDiffers
from xray_ai.training.train import WEIGHTS_FILE

pytestmark = pytest.mark.training

Images = NDArray[np.float32]


def some_weights(folder: Path) -> Path:
    trunk = folder / "network-1" / TRUNK
    trunk.mkdir(parents=True)
    torch.manual_seed(0)
    torch.save(build_network("tiny", len(KEYS), dropout=0.2).state_dict(), trunk / WEIGHTS_FILE)
    return folder


def exported(folder: Path) -> tuple[Session, Path, Cohort]:
    """An exported network, the weights that it came from, and the cohort whose clear chests are its reference."""
    weights, cohort = some_weights(folder), a_cohort(folder / "images", train=6, tune=0)
    assert export_onnx(a_run(), weights, cohort, folder / "model.onnx") <= 1e-4
    return Session(folder / "model.onnx", Device.CPU), weights, cohort


def some_noise(count: int) -> Images:
    return np.random.default_rng(1).normal(size=(count, 1, SIDE_PX, SIDE_PX)).astype(np.float32)


def in_torch(weights: Path, images: Images) -> tuple[Images, Images]:
    with torch.no_grad():
        logits, activation = trained_network(a_run(), weights, len(KEYS))(torch.from_numpy(images))
    return logits.numpy(), activation.numpy()


def test_the_exported_network_scores_as_the_trained_one(tmp_path: Path) -> None:
    session, weights, _ = exported(tmp_path)

    logits, _ = session.run(some_noise(3))

    np.testing.assert_allclose(logits, in_torch(weights, some_noise(3))[0], atol=1e-4)


def test_its_logits_are_the_mean_of_its_maps_plus_one_bias_for_all_images(tmp_path: Path) -> None:
    session, _, _ = exported(tmp_path)

    logits, activation = session.run(some_noise(3))

    biases = logits - activation.mean(axis=(2, 3))
    np.testing.assert_allclose(biases, np.repeat(biases[:1], 3, axis=0), atol=1e-4)


def test_its_maps_are_those_of_the_network_less_a_mean_chest_without_findings(tmp_path: Path) -> None:
    session, weights, cohort = exported(tmp_path)
    clear = [image for image in cohort.of(Split.TRAIN) if not any(image.labels)]
    inputs = np.concatenate(
        [as_input(prepared(image.path, a_run().recipe.recipe()).grey, a_run().recipe.recipe()) for image in clear]
    )

    _, activation = session.run(some_noise(2))

    expected = in_torch(weights, some_noise(2))[1] - in_torch(weights, inputs)[1].mean(axis=0)
    np.testing.assert_allclose(activation, expected, atol=1e-4)


@pytest.mark.parametrize("count", [1, 5])
def test_the_exported_network_takes_any_number_of_images(tmp_path: Path, count: int) -> None:
    session, _, _ = exported(tmp_path)

    logits, activation = session.run(some_noise(count))

    assert (len(logits), len(activation)) == (count, count)


def test_an_export_that_computes_something_else_is_refused(tmp_path: Path) -> None:
    weights, cohort = some_weights(tmp_path), a_cohort(tmp_path / "images", train=6, tune=0)
    install("two-faced", TwoFacedFeatures)

    with pytest.raises(ExportDiffers, match=r"ONNX and torch differ by .*0\.0001 is allowed"):
        export_onnx(a_run(network="two-faced"), weights, cohort, tmp_path / "model.onnx")


def test_tuning_and_test_patients_are_no_part_of_the_reference(tmp_path: Path) -> None:
    weights, cohort = some_weights(tmp_path), a_cohort(tmp_path / "images", train=4, tune=4, test=4)
    for image in cohort.of(Split.TUNE):
        image.path.unlink()

    assert export_onnx(a_run(), weights, cohort, tmp_path / "model.onnx") <= 1e-4


def test_dropout_is_off_in_what_is_shipped(tmp_path: Path) -> None:
    network = trained_network(a_run(dropout=0.9), some_weights(tmp_path), len(KEYS))

    image = torch.rand(1, 1, SIDE_PX, SIDE_PX)

    with torch.no_grad():
        assert torch.equal(network(image)[0], network(image)[0])
