"""NIH ChestX-ray14 (Wang et al., CVPR 2017) as listed in a data folder's manifest.csv."""

import csv
from pathlib import Path

from xray_ai.training.datasets.cohort import Cohort, CohortImage, Split, develop_split

SOURCES = frozenset({"nih", "nih-128px"})

FINDING_OF_LABEL = {
    "Atelectasis": "atelectasis",
    "Cardiomegaly": "cardiomegaly",
    "Effusion": "pleural_effusion",
    "Infiltration": "infiltration",
    "Mass": "mass",
    "Nodule": "nodule",
    "Pneumonia": "pneumonia",
    "Pneumothorax": "pneumothorax",
    "Consolidation": "consolidation",
    "Edema": "edema",
    "Emphysema": "emphysema",
    "Fibrosis": "fibrosis",
    "Pleural_Thickening": "pleural_thickening",
    "Hernia": "hernia",
}
NO_FINDING = "No Finding"

MEASURED_ON = {
    Split.TEST: "the test patients (one in five) of NIH ChestX-ray14 as in its manifest, sharp and 128 px pooled",
    Split.TUNE: "the tuning patients (one in seven of the others) of NIH ChestX-ray14, sharp and 128 px pooled",
}
FINDING_KEYS = (*FINDING_OF_LABEL.values(), "abnormality")


def read_cohort(folder: Path) -> Cohort:
    """Read the cohort from `folder`/manifest.csv; its `split` column decides which patients are kept for the test."""
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as manifest:
        rows = [row for row in csv.DictReader(manifest) if row["dataset"] in SOURCES]
    return Cohort(FINDING_KEYS, tuple(_image(folder, row) for row in rows))


def _image(folder: Path, row: dict[str, str]) -> CohortImage:
    return CohortImage(
        path=folder / row["path"],
        source=row["dataset"],
        source_copy=row["source_copy"],
        patient_id=row["patient_id"],
        view=row["view"],
        age=row["age"],
        sex=row["sex"],
        labels=_labels(frozenset(row["labels"].split("|"))),
        split=Split.TEST if row["split"] == "test" else develop_split(row["patient_id"]),
    )


def _labels(present: frozenset[str]) -> tuple[float, ...]:
    unknown = present - FINDING_OF_LABEL.keys() - {NO_FINDING}
    if unknown:
        message = f"The manifest has labels that ChestX-ray14 has not: {sorted(unknown)}."
        raise ValueError(message)
    findings = (float(label in present) for label in FINDING_OF_LABEL)
    return (*findings, float(NO_FINDING not in present))
