"""What the finished pack is tried on: images as stored values, and what ought to become of each."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from xray_ai.domain.scope import ScopeQuestion
from xray_ai.imaging.grayscale import PLAIN, GrayscaleTransform
from xray_ai.imaging.grey_file import open_grey_file
from xray_ai.imaging.stored_image import StoredImage
from xray_ai.training.datasets.cohort import Split
from xray_ai.training.scope.dicom_files import ct_views, dicom_frames
from xray_ai.training.scope.lesson import SPOILED, Spoil
from xray_ai.training.scope.sources import CHILDREN, COVID, NIH, UPRIGHT, ScopeImage, read_sources

Grey = NDArray[np.uint8]
Change = Callable[[Grey, np.random.Generator], Grey]

SEED = 1  # of noise, and of what is spoiled on purpose
REFUSED, TURNED, INVERTED = "refused", "turned", "looks_inverted"


@dataclass(frozen=True, slots=True)
class Trial:
    """One image of a group, and the outcomes that are counted for it: whether each is the right one."""

    group: str
    stored: StoredImage
    transform: GrayscaleTransform
    counted: Mapping[str, bool]  # refused, a reason, or the key of a quality -> is it wanted


def _turned(grey: Grey, _: np.random.Generator, quarters: int) -> Grey:
    return np.ascontiguousarray(np.rot90(grey, -quarters))


def _negative(grey: Grey, _: np.random.Generator, gamma: float) -> Grey:
    return np.asarray(np.round(255 * (1 - grey / 255.0) ** gamma), np.uint8)


def _brightened(grey: Grey, _: np.random.Generator, gamma: float) -> Grey:
    return np.asarray(np.round(255 * (grey / 255.0) ** gamma), np.uint8)


def _windowed(grey: Grey, _: np.random.Generator) -> Grey:
    low, high = np.percentile(grey, (5, 95))
    return np.asarray(np.round(np.clip((grey - low) / max(high - low, 1.0), 0, 1) * 255), np.uint8)


def _compressed(grey: Grey, _: np.random.Generator) -> Grey:
    coded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)


def _noisy(grey: Grey, draw: np.random.Generator) -> Grey:
    return np.clip(np.round(grey + draw.normal(0, 8, grey.shape)), 0, 255).astype(np.uint8)


def _blurred(grey: Grey, _: np.random.Generator) -> Grey:
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), max(grey.shape) / 250), np.uint8)


def _tilted(grey: Grey, draw: np.random.Generator) -> Grey:
    rows, columns = grey.shape
    turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), float(draw.choice([-10.0, 10.0])), 1.0)
    return np.asarray(cv2.warpAffine(grey, turn, (columns, rows)), np.uint8)


def _spoiled(grey: Grey, draw: np.random.Generator, spoil: Spoil) -> Grey:
    seed = torch.Generator().manual_seed(int(draw.integers(2**31)))
    images = torch.from_numpy(grey.astype(np.float32) / 255)[None, None]
    return np.asarray(np.round(spoil(images, seed)[0, 0].numpy() * 255), np.uint8)


UNHARMED: Mapping[str, Change] = MappingProxyType(
    {
        "gamma 0.6": partial(_brightened, gamma=0.6),
        "gamma 1.7": partial(_brightened, gamma=1.7),
        "window clipping 5 % at either end": _windowed,
        "JPEG quality 30": _compressed,
        "noise of 3 %": _noisy,
        "slight blur": _blurred,
        "tilted by 10 degrees": _tilted,
    }
)
TURNS: Mapping[str, Change] = MappingProxyType(
    {f"turned by {90 * quarters} degrees": partial(_turned, quarters=quarters) for quarters in (1, 2, 3)}
)
NEGATIVES: Mapping[str, Change] = MappingProxyType(
    {f"negative, gamma {gamma}": partial(_negative, gamma=gamma) for gamma in (0.6, 1.0, 1.7)}
)
SPOILS: Mapping[ScopeQuestion, Change] = MappingProxyType(
    {question: partial(_spoiled, spoil=spoil) for question, spoil in SPOILED.items()}
)
FALSE = MappingProxyType({REFUSED: False, **{question.value: False for question in SPOILED}})


def all_trials(data: Path, split: Split, ct: Path | None) -> Iterator[Trial]:
    """Everything at hand, with the NIH's chests of one split; `ct` holds the axial slices of one chest CT."""
    yield from held_out_trials(read_sources(data), split)
    yield from dicom_trials(data)
    if ct is not None:
        yield from ct_trials(ct)


