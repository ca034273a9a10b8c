"""Pixels for viewers: frames as stored, decoded, in another transfer syntax, or as a picture."""

from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels.utils import pixel_array
from pydicom.uid import ExplicitVRLittleEndian

from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.attributes import attempt, integer_of, text_of
from xray_ai.imaging.decode import decode
from xray_ai.imaging.grayscale import LinearExactWindow, LinearWindow, SigmoidWindow, grayscale_of
from xray_ai.imaging.part10 import open_part10

SEND_AGAIN = "Ask for it as stored (transfer-syntax=*)."
FUNCTIONS: dict[str, type[LinearWindow | LinearExactWindow | SigmoidWindow]] = {
    "linear": LinearWindow,
    "linear-exact": LinearExactWindow,
    "sigmoid": SigmoidWindow,
}


@dataclass(frozen=True, slots=True)
class View:
    """How a picture is asked for."""

    window: tuple[float, float, str] | None = None  # center, width, function
    viewport: tuple[int, int] | None = None  # at most so wide and high
    form: str = "JPEG"  # or PNG
    quality: int = 90


def decoded_of(path: Path) -> tuple[Dataset, NDArray[np.generic]]:
    """The whole object and its stored values. Raises StudyRejected."""
    dataset = open_part10(path)
    if integer_of(dataset, "SamplesPerPixel") != 1:
        whole = dcmread(path)
        colours = attempt(lambda: pixel_array(whole))
        if colours is None:
            raise StudyRejected(RejectionCode.PIXEL_DATA_CORRUPT, "It cannot be decoded.", remedy=SEND_AGAIN)
        return dataset, colours
    for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit"):  # stored values are wanted as they are
        if keyword in dataset:
            del dataset[keyword]
    width = (integer_of(dataset, "BitsAllocated") or 8) // 8
    return dataset, decode(dataset, least_side=None).values.astype(
        f"<{'i' if integer_of(dataset, 'PixelRepresentation') == 1 else 'u'}{width}", copy=False
    )


def stored_frame(path: Path) -> bytes:
    """The one frame as it is stored. Raises StudyRejected."""
    dataset = open_part10(path)
    content = attempt(lambda: dataset.PixelData)
    if not isinstance(content, bytes):
        raise StudyRejected(RejectionCode.NO_PIXEL_DATA, "The object has no pixel data.", remedy="Ask for an image.")
    if not dataset["PixelData"].is_undefined_length:
        return content
    frame = attempt(lambda: next(generate_frames(content, number_of_frames=1)))
    if frame is None:
        raise StudyRejected(RejectionCode.PIXEL_DATA_CORRUPT, "Its pixel data are damaged.", remedy=SEND_AGAIN)
    return frame


def explicit_little_endian(path: Path) -> bytes:
    """The object in Explicit VR Little Endian, its pixels decoded. Raises StudyRejected."""
    whole = dcmread(path)
    if "PixelData" in whole:
        _, values = decoded_of(path)
        content = values.tobytes()
        whole.PixelData = content + b"\0" * (len(content) % 2)
        whole["PixelData"].VR = "OW"
        whole["PixelData"].is_undefined_length = False
        if values.ndim == 3:  # noqa: PLR2004 - colours
            whole.PhotometricInterpretation, whole.PlanarConfiguration = "RGB", 0
    whole.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = BytesIO()
    whole.save_as(file, implicit_vr=False, little_endian=True, enforce_file_format=True)
    return file.getvalue()


def rendered(path: Path, view: View) -> bytes:
    """A picture, as a viewer without DICOM shows it. Raises StudyRejected."""
    dataset, values = decoded_of(path)
    if values.ndim == 2:  # noqa: PLR2004 - grey
        transform = grayscale_of(dataset)
        if view.window is not None:
            center, width, function = view.window
            transform = replace(transform, voi=FUNCTIONS[function](center, width))
        values = np.rint(transform.for_display(values) * 255).astype(np.uint8)
    picture = Image.fromarray(values)
    if view.viewport is not None:
        picture.thumbnail(view.viewport)
    file = BytesIO()
    picture.save(file, view.form, quality=view.quality)
    return file.getvalue()


def has_pixels(header: Dataset) -> bool:
    """Whether a header is an image's."""
    return bool(text_of(header, "Rows"))
