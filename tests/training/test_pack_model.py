"""A trained network becomes a pack that opens, holds its golden scores, and whose two cards say the same."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.packs import BRIGHT_MASS, NO_ABNORMALITY, a_network, absent
from tests.training.cohorts import KEYS, SIDE_PX, a_cohort_image, a_run
from tests.training.evaluation.examinations import an_evaluation
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.grayscale import PLAIN
from xray_ai.imaging.stored_image import StoredImage
from xray_ai.inference.golden import check_golden
from xray_ai.inference.model_pack import ModelPack
from xray_ai.inference.pack_card import PrecisionCard, QuantizationCard
from xray_ai.inference.reader import Reader
from xray_ai.inference.session import Device
from xray_ai.training.calibrate import CalibratedOutput, Calibration
from xray_ai.training.datasets.cohort import Cohort
from xray_ai.training.evaluation.measured import EVALUATION_FILE, Evaluation
from xray_ai.training.evaluation.scoring import scoring_digest
from xray_ai.training.evaluation.worst import figure
from xray_ai.training.pack_model import EvaluationOfAnother, PackContent, pack_model
from xray_ai.training.phantom import Phantom, chest_phantom
from xray_ai.training.polarity import fit_polarity

pytestmark = pytest.mark.training

COHORT = Cohort(KEYS, (a_cohort_image("p1", labels=(1.0, 1.0)), a_cohort_image("p2")))
MASS = CalibratedOutput(
    slope=1.25, intercept=-0.5, prevalence=0.0516, operating_point=0.3125, rule_out_point=0.0, alert_share=0.037
)
ABNORMALITY = CalibratedOutput(
    slope=0.75, intercept=0.25, prevalence=0.4616, operating_point=0.84, rule_out_point=0.125, alert_share=0.15
)


def some_content(evaluation: Evaluation | None = None) -> PackContent:
    polarity = fit_polarity(np.stack([chest_phantom(Phantom(seed)) for seed in range(10, 14)]))
    calibration = Calibration(
        polarity=polarity, upright_called_inverted=0.0, inverted_called_upright=0.0, outputs=(MASS, ABNORMALITY)
    )
    return PackContent("2.0.0", a_run(), COHORT, calibration, evaluation)


def a_made_pack(folder: Path, content: PackContent | None = None) -> ModelPack:
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(a_network([BRIGHT_MASS, NO_ABNORMALITY], (SIDE_PX, SIDE_PX)), folder / "trained.onnx")
    return pack_model(content or some_content(), folder / "trained.onnx", folder / "models" / "tiny")


def an_evaluated_pack(folder: Path) -> tuple[ModelPack, Evaluation]:
    """The pack made, measured, and made again with what was measured."""
    first = a_made_pack(folder).card
    scoring = scoring_digest(first, first.files["model.onnx"])
    pack = an_evaluation().pack.model_copy(update={"scoring_sha256": scoring})
    evaluation = an_evaluation().model_copy(update={"pack": pack})
    return a_made_pack(folder, some_content(evaluation)), evaluation


def test_the_pack_opens_and_holds_its_golden_scores(tmp_path: Path) -> None:
    pack = a_made_pack(tmp_path)

    reader = Reader(ModelPack.open(pack.folder), Device.CPU)

    assert check_golden(reader) == pytest.approx(0.0, abs=1e-5)
    assert (pack.card.name, pack.card.version) == ("tiny", "2.0.0")
    assert pack.card.graph.opset == 17


def test_the_pack_refuses_a_negative_by_the_template_of_its_tuning(tmp_path: Path) -> None:
    reader = Reader(a_made_pack(tmp_path), Device.CPU)
    negative = np.asarray(255 - chest_phantom(Phantom(30)), np.uint8)
    rows, columns = negative.shape

    with pytest.raises(StudyRejected) as refused:
        reader.read(StoredImage(negative, rows, columns, reduction=0, lossy=False), PLAIN)

    assert refused.value.code is RejectionCode.LOOKS_INVERTED


def test_every_file_of_the_pack_has_its_digest(tmp_path: Path) -> None:
    pack = a_made_pack(tmp_path)

    files = {file.relative_to(pack.folder).as_posix() for file in pack.folder.rglob("*") if file.is_file()}

    assert set(pack.card.files) == files - {"pack.json"}
    assert {"model.onnx", "MODEL_CARD.md", "golden/golden.json"} < files


def test_tuning_decides_how_each_output_is_used(tmp_path: Path) -> None:
    mass, abnormality = a_made_pack(tmp_path).card.findings

    assert (mass.key, abnormality.key) == KEYS
    assert (mass.calibration.slope, mass.calibration.intercept) == (1.25, -0.5)
    assert (mass.operating_point, mass.rule_out_point, mass.expected_alert_share) == (0.3125, 0.0, 0.037)
    assert (mass.code.scheme, mass.code.meaning) == ("SCT", "Mass")


def test_the_lineage_says_what_the_weights_come_from(tmp_path: Path) -> None:
    lineage = a_made_pack(tmp_path).card.lineage

    assert lineage.cohort_sha256 == COHORT.digest()
    assert lineage.seed == a_run().seed
    assert lineage.run == json.loads(json.dumps(a_run().as_toml_tree()))


def test_the_humans_card_says_what_the_machines_card_says(tmp_path: Path) -> None:
    pack, evaluation = an_evaluated_pack(tmp_path)
    mass = evaluation.performance().auroc["mass"]

    text = (pack.folder / "MODEL_CARD.md").read_text("utf-8")

    assert text.startswith("# tiny 2.0.0\n")
    assert f"| Mass | {figure(mass)} | {mass.positives} |" in text
    assert f"{evaluation.images} images of {evaluation.patients} patients; 1 more were refused" in text
    assert "| Mass | 5.2% | 0.312 | never | 3.7 |" in text
    assert "| Abnormality | 46.2% | 0.840 | 0.125 | 15.0 |" in text
    assert f"`{COHORT.digest()}`" in text


def test_the_evaluation_travels_with_the_pack(tmp_path: Path) -> None:
    pack, evaluation = an_evaluated_pack(tmp_path)

    assert Evaluation.model_validate_json((pack.folder / EVALUATION_FILE).read_bytes()) == evaluation
    assert EVALUATION_FILE in pack.card.files
    assert pack.card.performance == evaluation.performance()


def test_figures_of_another_network_do_not_go_into_a_pack(tmp_path: Path) -> None:
    with pytest.raises(EvaluationOfAnother, match="evaluate that pack, and pack again"):
        a_made_pack(tmp_path, some_content(an_evaluation()))


def test_the_humans_card_begins_with_what_the_pack_may_not_be_used_for(tmp_path: Path) -> None:
    text = (a_made_pack(tmp_path).folder / "MODEL_CARD.md").read_text("utf-8")

    assert "Not a medical device; not for diagnosis." in text[:200]
    assert re.search(r"\bnormal\b", text, re.IGNORECASE) is None


def test_a_pack_that_was_not_measured_says_so(tmp_path: Path) -> None:
    pack = a_made_pack(tmp_path)

    assert pack.card.performance is None
    assert "Not measured yet." in (pack.folder / "MODEL_CARD.md").read_text("utf-8")


def test_the_same_content_makes_the_same_pack(tmp_path: Path) -> None:
    first, again = a_made_pack(tmp_path / "first"), a_made_pack(tmp_path / "again")

    assert first.identity == again.identity


def test_an_unfinished_pack_is_replaced(tmp_path: Path) -> None:
    leftover = tmp_path / "models" / "tiny" / "leftover.txt"
    leftover.parent.mkdir(parents=True)
    leftover.write_text("unfinished", "utf-8")

    a_made_pack(tmp_path)

    assert not leftover.exists()


def a_quantization(*, passed: bool) -> QuantizationCard:
    return QuantizationCard(
        passed=passed,
        because=("nothing was lost" if passed else "mass loses 0.0100 AUROC, 0.003 is allowed",),
        calibrated_on="4 images of training patients",
        measured_on="8 images of 8 tuning patients",
        convolutions=49,
        float_convolutions=6,
        auroc={"mass": PrecisionCard(positives=12, float32=0.8, int8=0.79, loss=0.01)},
        mean_loss=0.01,
        mean_logit_change=0.03,
        mean_probability_change=0.001,
        largest_probability_change=0.025,
        float32_milliseconds=9.0,
        int8_milliseconds=4.7,
        times_faster=1.9,
    )


def a_quantised_pack(folder: Path) -> ModelPack:
    """A pack whose 8-bit network, here another one, sees no masses at all."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(a_network([BRIGHT_MASS, NO_ABNORMALITY], (SIDE_PX, SIDE_PX)), folder / "model.onnx")
    onnx.save(a_network([absent("mass"), NO_ABNORMALITY], (SIDE_PX, SIDE_PX)), folder / "model-int8.onnx")
    content = replace(some_content(), quantization=a_quantization(passed=True))
    return pack_model(content, folder / "model-int8.onnx", folder / "models" / "tiny")


