"""A trained network becomes a pack that opens, holds its golden scores, and whose two cards say the same."""

import json
import re
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.packs import BRIGHT_MASS, NO_ABNORMALITY, a_network
from tests.training.cohorts import KEYS, SIDE_PX, a_cohort_image, a_run
from tests.training.evaluation.examinations import an_evaluation
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.grayscale import PLAIN
from xray_ai.imaging.stored_image import StoredImage
from xray_ai.inference.golden import check_golden
from xray_ai.inference.model_pack import ModelPack
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
