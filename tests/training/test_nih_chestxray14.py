"""ChestX-ray14 as a manifest lists it: its labels as findings, its test patients untouched."""

import csv
from pathlib import Path

import pytest

from xray_ai.training.datasets.cohort import Cohort, Split
from xray_ai.training.datasets.nih_chestxray14 import FINDING_KEYS, read_cohort

pytestmark = pytest.mark.training

COLUMNS = ("path", "dataset", "patient_id", "labels", "view", "age", "sex", "source_copy", "split")


def a_row(patient: int = 1, labels: str = "No Finding", split: str = "develop", **changes: str) -> dict[str, str]:
    row = {
        "path": f"nih/{patient:08d}_000.jpg",
        "dataset": "nih",
        "patient_id": f"nih:{patient:08d}",
        "labels": labels,
        "view": "PA",
        "age": "57",
        "sex": "M",
        "source_copy": "a/copy",
        "split": split,
    }
    return row | changes


def cohort_of(folder: Path, *rows: dict[str, str]) -> Cohort:
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as manifest:
        writer = csv.DictWriter(manifest, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return read_cohort(folder)


def present(cohort: Cohort) -> list[str]:
    (image,) = cohort.images
    return [key for key, label in zip(cohort.finding_keys, image.labels, strict=True) if label == 1.0]


def test_there_are_fourteen_findings_and_then_abnormality() -> None:
    assert len(FINDING_KEYS) == 15
    assert FINDING_KEYS[-1] == "abnormality"


@pytest.mark.parametrize(
    ("labels", "findings"),
    [
        ("No Finding", []),
        ("Mass", ["mass", "abnormality"]),
        ("Effusion|Pleural_Thickening", ["pleural_effusion", "pleural_thickening", "abnormality"]),
    ],
)
def test_labels_become_findings(tmp_path: Path, labels: str, findings: list[str]) -> None:
    assert present(cohort_of(tmp_path, a_row(labels=labels))) == findings


def test_a_label_that_is_not_of_this_data_set_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Tuberculosis"):
        cohort_of(tmp_path, a_row(labels="Mass|Tuberculosis"))


def test_images_lie_beside_the_manifest(tmp_path: Path) -> None:
    (image,) = cohort_of(tmp_path, a_row()).images

    assert image.path == tmp_path / "nih" / "00000001_000.jpg"


def test_other_data_sets_of_the_manifest_are_left_out(tmp_path: Path) -> None:
    cohort = cohort_of(tmp_path, a_row(1), a_row(2, dataset="nih-128px"), a_row(3, dataset="rsna"))

    assert [image.source for image in cohort.images] == ["nih", "nih-128px"]


def test_patients_that_the_manifest_keeps_for_the_test_are_never_learnt_from(tmp_path: Path) -> None:
    rows = [a_row(number, split="test" if number % 5 == 0 else "develop") for number in range(200)]

    cohort = cohort_of(tmp_path, *rows)

    tested = {image.patient_id for image in cohort.of(Split.TEST)}
    assert tested == {f"nih:{number:08d}" for number in range(0, 200, 5)}
    assert len(cohort.of(Split.TUNE)) > 5


def test_all_images_of_a_patient_are_in_one_split(tmp_path: Path) -> None:
    rows = [a_row(number // 3, path=f"nih/{number}.jpg", dataset="nih-128px") for number in range(300)]

    cohort = cohort_of(tmp_path, *rows)

    by_split = {split: {image.patient_id for image in cohort.of(split)} for split in Split}
    assert by_split[Split.TRAIN].isdisjoint(by_split[Split.TUNE])
    assert sum(map(len, by_split.values())) == 100


def test_a_manifest_that_tests_on_a_patient_that_it_learns_from_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="two splits"):
        cohort_of(tmp_path, a_row(1), a_row(1, split="test"))
