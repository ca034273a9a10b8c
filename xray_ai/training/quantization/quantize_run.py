"""A run's exported network in 8 bits, behind the gate, and what was measured of it."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xray_ai.inference.pack_card import PrecisionCard, QuantizationCard
from xray_ai.inference.session import Device, Session
from xray_ai.training.cohort_dataset import prepared_greys
from xray_ai.training.datasets.cohort import Cohort, CohortImage, Split
from xray_ai.training.quantization.search import Quantized, quantize
from xray_ai.training.quantization.timing import Pace, paired_pace
from xray_ai.training.quantization.tuning_judge import (
    FEWEST_POSITIVES,
    LARGEST_LOSS,
    LARGEST_MEAN_LOSS,
    PreparedInputs,
    TuningJudge,
    TuningVerdict,
)
from xray_ai.training.run import TrainingRun

FLOAT_FILE, INT8_FILE, QUANTIZATION_FILE = "model.onnx", "model-int8.onnx", "quantization.json"
CALIBRATION_IMAGES = 384
DECIMALS = 5
ALLOWED = (
    f"no output with {FEWEST_POSITIVES} positives or more loses more than {LARGEST_LOSS} AUROC, nor their mean more"
    f" than {LARGEST_MEAN_LOSS}"
)


def quantize_run(run: TrainingRun, cohort: Cohort, folder: Path) -> QuantizationCard:
    """Write `folder`/model-int8.onnx and say by the tuning patients whether it may ship."""
    recipe, cache = run.recipe.recipe(), folder.parent / "cache"
    train, tuning = cohort.of(Split.TRAIN), cohort.of(Split.TUNE)
    chosen = evenly_chosen(train, CALIBRATION_IMAGES)
    calibration = PreparedInputs(prepared_greys(train, recipe, cache)[chosen], recipe)
    judged = PreparedInputs(prepared_greys(tuning, recipe, cache), recipe)
    labels = np.array([image.labels for image in tuning])
    network, file = folder / FLOAT_FILE, folder / INT8_FILE
    quantized = quantize(
        network,
        file,
        np.concatenate([calibration[k] for k in range(len(calibration))]),
        TuningJudge(network, judged, cohort.finding_keys, labels),
    )
    pace = paired_pace(Session(network, Device.CPU), Session(file, Device.CPU), judged[0])
    calibrated_on = f"{len(chosen)} images of training patients, as many of each source"
    patients = len({image.patient_id for image in tuning})
    card = _card(quantized, pace, calibrated_on, f"{len(tuning)} images of {patients} tuning patients")
    (folder / QUANTIZATION_FILE).write_text(card.model_dump_json(indent=1) + "\n", "utf-8")
    return card


def _card(quantized: Quantized[TuningVerdict], pace: Pace, calibrated_on: str, measured_on: str) -> QuantizationCard:
    verdict = quantized.verdict
    changes = verdict.probability_changes
    return QuantizationCard(
        passed=verdict.may_ship,
        because=verdict.why_not or (ALLOWED,),
        calibrated_on=calibrated_on,
        measured_on=measured_on,
        convolutions=quantized.convolutions,
        float_convolutions=quantized.float_convolutions,
        auroc={
            key: PrecisionCard(
                positives=verdict.positives[key],
                float32=_rounded(exact),
                int8=_rounded(found),
                loss=_rounded(exact - found),
            )
            for key, (exact, found) in verdict.aurocs.items()
        },
        mean_loss=None if verdict.mean_loss is None else _rounded(verdict.mean_loss),
        mean_logit_change=_rounded(verdict.distance),
        mean_probability_change=_rounded(changes.mean()),
        largest_probability_change=_rounded(changes.max()),
        float32_milliseconds=round(pace.first, 2),
        int8_milliseconds=round(pace.second, 2),
        times_faster=round(pace.times_faster, 2),
    )


def _rounded(value: float) -> float:
    return round(float(value), DECIMALS)


def quantization_of(folder: Path) -> QuantizationCard | None:
    """Read what was measured of the network in `folder`; None, where it was not quantised."""
    file = folder / QUANTIZATION_FILE
    return QuantizationCard.model_validate_json(file.read_bytes()) if file.exists() else None


def served_network(folder: Path) -> Path:
    """Name the network that a CPU will run: the 8-bit one where it may ship."""
    quantization = quantization_of(folder)
    return folder / (INT8_FILE if quantization and quantization.passed else FLOAT_FILE)


def evenly_chosen(images: Sequence[CohortImage], count: int) -> NDArray[np.intp]:
    """Choose about `count` images, as many of each source: their indices, in order."""
    of_source: dict[str, list[int]] = defaultdict(list)
    for index, image in enumerate(images):
        of_source[image.source].append(index)
    share = max(1, count // len(of_source))
    chosen = [
        indices[place]
        for indices in of_source.values()
        for place in np.linspace(0, len(indices) - 1, min(share, len(indices))).astype(int)
    ]
    return np.array(sorted(chosen), np.intp)
