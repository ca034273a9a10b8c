"""A cohort as tensors, made by the same `prepare` that serves radiographs."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset
from tqdm import tqdm

from xray_ai.imaging import preprocess
from xray_ai.imaging.grayscale import PLAIN
from xray_ai.imaging.grey_file import open_grey_file
from xray_ai.imaging.preprocess import PreparedImage, Recipe, prepare
from xray_ai.training.datasets.cohort import CohortImage


def prepared(path: Path, recipe: Recipe) -> PreparedImage:
    return prepare(open_grey_file(path), PLAIN, recipe)


def prepared_greys(images: Sequence[CohortImage], recipe: Recipe, cache: Path) -> NDArray[np.uint8]:
    """Prepare all images once and keep the result as (images, rows, columns) uint8 in `cache`."""
    content = repr((recipe, [str(image.path) for image in images])).encode() + Path(preprocess.__file__).read_bytes()
    key = hashlib.sha256(content).hexdigest()[:16]
    file = cache / f"greys-{key}.npy"
    if not file.exists():
        cache.mkdir(parents=True, exist_ok=True)
        greys = np.stack(
            [
                np.round(prepared(image.path, recipe).grey * 255).astype(np.uint8)
                for image in tqdm(images, "prepare", unit="image", leave=False, disable=None)
            ]
        )
        unfinished = file.with_suffix(".unfinished.npy")
        np.save(unfinished, greys)
        unfinished.rename(file)
    return np.asarray(np.load(file, mmap_mode="r"))


class CohortDataset(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """(image, labels): image (1, side, side) float32, 0.0 to 1.0, labels (K,) with NaN unknown."""

    def __init__(self, images: Sequence[CohortImage], recipe: Recipe, side: int, cache: Path) -> None:
        self._greys = prepared_greys(images, replace(recipe, rows=side, columns=side, polarity=None), cache)
        self._labels = torch.tensor([image.labels for image in images], dtype=torch.float32)

    def __len__(self) -> int:
        return len(self._greys)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.from_numpy(self._greys[index].copy())[None].float() / 255, self._labels[index]


def normalised(images: torch.Tensor, recipe: Recipe) -> torch.Tensor:
    """What the network takes: 0.0 to 1.0 -> centred and scaled as the recipe says."""
    return (images - recipe.mean) / recipe.standard_deviation
