"""The human's card says what the evaluation says, the worst of it first."""

from pathlib import Path

import pytest

from tests.training.evaluation.examinations import a_bright_reader, an_evaluation
from xray_ai.training.evaluation.measured import Evaluation
from xray_ai.training.evaluation.worst import figure, what_is_worst
from xray_ai.training.model_card import model_card

pytestmark = pytest.mark.training

PARTS = (
    "Performance",
    "What is worst",
    "Subgroups",
    "Abnormality beside classifiers that see no pixel",
    "Calibration",
    "Operating characteristics",
    "Robustness",
    "Against dark 1.2.3",
    "Refused",
    "Operating points",
    "Limits",
    "Where it comes from",
)


def a_model_card(folder: Path, evaluation: Evaluation) -> str:
    card = a_bright_reader(folder).pack.card.model_copy(update={"performance": evaluation.performance()})
    return model_card(card, evaluation)


def test_it_tells_every_part_of_the_evaluation_in_turn(tmp_path: Path) -> None:
    text = a_model_card(tmp_path, an_evaluation())

    places = [text.index(f"# {part}\n") for part in PARTS]

    assert places == sorted(places)


def test_it_says_what_is_worst_in_the_reports_words(tmp_path: Path) -> None:
    text = a_model_card(tmp_path, an_evaluation())

    assert all(f"- {sentence}\n" in text for sentence in what_is_worst(an_evaluation()))


def test_its_figures_are_those_of_the_evaluation(tmp_path: Path) -> None:
    evaluation = an_evaluation()

    text = a_model_card(tmp_path, evaluation)

    assert f"at least 10 positives: {figure(evaluation.headline)}" in text
    assert f"Mean AUROC over all findings: {figure(evaluation.mean_auroc)}" in text
    assert f"{evaluation.images} images of {evaluation.patients} patients; 1 more were refused" in text
    assert "1 images: blank 1." in text
    for one in evaluation.calibration:
        assert f"| {figure(one.slope, 2)} | {figure(one.intercept, 2)} |" in text


def test_its_tables_are_tables(tmp_path: Path) -> None:
    rows = [line for line in a_model_card(tmp_path, an_evaluation()).splitlines() if line.startswith("|")]
    widths = [row.count("|") for row in rows]

    heads = [place for place, row in enumerate(rows) if row.startswith("|---")]

    assert len(heads) == 9
    assert all(widths[place - 1] == widths[place] == widths[place + 1] for place in heads)


def test_without_a_previous_pack_it_compares_with_none(tmp_path: Path) -> None:
    alone = an_evaluation().model_copy(update={"comparison": None})

    assert "Against" not in a_model_card(tmp_path, alone)
