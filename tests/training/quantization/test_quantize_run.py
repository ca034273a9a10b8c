"""A run is quantised on its training patients and judged on its tuning patients; what was measured is kept."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tests.training.cohorts import a_cohort_image, a_run
from tests.training.quantization.networks import an_exported_run
from xray_ai.training.cohort_dataset import prepared_greys
from xray_ai.training.datasets.cohort import Cohort, Split
from xray_ai.training.quantization.quantize_run import evenly_chosen, quantization_of, quantize_run, served_network
from xray_ai.training.quantization.tuning_judge import PreparedInputs, TuningJudge

pytestmark = pytest.mark.training


def a_judge(network: Path, folder: Path, cohort: Cohort) -> TuningJudge:
    recipe, tuning = a_run().recipe.recipe(), cohort.of(Split.TUNE)
    inputs = PreparedInputs(prepared_greys(tuning, recipe, folder / "cache"), recipe)
    labels = np.array([image.labels for image in tuning])
    return TuningJudge(network, inputs, cohort.finding_keys, labels)


def with_turned_maps(network: Path, file: Path) -> Path:
    """A copy whose last layer has its signs turned: what it found, it now rules out."""
    model = onnx.load(network)
    weights = next(tensor for tensor in model.graph.initializer if tensor.name.endswith("classifier.weight"))
    weights.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(weights), weights.name))
    onnx.save(model, file)
    return file


def test_what_was_measured_is_kept_beside_the_network(tmp_path: Path) -> None:
    folder, cohort = an_exported_run(tmp_path)

    measured = quantize_run(a_run(), cohort, folder)

    assert quantization_of(folder) == measured
    assert measured.auroc.keys() == {"mass", "abnormality"}
    assert measured.calibrated_on.startswith("12 images of training patients")
    assert measured.measured_on == "8 images of 8 tuning patients"
    assert measured.float32_milliseconds > 0 < measured.int8_milliseconds


@pytest.mark.parametrize(("passed", "served"), [(True, "model-int8.onnx"), (False, "model.onnx")])
def test_a_copy_that_passed_is_what_is_served(tmp_path: Path, *, passed: bool, served: str) -> None:
    folder, cohort = an_exported_run(tmp_path)
    measured = quantize_run(a_run(), cohort, folder)

    judged = measured.model_copy(update={"passed": passed})
    (folder / "quantization.json").write_text(judged.model_dump_json(), "utf-8")

    assert served_network(folder).name == served


def test_the_float_network_is_served_where_nothing_was_quantised(tmp_path: Path) -> None:
    assert served_network(tmp_path) == tmp_path / "model.onnx"


def test_the_float_network_is_served_where_too_few_positives_were_there_to_measure(tmp_path: Path) -> None:
    folder, cohort = an_exported_run(tmp_path)

    measured = quantize_run(a_run(), cohort, folder)

    assert measured.because == ("no output has 10 positives among the tuning patients, so nothing is measured",)
    assert served_network(folder).name == "model.onnx"


def test_a_broken_copy_is_refused(tmp_path: Path) -> None:
    folder, cohort = an_exported_run(tmp_path, tune=24)
    turned = with_turned_maps(folder / "model.onnx", tmp_path / "turned.onnx")

    verdicts = (
        a_judge(folder / "model.onnx", folder, cohort)(turned),
        a_judge(turned, folder, cohort)(folder / "model.onnx"),
    )

    reasons = [reason for verdict in verdicts for reason in verdict.why_not]
    assert {reason.split()[0] for reason in reasons} >= {"mass", "abnormality"}  # each is lost in one of the two ways


def test_no_test_patient_is_looked_at(tmp_path: Path) -> None:
    folder, cohort = an_exported_run(tmp_path)
    kept_back = a_cohort_image("kept", Split.TEST, path=tmp_path / "not-there.png")

    measured = quantize_run(a_run(), replace(cohort, images=(*cohort.images, kept_back)), folder)

    assert measured.measured_on == "8 images of 8 tuning patients"


def test_each_source_gives_as_many_images_to_calibrate_with() -> None:
    images = [a_cohort_image(f"p{number}", source="nih" if number % 4 else "nih-128px") for number in range(40)]

    chosen = [images[index].source for index in evenly_chosen(images, 12)]

    assert (chosen.count("nih"), chosen.count("nih-128px")) == (6, 6)
