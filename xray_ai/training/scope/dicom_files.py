"""DICOM images at hand that are judged by their pixels alone, whatever their header says."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pixel_array

from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.attributes import number_of, text_of
from xray_ai.imaging.codecs import NATIVE_SYNTAXES
from xray_ai.imaging.decode import decode
from xray_ai.imaging.grayscale import PLAIN, GrayscaleTransform, grayscale_of
from xray_ai.imaging.part10 import open_part10
from xray_ai.imaging.stored_image import StoredImage

CHEST_NAMES = ("rg1", "siim_cr_pa_jpeg", "nih_dx")
NEGATIVE_NAMES = ("siim_cr_pa_retagged",)  # a chest whose header inverts it
OTHER_RADIOGRAPH_NAMES = ("rg2", "rg3", "dog")
REFUSED_UNSEEN = frozenset({RejectionCode.COLOUR, RejectionCode.MULTI_FRAME, RejectionCode.IMAGE_SIZE})
SMALLEST_SIDE_PX = 32  # below it there is nothing to see
LEAST_SIDE = 224  # as the classifier beside it asks for
CT_MIDDLE, CT_WIDTH = 40.0, 400.0  # HU, a soft tissue window


@dataclass(frozen=True, slots=True)
class DicomFrame:
    """One grayscale frame and how its header would show it."""

    name: str  # lower case, without folder
    modality: str
    stored: StoredImage
    transform: GrayscaleTransform

    @property
    def is_chest(self) -> bool:
        return self.name.startswith(CHEST_NAMES)

    @property
    def is_negative_chest(self) -> bool:
        return self.name.startswith(NEGATIVE_NAMES)

    @property
    def is_other_radiograph(self) -> bool:
        return self.name.startswith(OTHER_RADIOGRAPH_NAMES)


def dicom_frames(folder: Path) -> Iterator[DicomFrame]:
    """Every frame of `folder`/dicom and of pydicom's and pydicom-data's test files that can be shown in grey.

    Colour and frames of cines, which the service refuses unseen, are shown as a screenshot of them would be.
    """
    packaged = (Path(str(files("pydicom"))) / "data" / "test_files", Path(str(files("data_store"))) / "data")
    for path in sorted(chain((folder / "dicom").glob("*.dcm"), *(root.rglob("*.dcm") for root in packaged))):
        try:
            yield from _frames(path.name.lower(), open_part10(path))
        except StudyRejected:
            continue


def _frames(name: str, dataset: Dataset) -> Iterator[DicomFrame]:
    modality = text_of(dataset, "Modality")
    try:
        yield DicomFrame(name, modality, decode(dataset, least_side=LEAST_SIDE), grayscale_of(dataset))
    except StudyRejected as rejection:
        shown = _screenshots(dataset) if rejection.code in REFUSED_UNSEEN else iter(())
        yield from (DicomFrame(name, modality, stored, PLAIN) for stored in shown)


def _screenshots(dataset: Dataset) -> Iterator[StoredImage]:
    """Frames of uncompressed objects that `decode` refuses: colours averaged, any number of frames or size."""
    syntax = str(getattr(dataset.file_meta, "TransferSyntaxUID", ""))
    side = min(number_of(dataset, "Rows") or 0, number_of(dataset, "Columns") or 0)
    if syntax not in NATIVE_SYNTAXES or "PixelData" not in dataset or side < SMALLEST_SIDE_PX:
        return
    if number_of(dataset, "BitsAllocated") not in {8, 16}:
        return
    values = np.asarray(pixel_array(dataset), np.float32)
    if number_of(dataset, "SamplesPerPixel") == 3:  # noqa: PLR2004 - colour
        values = values.mean(axis=-1)
    for frame in values.reshape(-1, *values.shape[-2:]):
        yield grey_image(frame)


def grey_image(values: NDArray[np.floating] | cv2.typing.MatLike) -> StoredImage:
    """Any values, spread over 8 bits."""
    low, high = float(values.min()), float(values.max())
    grey = np.round((values - low) / max(high - low, 1e-6) * 255).astype(np.uint8)
    return StoredImage(grey, grey.shape[0], grey.shape[1], reduction=0, lossy=False)


def ct_views(folder: Path) -> Iterator[tuple[str, StoredImage]]:
    """Slices and computed radiographs of one chest CT, of which its folder holds the axial slices.

    The radiographs are sums along parallel rays: no scatter, arms raised. They are named frontal, lateral or oblique.
    """
    slices = [open_part10(path) for path in folder.glob("*.dcm")]
    slices.sort(key=lambda dataset: -float(dataset.ImagePositionPatient[2]))
    units = np.stack([np.asarray(pixel_array(part), np.float32) + float(part.RescaleIntercept) for part in slices])
    units = np.maximum(units, -1024)
    spacing = float(slices[0].PixelSpacing[0])
    rows = round(len(units) * abs(float(slices[0].SliceThickness)) / spacing)
    shown = np.clip((units - CT_MIDDLE) / CT_WIDTH + 0.5, 0, 1)
    for part in shown[:: max(1, len(shown) // 40)]:
        yield "axial slice", grey_image(part)
    for place in np.linspace(0.25, 0.75, 12):
        middle = int(place * units.shape[1])
        yield "sagittal slice", grey_image(cv2.resize(shown[:, :, middle], (units.shape[1], rows)))
        yield "coronal slice", grey_image(cv2.resize(shown[:, middle, :], (units.shape[2], rows)))
    attenuation = np.asarray(np.clip(units / 1000 + 1, 0, 3), np.float32)
    for angle in range(0, 360, 15):
        thickness = cv2.resize(_projected(attenuation, angle) * spacing / 10, (units.shape[2], rows))
        yield _view_at(angle), grey_image(1 - np.exp(-0.08 * thickness))


def _projected(attenuation: NDArray[np.float32], angle: float) -> NDArray[np.float32]:
    """Sum along the rays that come from this side: (slices, rows, columns) -> (slices, columns)."""
    centre = (attenuation.shape[2] / 2, attenuation.shape[1] / 2)
    turn = cv2.getRotationMatrix2D(centre, angle, 1.0)
    turned = (cv2.warpAffine(part, turn, (attenuation.shape[2], attenuation.shape[1])) for part in attenuation)
    return np.stack([part.sum(axis=0) for part in turned])


def _view_at(angle: int) -> str:
    off = min(angle % 180, 180 - angle % 180)
    if off <= 15:  # noqa: PLR2004 - degrees
        return "frontal"
    return "lateral" if off >= 75 else "oblique"  # noqa: PLR2004 - degrees
