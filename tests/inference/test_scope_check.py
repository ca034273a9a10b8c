"""The reader asks its scope check first, and shares with it what is dear."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from tests.factories import Pixels, some_pixels
from tests.packs import (
    NO_ABNORMALITY,
    TinyFinding,
    a_network,
    a_pack,
    a_polarity,
    a_reader,
    absent,
    replace_network,
)
from tests.scope_packs import (
    NO,
    ONLY_OF_DARK_IMAGES,
    YES,
    Answers,
    TinyAnswer,
    a_gated_reader,
    a_scope_check,
    a_scope_pack,
)
from xray_ai.domain.scope import ScopeQuestion
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.grayscale import PLAIN
from xray_ai.imaging.stored_image import StoredImage
from xray_ai.inference.reader import Reader

CHEST = some_pixels(bits=8)
Q = ScopeQuestion


def stored(values: Pixels) -> StoredImage:
    rows, columns = values.shape
    return StoredImage(values, rows, columns, reduction=0, lossy=False)


def refusal_by(reader: Reader, values: Pixels = CHEST) -> StudyRejected:
    with pytest.raises(StudyRejected) as refusal:
        reader.read(stored(values), PLAIN)
    return refusal.value


def test_every_question_of_the_pack_is_answered_in_its_order(tmp_path: Path) -> None:
    check = a_scope_check(a_scope_pack(tmp_path, {Q.MOTION: YES, Q.TURNED_90: TinyAnswer(bias=0.0)}))

    answers = check.answers(stored(CHEST), PLAIN)

    assert [answer.question for answer in answers] == list(Q)
    found = {answer.question: answer.probability for answer in answers}
    assert found[Q.TURNED_90] == 0.5
    assert found[Q.MOTION] == pytest.approx(1 / (1 + math.exp(-3)), abs=1e-6)


@pytest.mark.parametrize("question", [question for question in Q if not question.is_about_quality])
def test_what_the_scope_refuses_is_never_scored(tmp_path: Path, question: ScopeQuestion) -> None:
    pack = a_pack(tmp_path, [absent("mass")])
    nothing = TinyFinding("mass", bias=math.nan)  # to score by this would need an operator
    replace_network(pack, a_network([nothing, NO_ABNORMALITY]))

    refusal = refusal_by(a_gated_reader(pack, {question: YES}))

    assert refusal.code in {RejectionCode.NOT_FRONTAL_CHEST, RejectionCode.TURNED, RejectionCode.LOOKS_INVERTED}


def test_a_reading_names_the_scope_pack_and_its_answers(tmp_path: Path) -> None:
    reader = a_gated_reader(a_pack(tmp_path), {Q.CLIPPED: YES})

    reading = reader.read(stored(CHEST), PLAIN)

    assert reading.scope is not None
    assert reading.scope.model == reader.scope_identity
    assert [fault.question for fault in reading.scope.quality_findings] == [Q.CLIPPED]
    assert [note.code for note in reading.pixel_notes] == ["clipped"]


def test_the_scope_judges_inversion_in_place_of_the_classifiers_template(tmp_path: Path) -> None:
    blind, sharp = (
        a_gated_reader(a_pack(tmp_path, name=name, polarity=a_polarity()), {Q.INVERTED: answer})
        for name, answer in (("blind", NO), ("sharp", ONLY_OF_DARK_IMAGES))
    )

    assert refusal_by(sharp, 255 - CHEST).code is RejectionCode.LOOKS_INVERTED
    assert blind.read(stored(255 - CHEST), PLAIN).scores


def test_a_negative_whose_header_says_so_is_judged_as_its_positive(tmp_path: Path) -> None:
    reader = a_gated_reader(a_pack(tmp_path), {Q.INVERTED: ONLY_OF_DARK_IMAGES})

    assert reader.read(stored(255 - CHEST), replace(PLAIN, inverted=True)).scope is not None
    assert refusal_by(reader, 255 - CHEST).code is RejectionCode.LOOKS_INVERTED


GREY: Answers = {Q.CLIPPED: TinyAnswer(bias=0.0, weight=3.0)}


@pytest.mark.parametrize("bits", [8, 12])
def test_both_models_see_what_each_would_see_alone(tmp_path: Path, bits: int) -> None:
    pack, image = a_pack(tmp_path), stored(some_pixels(900, 700, bits=bits))
    reader = a_gated_reader(pack, GREY)

    together = reader.read(image, PLAIN)

    assert together.scope is not None
    assert reader.scope is not None
    assert together.scope.answers == reader.scope.answers(image, PLAIN)
    alone = a_reader(pack).read(image, PLAIN)
    assert together.scores == alone.scores
