"""A trained, exported and calibrated network becomes a model pack: a folder of data."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import cv2

from xray_ai.domain.radiograph import ViewPosition
from xray_ai.errors import OperatorNeeded
from xray_ai.inference.model_pack import CARD_FILE, NETWORK_FILE, ModelPack
from xray_ai.inference.pack_card import (
    AcceptanceCard,
    CalibrationCard,
    FindingCard,
    LineageCard,
    NetworkCard,
    PackCard,
    QuantizationCard,
)
from xray_ai.inference.reader import Reader
from xray_ai.inference.session import Device
from xray_ai.training.calibrate import CalibratedOutput, Calibration
from xray_ai.training.datasets.cohort import Cohort
from xray_ai.training.evaluation.measured import EVALUATION_FILE, Evaluation
from xray_ai.training.evaluation.scoring import scoring_digest
from xray_ai.training.finding_table import finding_table
from xray_ai.training.lineage import source_commit
from xray_ai.training.model_card import model_card
from xray_ai.training.onnx_file import graph_of
from xray_ai.training.pack_folder import DECIMALS, digests_of, golden_card
from xray_ai.training.phantom import Phantom, chest_phantom
from xray_ai.training.quantization.quantize_run import FLOAT_FILE
from xray_ai.training.run import TrainingRun

# Of 8-bit values a rounding flips where a sum differs in its last bit, and others after it.
GOLDEN_TOLERANCES = {"float32": 2e-3, "int8": 1e-2}
FLOAT_ON_CUDA = NetworkCard(file="model-fp32.onnx", devices=("cuda",), golden="golden/golden-fp32.json")
GOLDEN_CASES = {
    "clear.png": Phantom(seed=1),
    "masses.png": Phantom(seed=2, masses=6),
    "large-heart.png": Phantom(seed=3, heart=1.5),
}

CR, DX, SC = "1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.7"
ACCEPTANCE = AcceptanceCard(
    sop_class_uids=frozenset({CR, DX, SC}),
    modalities=frozenset({"CR", "DX", "DR", "RG", "OT", "SC"}),
    body_parts=frozenset({"CHEST", "THORAX", "LUNG"}),
    view_positions=frozenset({ViewPosition.PA, ViewPosition.AP}),
    youngest_age_years=1,
    oldest_age_years=120,
)


@dataclass(frozen=True, slots=True)
class PackContent:
    """What a pack is made of, beside the network's file."""

    version: str
    run: TrainingRun
    cohort: Cohort
    calibration: Calibration
    evaluation: Evaluation | None
    quantization: QuantizationCard | None = None

    @property
    def is_8_bit(self) -> bool:
        return self.quantization is not None and self.quantization.passed


class EvaluationOfAnother(OperatorNeeded):
    """An evaluation is not of the pack that it is to go into."""

    def __init__(self, pack: str) -> None:
        super().__init__(
            f"evaluation.json was measured with another network, recipe, calibration or points than those of {pack}.",
            remedy="Pack without it, evaluate that pack, and pack again.",
        )


def pack_model(content: PackContent, network: Path, folder: Path) -> ModelPack:
    """Write the pack into `folder`, replacing an unfinished one, and open it as the service would.

    `network` is what a CPU runs. Beside one of 8 bits lies the float network: CUDA gains nothing from 8 bits.

    Raises: EvaluationOfAnother.
    """
    card = _card(content, network)
    _check_evaluation(content.evaluation, card, network)
    golden = folder / "golden"
    shutil.rmtree(folder, ignore_errors=True)
    golden.mkdir(parents=True)
    shutil.copyfile(network, folder / NETWORK_FILE)
    if content.is_8_bit:
        shutil.copyfile(network.with_name(FLOAT_FILE), folder / FLOAT_ON_CUDA.file)
    for name, shape in GOLDEN_CASES.items():
        cv2.imwrite(str(golden / name), chest_phantom(shape))
    if content.evaluation:
        (folder / EVALUATION_FILE).write_text(content.evaluation.as_json(), "utf-8")
    _seal(folder, card)
    _write_golden(folder)
    (folder / "MODEL_CARD.md").write_text(model_card(card, content.evaluation), "utf-8")
    _seal(folder, card)
    return ModelPack.open(folder)


