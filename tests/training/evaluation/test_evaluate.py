"""An evaluation says on what a pack was measured, and its JSON, its page and the manual say the same."""

import re
from pathlib import Path

import pytest

from tests.house.shape import ROOT
from tests.training.cohorts import KEYS
from tests.training.evaluation.examinations import CHESTS, MEASURED_ON, an_evaluation
from xray_ai.training.evaluation.measured import EVALUATION_FILE, Evaluation
from xray_ai.training.evaluation.report import report, write_evaluation
from xray_ai.training.evaluation.robustness import DISTURBANCES
from xray_ai.training.evaluation.worst import what_is_worst

pytestmark = pytest.mark.training

SECTIONS = (
    "What is worst",
    "Findings",
    "Against dark",
    "Subgroups",
    "Abnormality beside what sees no pixel",
    "Calibration",
    "Operating points and alerts",
    "Robustness",
    "Refused images",
    "Limits",
)


def test_it_says_on_what_a_pack_was_measured() -> None:
    evaluation = an_evaluation()

    assert (evaluation.measured_on, evaluation.split) == (MEASURED_ON, "tune")
    assert (evaluation.images, evaluation.patients, evaluation.refused) == (2 * CHESTS, 2 * CHESTS, {"blank": 1})
    assert "patients" in evaluation.interval_method
    assert evaluation.scope is None


def test_abnormality_is_not_among_the_findings_of_the_headline() -> None:
    mass, abnormality = an_evaluation().findings

    assert (mass.key, abnormality.key) == KEYS
    assert (mass.is_in_headline, abnormality.is_in_headline) == (True, False)
    assert an_evaluation().headline.value == an_evaluation().mean_auroc.value
    assert mass.auroc is not None
    assert an_evaluation().headline.value == mass.auroc.value != 0.5


def test_a_network_that_does_not_look_tells_nothing() -> None:
    abnormality = an_evaluation().findings[1]

    assert abnormality.auroc is not None
    assert (abnormality.auroc.value, abnormality.auroc.low, abnormality.auroc.high) == (0.5, 0.5, 0.5)


def test_it_is_beside_the_previous_pack() -> None:
    comparison = an_evaluation().comparison

    assert comparison is not None
    assert comparison.previous.digest != an_evaluation().pack.digest
    assert comparison.pooled.previous_auroc == pytest.approx(1 - comparison.pooled.auroc, abs=2e-4)


def test_its_json_holds_all_of_it(tmp_path: Path) -> None:
    write_evaluation(an_evaluation(), tmp_path)

    assert Evaluation.model_validate_json((tmp_path / EVALUATION_FILE).read_bytes()) == an_evaluation()


def test_its_page_needs_nothing_from_outside() -> None:
    page = report(an_evaluation())

    assert re.search(r"https?:|src=|@import|url\(|<script|<link", page) is None
    assert '<meta name="viewport"' in page
    assert "@media print" in page


def test_its_page_begins_with_what_the_pack_may_not_be_used_for_and_on_whom_it_was_measured() -> None:
    body = report(an_evaluation()).partition("<body>")[2]

    assert body.index(an_evaluation().intended_use) < body.index("<h1>")
    assert "Tuning patients" in body[:1000]


def test_its_page_tells_everything() -> None:
    page = report(an_evaluation())

    assert [title for title in SECTIONS if f"<h2>{title}" not in page] == []
    assert [name for name in DISTURBANCES if name not in page] == []
    assert all(digest in page for digest in (an_evaluation().pack.digest, an_evaluation().cohort_sha256))
    assert re.search(r"\b[Nn]ormal\b|\bnan\b|\bNone\b", page.partition("<body>")[2]) is None


def test_words_from_a_pack_are_words_on_the_page() -> None:
    evaluation = an_evaluation().model_copy(update={"limits": ("Ages < 1 & > 90.",), "intended_use": "<b>Any</b>"})

    page = report(evaluation)

    assert "<li>Ages &lt; 1 &amp; &gt; 90.</li>" in page
    assert "&lt;b&gt;Any&lt;/b&gt;" in page


def test_what_is_worst_is_named() -> None:
    sentences = "\n".join(what_is_worst(an_evaluation()))

    assert "Not shown to be better than chance: " in sentences
    assert "Abnormality" in sentences
    assert "Most harmful disturbance: " in sentences


def test_the_manual_names_each_field_of_the_json() -> None:
    manual = (ROOT / "docs" / "evaluation.md").read_text("utf-8")

    assert [name for name in Evaluation.model_fields if f"`{name}`" not in manual] == []
