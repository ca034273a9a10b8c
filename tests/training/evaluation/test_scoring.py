"""Every image is read as the service would, and what is refused is counted."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.cohorts import KEYS, a_cohort_image, draw
from tests.training.evaluation.examinations import CHESTS, a_bright_reader, an_examination
from tests.training.evaluation.scores import mediocre
from xray_ai.training.evaluation.scoring import FindingMissing, score_images, scoring_digest

pytestmark = pytest.mark.training


def test_refusals_are_counted_by_their_reason(tmp_path: Path) -> None:
    examination = an_examination(tmp_path / "images")
    images = examination.cohort.of(examination.split)

    scored = score_images(a_bright_reader(tmp_path), images, KEYS)

    assert scored.images == images[:-1]
    assert scored.refused == {"blank": 1}
    assert scored.probabilities.shape == scored.labels.shape == (2 * CHESTS, len(KEYS))


def test_a_column_is_found_by_its_finding_and_not_by_its_place(tmp_path: Path) -> None:
    reader = a_bright_reader(tmp_path)
    image = a_cohort_image(path=draw(tmp_path / "chest.png", seed=1))

    one, other = (score_images(reader, [image], keys).probabilities[0] for keys in (KEYS, KEYS[::-1]))

    assert one.tolist() == other[::-1].tolist()
    assert one[0] != one[1]


def test_a_finding_that_the_pack_does_not_read_is_an_operators_matter(tmp_path: Path) -> None:
    with pytest.raises(FindingMissing, match=r"no output for hernia"):
        score_images(a_bright_reader(tmp_path), [], ["hernia", "mass"])


def test_images_that_two_packs_read_are_found_by_their_files() -> None:
    scored = mediocre(6)

    assert scored.also_in(scored.of(np.arange(6) > 3)).tolist() == [False] * 4 + [True] * 2


def test_another_point_or_network_is_another_way_to_score(tmp_path: Path) -> None:
    card = a_bright_reader(tmp_path).pack.card
    moved = card.findings[0].model_copy(update={"operating_point": 0.9})

    digest = scoring_digest(card, "0" * 64)

    assert digest == scoring_digest(card.model_copy(update={"version": "9"}), "0" * 64)
    assert digest != scoring_digest(card.model_copy(update={"findings": (moved, *card.findings[1:])}), "0" * 64)
    assert digest != scoring_digest(card, "1" * 64)
