"""The reader turns stored values into scores and heatmaps, or says why the image is not read."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.factories import Pixels, some_pixels
from tests.packs import (
    BRIGHT_MASS,
    NO_ABNORMALITY,
    TinyFinding,
    a_network,
    a_pack,
    a_polarity,
    a_reader,
    absent,
    present,
    replace_network,
)
from xray_ai.domain.finding import Code, Finding, FindingKey, ScoreOutOfRange
from xray_ai.domain.radiograph import Note
from xray_ai.domain.reading import SourceBox
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.grayscale import PLAIN
from xray_ai.imaging.preprocess import PreparedImage
from xray_ai.imaging.stored_image import StoredImage
from xray_ai.inference.model_pack import PackUnsound
from xray_ai.inference.session import Device

CHEST = some_pixels(bits=8)
MASS = FindingKey("mass")


def stored(values: Pixels) -> StoredImage:
    rows, columns = values.shape
    return StoredImage(values, rows, columns, reduction=0, lossy=False)


def uniform(grey: float) -> PreparedImage:
    return PreparedImage(np.full((64, 64), grey, np.float32), SourceBox(0, 0, 64, 64), polarity=None)


@pytest.mark.parametrize("grey", [0.0, 0.5, 1.0])
def test_a_score_is_the_calibrated_output_of_the_network(tmp_path: Path, grey: float) -> None:
    reader = a_reader(a_pack(tmp_path, [BRIGHT_MASS]))

    reading = reader.judge(uniform(grey))

    logit = 10.0 * (grey - 0.7)
    assert reading.score_of(MASS).probability == pytest.approx(1 / (1 + math.exp(-logit)), abs=1e-6)


def test_scores_and_heatmaps_stand_in_the_packs_order_with_abnormality_last(tmp_path: Path) -> None:
    reader = a_reader(a_pack(tmp_path, [present("hernia"), absent("edema")]))

    reading = reader.read(stored(CHEST), PLAIN)

    assert [score.finding.key for score in reading.scores] == ["hernia", "edema", "abnormality"]
    assert [heatmap.finding for heatmap in reading.heatmaps] == ["hernia", "edema", "abnormality"]
    assert reading.abnormality is reading.scores[-1]


def test_a_score_carries_the_packs_name_code_and_points(tmp_path: Path) -> None:
    finding = TinyFinding("pleural_effusion", bias=0.5, operating_point=0.6, rule_out_point=0.2)
    reader = a_reader(a_pack(tmp_path, [finding]))

    score = reader.read(stored(CHEST), PLAIN).scores[0]

    code = Code("99TEST", "pleural_effusion", "Pleural effusion")
    assert score.finding == Finding(FindingKey("pleural_effusion"), "Pleural effusion", code)
    assert (score.operating_point, score.rule_out_point) == (0.6, 0.2)


def test_a_reading_names_the_model_that_made_it(tmp_path: Path) -> None:
    reader = a_reader(a_pack(tmp_path))

    assert reader.read(stored(CHEST), PLAIN).model == reader.pack.identity


def test_what_the_header_contradicts_travels_with_the_reading(tmp_path: Path) -> None:
    note = Note("window_unusable", "The window cannot be applied.")
    reader = a_reader(a_pack(tmp_path))

    assert reader.read(stored(CHEST), replace(PLAIN, notes=(note,))).notes == (note,)


def test_a_negative_is_refused_as_inverted_and_never_scored(tmp_path: Path) -> None:
    reader = a_reader(a_pack(tmp_path, polarity=a_polarity()))

    with pytest.raises(StudyRejected) as refused:
        reader.read(stored(255 - CHEST), PLAIN)

    assert refused.value.code is RejectionCode.LOOKS_INVERTED
    assert "Photometric Interpretation" in refused.value.remedy


def test_a_negative_whose_header_says_so_is_read_as_its_positive(tmp_path: Path) -> None:
    reader = a_reader(a_pack(tmp_path, polarity=a_polarity()))

    positive = reader.read(stored(CHEST), PLAIN)
    negative = reader.read(stored(255 - CHEST), replace(PLAIN, inverted=True))

    assert negative.score_of(MASS).probability == pytest.approx(positive.score_of(MASS).probability, abs=0.002)


def test_a_blank_image_is_refused(tmp_path: Path) -> None:
    reader = a_reader(a_pack(tmp_path))

    with pytest.raises(StudyRejected) as refused:
        reader.read(stored(np.full((100, 100), 7, np.uint8)), PLAIN)

    assert refused.value.code is RejectionCode.BLANK


def test_a_network_whose_tensors_are_not_those_of_the_card_makes_the_pack_unsound(tmp_path: Path) -> None:
    folder = a_pack(tmp_path)

    replace_network(folder, a_network([BRIGHT_MASS, NO_ABNORMALITY]))

    with pytest.raises(PackUnsound, match="not those that its card names"):
        a_reader(folder)


def test_a_number_that_is_no_probability_needs_an_operator(tmp_path: Path) -> None:
    folder = a_pack(tmp_path, [absent("mass")])
    replace_network(folder, a_network([TinyFinding("mass", bias=math.nan), NO_ABNORMALITY]))

    with pytest.raises(ScoreOutOfRange, match="mass at nan"):
        a_reader(folder).read(stored(CHEST), PLAIN)


def test_the_longer_side_of_the_input_is_what_a_decoder_must_keep(tmp_path: Path) -> None:
    reader = a_reader(a_pack(tmp_path, shape=(96, 64)))

    assert reader.least_side == 96
    assert reader.device is Device.CPU