def chest_trials(images: Iterable[ScopeImage], group: str, seed: int) -> Iterator[Trial]:
    """Chests as they are, changed without harm, turned, inverted and spoiled on purpose."""
    draw = np.random.default_rng(seed)
    for image in images:
        stored = open_grey_file(image.path)
        yield Trial(group, stored, PLAIN, FALSE)
        for name, change in UNHARMED.items():
            yield Trial(f"{group}, {name}", _changed(stored, change, draw), PLAIN, {REFUSED: False})
        for name, change in TURNS.items():
            yield Trial(f"{group}, {name}", _changed(stored, change, draw), PLAIN, {REFUSED: True, TURNED: True})
        for name, change in NEGATIVES.items():
            yield Trial(f"{group}, {name}", _changed(stored, change, draw), PLAIN, {REFUSED: True, INVERTED: True})
        for question, change in SPOILS.items():
            yield Trial(
                f"{group}, {question} on purpose", _changed(stored, change, draw), PLAIN, {question.value: True}
            )


def plain_trials(images: Iterable[ScopeImage], group: str) -> Iterator[Trial]:
    """Images of files as they are: chests are not to be refused, all else is."""
    for image in images:
        counted = FALSE if image.is_chest else {REFUSED: True}
        yield Trial(group, open_grey_file(image.path), PLAIN, counted)


def mistaken_trials(images: Iterable[ScopeImage]) -> Iterator[Trial]:
    """Images that their set lists as upright frontal chests, and that show something else."""
    for image in images:
        reasons = {"turned": TURNED, "inverted": INVERTED}
        reason = reasons.get(image.shows.split("_")[0])
        counted = {REFUSED: True} | ({reason: True} if reason else {})
        yield Trial(f"listed as frontal, shows: {image.shows}", open_grey_file(image.path), PLAIN, counted)


def dicom_trials(folder: Path) -> Iterator[Trial]:
    """Every DICOM image at hand, by its pixels alone."""
    for frame in dicom_frames(folder):
        if frame.is_chest:
            yield Trial("RG1, SIIM and NIH chests as DICOM", frame.stored, frame.transform, FALSE)
        elif frame.is_negative_chest:
            counted = {REFUSED: True, INVERTED: True}
            yield Trial("a chest wrongly tagged MONOCHROME1", frame.stored, frame.transform, counted)
        elif frame.is_other_radiograph:
            group = f"radiograph of no frontal chest: {frame.name}"
            yield Trial(group, frame.stored, frame.transform, {REFUSED: True})
        else:
            group = f"{frame.modality or 'other'} images of pydicom and pydicom-data"
            yield Trial(group, frame.stored, frame.transform, {REFUSED: True})


def ct_trials(folder: Path) -> Iterator[Trial]:
    """Slices and computed radiographs of one chest CT."""
    for view, stored in ct_views(folder):
        yield Trial(f"chest CT, {view}", stored, PLAIN, {REFUSED: view != "frontal"})


def held_out_trials(sources: Iterable[ScopeImage], split: Split, seed: int = SEED) -> Iterator[Trial]:
    """The NIH's chests of a split in every form; children, COVID-19 and other pictures that were held out."""
    images = list(sources)
    for source in sorted(NIH):
        chosen = [
            image for image in images if image.source == source and image.split is split and image.shows == UPRIGHT
        ]
        yield from chest_trials(chosen, f"{source} {split}", seed)
    yield from mistaken_trials(image for image in images if image.split is Split.TUNE and image.shows != UPRIGHT)
    kept = [image for image in images if image.split is Split.TEST]
    yield from plain_trials((image for image in kept if image.source == CHILDREN), "kermany held out")
    yield from plain_trials((image for image in kept if image.source == COVID), "covid")
    yield from plain_trials((image for image in kept if not image.is_listed_as_chest), "not_chest held out")
    yield from plain_trials((image for image in images if not image.is_listed_as_chest), "not_chest, all")


def _changed(stored: StoredImage, change: Change, draw: np.random.Generator) -> StoredImage:
    grey = change(np.asarray(stored.values, np.uint8), draw)
    return replace(stored, values=grey, rows=grey.shape[0], columns=grey.shape[1])
