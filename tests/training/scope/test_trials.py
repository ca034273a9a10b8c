"""What the pack is tried on, and how outcomes are counted."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.scope_packs import YES, a_scope_check, a_scope_pack
from tests.training.scope.scope_runs import a_data_folder
from xray_ai.domain.scope import ScopeQuestion
from xray_ai.imaging.grayscale import PLAIN
from xray_ai.imaging.stored_image import StoredImage
from xray_ai.training.datasets.cohort import Split
from xray_ai.training.phantom import Phantom, chest_phantom
from xray_ai.training.scope.dicom_files import dicom_frames, grey_image
from xray_ai.training.scope.measure import failures, measure, outcomes_of, wilson
from xray_ai.training.scope.sources import read_sources
from xray_ai.training.scope.trials import FALSE, INVERTED, REFUSED, TURNED, Trial, chest_trials, held_out_trials

pytestmark = pytest.mark.training


def a_trial(group: str = "chests", counted: Mapping[str, bool] = FALSE) -> Trial:
    grey = chest_phantom(Phantom(seed=1))
    return Trial(group, StoredImage(grey, grey.shape[0], grey.shape[1], reduction=0, lossy=False), PLAIN, counted)


def test_a_chest_is_tried_as_it_is_changed_turned_inverted_and_spoiled(tmp_path: Path) -> None:
    chest = next(image for image in read_sources(a_data_folder(tmp_path, 4)) if image.is_chest)

    trials = list(chest_trials([chest], "nih tune", seed=1))

    wanted = Counter(tuple(trial.counted) for trial in trials)
    assert wanted[(REFUSED, TURNED)] == wanted[(REFUSED, INVERTED)] == 3
    assert [trial.group for trial in trials if "motion" in trial.counted and len(trial.counted) == 1] == [
        "nih tune, motion on purpose"
    ]


def test_test_patients_are_tried_only_when_asked_for(tmp_path: Path) -> None:
    sources = read_sources(a_data_folder(tmp_path, 20))

    groups = {trial.group for trial in held_out_trials(sources, Split.TUNE)}

    assert not any(group.startswith("nih test") for group in groups)
    assert "kermany held out" in groups


def test_a_refusal_comes_with_its_reason(tmp_path: Path) -> None:
    check = a_scope_check(a_scope_pack(tmp_path, {ScopeQuestion.TURNED_180: YES}))

    assert outcomes_of(check, a_trial()) == {REFUSED, TURNED}


def test_a_fault_of_quality_is_an_outcome_of_an_image_that_is_read(tmp_path: Path) -> None:
    check = a_scope_check(a_scope_pack(tmp_path, {ScopeQuestion.MOTION: YES}))

    assert outcomes_of(check, a_trial()) == {"motion"}


def test_outcomes_are_counted_by_group(tmp_path: Path) -> None:
    check = a_scope_check(a_scope_pack(tmp_path, {ScopeQuestion.MOTION: YES}))

    shares = measure(check, [a_trial(), a_trial("others", {REFUSED: True})], "drawings.").shares

    counted = {(share.images_of, share.outcome): (share.counted, share.images) for share in shares}
    assert counted["chests", "motion"] == (1, 1)
    assert counted["others", REFUSED] == (0, 1)


def test_what_misses_its_bar_is_named(tmp_path: Path) -> None:
    check = a_scope_check(a_scope_pack(tmp_path))

    missed = failures(measure(check, [a_trial(), a_trial("not_chest", {REFUSED: True})], "drawings."))

    assert missed == ["missed: not_chest, refused: 0 of 1, the bar is 99%"]


def test_an_interval_holds_its_share_and_stays_within_0_and_1() -> None:
    assert wilson(0, 100)[0] == 0.0
    assert wilson(100, 100)[1] == pytest.approx(1.0)
    assert wilson(5, 100)[0] < 0.05 < wilson(5, 100)[1]


def test_packaged_test_files_are_tried_whatever_the_service_would_say_to_their_header(tmp_path: Path) -> None:
    frames = list(dicom_frames(tmp_path))

    modalities = {frame.modality for frame in frames}
    assert {"CR", "CT", "MR", "US"} <= modalities
    assert {frame.name for frame in frames if frame.is_chest} >= {"rg1_uncr.dcm"}
    assert {frame.name for frame in frames if frame.is_other_radiograph} >= {"rg3_uncr.dcm"}


def test_values_of_any_range_are_spread_over_eight_bits() -> None:
    stored = grey_image(np.array([[-1000.0, 0.0], [500.0, 1000.0]]))

    assert (stored.values.min(), stored.values.max()) == (0, 255)
