"""Tiny cohorts of drawn chests, a network that learns from them in seconds, and the run that says how."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn

from xray_ai.training.datasets.cohort import Cohort, CohortImage, Split
from xray_ai.training.networks import NETWORKS, ActivationMapNetwork
from xray_ai.training.phantom import Phantom, chest_phantom
from xray_ai.training.run import TrainingRun

SIDE_PX = 64
KEYS = ("mass", "abnormality")
MOST_MASSES = 6


def a_cohort_image(patient: str = "p1", split: Split = Split.TRAIN, **changes: Any) -> CohortImage:  # noqa: ANN401
    """One labelled image that need not be on disk."""
    fields: dict[str, Any] = {
        "path": Path(f"{patient}.png"),
        "source": "nih",
        "source_copy": "drawn",
        "patient_id": patient,
        "view": "PA",
        "age": "50",
        "sex": "F",
        "labels": (0.0, 0.0),
        "split": split,
    }
    return CohortImage(**fields | changes)


def a_cohort(folder: Path, train: int = 16, tune: int = 8, test: int = 0) -> Cohort:
    """Drawn chests, every second one full of masses; the test patients' files are not there to be opened."""
    splits = [Split.TRAIN] * train + [Split.TUNE] * tune + [Split.TEST] * test
    images = []
    for number, split in enumerate(splits):
        present = float(number % 2)
        file = folder / f"{number}.png"
        if split is not Split.TEST:
            draw(file, number, masses=int(present) * MOST_MASSES)
        images.append(a_cohort_image(f"p{number}", split, path=file, labels=(present, present)))
    return Cohort(KEYS, tuple(images))


def draw(file: Path, seed: int, masses: int = 0) -> Path:
    """Write a drawn chest, 96 px a side."""
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), np.asarray(cv2.resize(chest_phantom(Phantom(seed, masses)), (96, 96)), np.uint8))
    return file


def a_run(**changes: object) -> TrainingRun:
    """A run of the tiny network in two stages; further keys by name."""
    stage = {"side": 32, "epochs": 2, "sources": ["nih"], "learning_rate": 0.01, "batch_size": 4}
    tree: dict[str, object] = {
        "name": "tiny",
        "seed": 7,
        "network": "tiny",
        "dropout": 0.2,
        "weight_decay": 0.01,
        "ema_decay": 0.8,
        "bfloat16": False,
        "threads": 1,
        "recipe": {
            "rows": SIDE_PX,
            "columns": SIDE_PX,
            "collimation": {"flat_span": 0.04, "largest_share": 0.2},
            "grey_range": {"low_percentile": 1.0, "high_percentile": 99.0, "central_share": 0.9},
            "smoothing_px": 0.0,
            "mean": 0.5,
            "standard_deviation": 0.25,
        },
        "limits": ["It has seen drawn chests only."],
        "stages": [stage, stage | {"side": SIDE_PX, "learning_rate": 0.003}],
    }
    return TrainingRun.model_validate(tree | changes)


class TinyFeatures(nn.Module):
    """Two strided convolutions: [N,1,H,W] -> [N,8,H/16,W/16]."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 8, 5, stride=4, padding=2),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 8, 5, stride=4, padding=2),
            nn.ReLU(),
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.layers(image)
        return features


class UnpluggedFeatures(TinyFeatures):
    """The same, but the plug is pulled at one of its training batches."""

    def __init__(self, at_batch: int) -> None:
        super().__init__()
        self._batches_left = at_batch

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        if self.training:
            self._batches_left -= 1
            if self._batches_left < 0:
                raise KeyboardInterrupt
        return super().forward(image)


class TwoFacedFeatures(TinyFeatures):
    """The same, but exported as something else."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return super().forward(image) * (1.001 if torch.compiler.is_exporting() else 1.0)


def install(name: str, features: type[TinyFeatures], **arguments: int) -> None:
    """Make a network known by its name, as `xray_ai.training.networks` does."""
    NETWORKS[name] = lambda outputs, dropout: ActivationMapNetwork(features(**arguments), 8, outputs, dropout)
