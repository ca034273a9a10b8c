"""Which images a scope pack learns from, is tuned on and is measured on, so that no two sides share a picture."""

import csv
import hashlib
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from xray_ai.imaging.grey_file import open_grey_file
from xray_ai.training.datasets.cohort import Split, develop_split

NIH = frozenset({"nih", "nih-128px"})
CHILDREN, COVID, BLOOD, PICTURES = "kermany", "covid-chestxray-dataset", "bccd", "pillow-tests"
CHESTS = NIH | {CHILDREN, COVID}

CHILDREN_HELD_OUT, CHILDREN_TUNED = 0.2, 0.1  # shares of patients
NOT_CHEST_HELD_OUT = 0.4  # share of groups
UPRIGHT = "upright frontal chest"
OTHER_VIEWS = frozenset({"lateral", "abdomen"})
MISTAKEN_FILE = Path(__file__).parent / "mistaken.toml"
THUMBNAIL_PX = 16
SAME_PICTURE = 0.9  # correlation of two thumbnails from which on they are taken for one picture


@dataclass(frozen=True, slots=True)
class ScopeImage:
    """One image of a public data set; TEST of any set but the NIH's is held out by a hash of its group."""

    path: Path
    source: str
    group: str  # patient, or what may be the same picture
    split: Split
    shows: str = UPRIGHT  # what a person saw, where it is not what the set says

    @property
    def is_listed_as_chest(self) -> bool:
        return self.source in CHESTS

    @property
    def is_chest(self) -> bool:
        """Whether it shows an upright frontal chest."""
        return self.is_listed_as_chest and self.shows == UPRIGHT

    @property
    def is_other(self) -> bool:
        """Whether it shows no frontal chest in any attitude."""
        return not self.is_listed_as_chest or self.shows in OTHER_VIEWS

    @property
    def kind(self) -> str:
        return self.source if self.shows == UPRIGHT else self.shows


def read_sources(folder: Path) -> tuple[ScopeImage, ...]:
    """Read `folder`/manifest.csv: chests split by patient, other pictures by groups of one look."""
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as manifest:
        rows = list(csv.DictReader(manifest))
    pictures = [row for row in rows if row["dataset"] == PICTURES]
    mistaken = mistaken_images()
    looks = dict(zip((row["path"] for row in pictures), _looks(folder, pictures), strict=True))
    images = (_image(folder, row, looks.get(row["path"], "")) for row in rows)
    return tuple(replace(image, shows=mistaken.get(image.path.name, UPRIGHT)) for image in images)


def mistaken_images() -> dict[str, str]:
    """File name -> what the image shows, for those whose set is wrong about it."""
    listed = TypeAdapter(dict[str, tuple[str, ...]]).validate_python(tomllib.loads(MISTAKEN_FILE.read_text("utf-8")))
    return {name: shown for shown, names in listed.items() for name in names}


def digest_of(images: Sequence[ScopeImage]) -> str:
    """SHA-256 over names, groups and splits, so that a pack can say what it was trained on."""
    lines = sorted(f"{image.source}/{image.path.name}|{image.group}|{image.split}|{image.shows}" for image in images)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _image(folder: Path, row: dict[str, str], look: str) -> ScopeImage:
    source = row["dataset"]
    group = row["patient_id"] or look or row["path"]
    return ScopeImage(folder / row["path"], source, group, _split(source, group, is_test=row["split"] == "test"))


def _split(source: str, group: str, *, is_test: bool) -> Split:
    if source in NIH:
        return Split.TEST if is_test else develop_split(group)
    if source == COVID:
        return Split.TEST
    place = int(hashlib.sha256(f"scope:{group}".encode()).hexdigest()[:8], 16) / 2**32
    if source == CHILDREN:
        tuned = CHILDREN_HELD_OUT + CHILDREN_TUNED
        return Split.TEST if place < CHILDREN_HELD_OUT else Split.TUNE if place < tuned else Split.TRAIN
    return Split.TEST if place < NOT_CHEST_HELD_OUT else Split.TRAIN


def _looks(folder: Path, pictures: Sequence[dict[str, str]]) -> list[str]:
    """Give pictures of one name's first word, or alike at thumbnail size, the same group."""
    if not pictures:
        return []
    thumbnails = np.stack([_thumbnail(folder / row["path"]) for row in pictures])
    alike = np.abs(thumbnails @ thumbnails.T) >= SAME_PICTURE  # a negative is the same picture
    words = np.array([_first_word(row["path"]) for row in pictures])
    joined = alike | (words[:, None] == words[None, :])
    groups = np.arange(len(pictures))
    while True:
        lowest = np.where(joined, groups[None, :], len(pictures)).min(axis=1)
        if (lowest == groups).all():
            return [pictures[group]["path"] for group in groups.tolist()]
        groups = lowest


def _thumbnail(path: Path) -> NDArray[np.float32]:
    """A picture as a unit vector without its mean: (256,) float32; zeros where it is of one grey."""
    small = cv2.resize(open_grey_file(path).values, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=cv2.INTER_AREA)
    vector = np.asarray(small, np.float32).ravel()
    vector -= vector.mean()
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6), np.float32)


def _first_word(path: str) -> str:
    return re.split(r"[^a-z]+", Path(path).stem.lower().removeprefix("tests_images_"))[0] or path