def _check_evaluation(evaluation: Evaluation | None, card: PackCard, network: Path) -> None:
    scoring = scoring_digest(card, hashlib.sha256(network.read_bytes()).hexdigest())
    if evaluation is not None and evaluation.pack.scoring_sha256 != scoring:
        raise EvaluationOfAnother(card.name)


def _seal(folder: Path, card: PackCard) -> None:
    """Write pack.json with the digest of every other file."""
    tree = card.model_copy(update={"files": digests_of(folder)}).model_dump(mode="json", exclude_none=True)
    for part in ("sop_class_uids", "modalities", "body_parts", "view_positions"):
        tree["acceptance"][part] = sorted(tree["acceptance"][part])
    (folder / CARD_FILE).write_text(json.dumps(tree, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _write_golden(folder: Path) -> None:
    """Write each network's golden scores, all of them scored on the CPU."""
    pack = ModelPack.open(folder)
    for network in pack.card.networks:
        reader = Reader(pack.run_by(network), Device.CPU)
        card = golden_card(reader, folder, GOLDEN_CASES, GOLDEN_TOLERANCES[network.precision])
        (folder / network.golden).write_text(card.model_dump_json(indent=1) + "\n", "utf-8")


def _card(content: PackContent, network: Path) -> PackCard:
    run, cohort = content.run, content.cohort
    return PackCard(
        schema_version=1,
        name=run.name,
        version=content.version,
        licence="Apache-2.0 (weights); trained on NIH ChestX-ray14, free use with attribution, from ImageNet weights",
        intended_use="Research use only. Not a medical device; not for diagnosis.",
        files={},
        graph=graph_of(network),
        preprocessing=run.recipe.model_copy(update={"polarity": content.calibration.polarity}),
        findings=_findings(cohort, content.calibration.outputs),
        operating_point_aim="At the stated prevalence, at most 3 studies of 100 are STAT and 15 are HIGH; every other"
        " finding alerts on twice its prevalence, between 1 and 10 studies of 100. Absent: 95 % sensitivity.",
        operating_points_set_on="Tuning patients (one in seven of those not kept for the test), weighted to the stated"
        " prevalence, which is that of the whole ChestX-ray14.",
        limits=run.limits,
        acceptance=ACCEPTANCE,
        lineage=LineageCard(
            cohort_sha256=cohort.digest(),
            cohort_description=f"NIH ChestX-ray14, {len(cohort.images)} images, split by patient.",
            source_commit=source_commit(),
            seed=run.seed,
            run=run.as_toml_tree(),
        ),
        performance=content.evaluation.performance() if content.evaluation else None,
        networks=_networks(content),
        quantization=content.quantization,
    )


def _networks(content: PackContent) -> tuple[NetworkCard, ...]:
    if content.is_8_bit:
        return (NetworkCard(precision="int8", devices=("cpu",)), FLOAT_ON_CUDA)
    return (NetworkCard(),)


def _findings(cohort: Cohort, outputs: tuple[CalibratedOutput, ...]) -> tuple[FindingCard, ...]:
    table = finding_table()
    return tuple(
        FindingCard(
            key=key,
            name=table[key].name,
            code=table[key].code,
            stated_prevalence=round(output.prevalence, DECIMALS),
            calibration=CalibrationCard(
                slope=round(output.slope, DECIMALS), intercept=round(output.intercept, DECIMALS)
            ),
            operating_point=round(output.operating_point, DECIMALS),
            rule_out_point=round(output.rule_out_point, DECIMALS),
            expected_alert_share=round(output.alert_share, DECIMALS),
        )
        for key, output in zip(cohort.finding_keys, outputs, strict=True)
    )