def test_an_8_bit_pack_carries_the_float_network_for_cuda(tmp_path: Path) -> None:
    pack = a_quantised_pack(tmp_path)

    assert (pack.folder / "model.onnx").read_bytes() == (tmp_path / "model-int8.onnx").read_bytes()
    assert (pack.folder / pack.network_on("cuda").file).read_bytes() == (tmp_path / "model.onnx").read_bytes()
    assert [network.precision for network in pack.card.networks] == ["int8", "float32"]


def test_each_network_of_an_8_bit_pack_holds_its_own_golden_scores(tmp_path: Path) -> None:
    pack = a_quantised_pack(tmp_path)

    for network in pack.card.networks:
        assert check_golden(Reader(pack.run_by(network), Device.CPU)) == pytest.approx(0.0, abs=1e-5)
    by_network = {(pack.folder / network.golden).read_bytes() for network in pack.card.networks}
    assert len(by_network) == 2


def test_a_pack_whose_8_bit_copy_did_not_pass_is_float_and_says_why(tmp_path: Path) -> None:
    pack = a_made_pack(tmp_path, replace(some_content(), quantization=a_quantization(passed=False)))

    text = (pack.folder / "MODEL_CARD.md").read_text("utf-8")
    assert [network.precision for network in pack.card.networks] == ["float32"]
    assert "The 8-bit network does not ship: mass loses 0.0100 AUROC, 0.003 is allowed." in text


def test_the_humans_card_says_what_8_bits_changed(tmp_path: Path) -> None:
    text = (a_quantised_pack(tmp_path).folder / "MODEL_CARD.md").read_text("utf-8")

    assert "- `model.onnx`, in 8-bit integers, runs on CPU." in text
    assert "- `model-fp32.onnx`, in single precision, runs on CUDA." in text
    assert "The 8-bit network ships: nothing was lost." in text
    assert "1.9 times faster on one thread" in text
    assert "| Mass | 0.8000 | 0.7900 | +0.0100 | 12 |" in text
