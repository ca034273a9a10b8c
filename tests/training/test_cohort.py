"""A cohort keeps patients apart: who is learnt from is never tuned on, and who is tested on is neither."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.cohorts import KEYS, a_cohort_image
from xray_ai.training.datasets.cohort import Cohort, Split, develop_split

pytestmark = pytest.mark.training


def test_a_patient_in_two_splits_is_no_cohort() -> None:
    first, second = a_cohort_image("p1", Split.TRAIN), a_cohort_image("p1", Split.TEST)

    with pytest.raises(ValueError, match="two splits, train and test"):
        Cohort(KEYS, (first, second))


def test_a_split_is_chosen_from_all_sources_or_from_some() -> None:
    sharp, coarse = a_cohort_image("p1"), a_cohort_image("p2", source="nih-128px")
    cohort = Cohort(KEYS, (sharp, coarse, a_cohort_image("p3", Split.TUNE)))

    assert cohort.of(Split.TRAIN) == (sharp, coarse)
    assert cohort.of(Split.TRAIN, frozenset({"nih-128px"})) == (coarse,)
    assert cohort.of(Split.TEST) == ()


@given(patient=st.text(max_size=12))
def test_a_patient_that_may_be_learnt_from_is_always_in_the_same_split(patient: str) -> None:
    assert develop_split(patient) is develop_split(patient)
    assert develop_split(patient) is not Split.TEST


def test_about_one_patient_in_seven_is_set_aside_for_tuning() -> None:
    tuned = [develop_split(f"nih:{number:08d}") for number in range(7000)].count(Split.TUNE)

    assert 900 < tuned < 1100


def test_the_digest_does_not_depend_on_the_order_or_on_where_the_images_lie() -> None:
    one, other = a_cohort_image("p1"), a_cohort_image("p2")
    moved = replace(one, path=Path("elsewhere") / one.path)

    assert Cohort(KEYS, (one, other)).digest() == Cohort(KEYS, (other, moved)).digest()


@pytest.mark.parametrize(
    "changed",
    [
        {"labels": (1.0, 1.0)},
        {"split": Split.TUNE},
        {"patient_id": "p9"},
        {"source": "nih-128px"},
        {"path": Path("p9.png")},
    ],
    ids=str,
)
def test_the_digest_changes_with_anything_that_a_network_learns_from(changed: dict[str, Any]) -> None:
    image = a_cohort_image("p1")

    other = a_cohort_image("p1", **changed)

    assert Cohort(KEYS, (image,)).digest() != Cohort(KEYS, (other,)).digest()
