"""One DX of 15 MB, made from a real chest radiograph, in each transfer syntax that a PACS sends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread, uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate

FULL_SIZE = (3000, 2500)
CHEST = Path(str(files("data_store"))) / "data" / "RG1_UNCR.dcm"

DARKEST, SPAN, WHITEST = 200, 3400, 4095  # 12 bits
TEXTURE_SIDES_PX = (4, 8, 16, 32)  # trabeculae to small vessels
# Such that JPEG 2000 lossless compresses 2.5 : 1, as it does with what detectors send.
TEXTURE_SD, NOISE_SD, NOISE_SD_AT = 14.0, 8.0, 2000.0
LOSSY_RATIO = 10
QUALITY = 90

Words = NDArray[np.unsignedinteger[Any]]
Shares = NDArray[np.floating[Any]]  # 0.0 black to 1.0 white
Encoder = Callable[[Words], bytes]


def _jpeg(words: Words) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(words, level=QUALITY, bitspersample=12 if words.itemsize > 1 else 8))


def _jpeg_lossless(words: Words) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(words, lossless=True, predictor=1, bitspersample=12))


def _jpegls(words: Words) -> bytes:
    return bytes(imagecodecs.jpegls_encode(words))


def _htj2k(words: Words) -> bytes:
    return bytes(imagecodecs.htj2k_encode(words, reversible=True))


@dataclass(frozen=True, slots=True)
class Form:
    """One way in which the same radiograph is stored."""

    name: str
    syntax: uid.UID
    encode: Encoder | None = None  # None: pydicom's own `compress`
    bits: int = 12


WAVELETS = (  # decoded only as far as the network needs
    Form("JPEG 2000 lossless", uid.JPEG2000Lossless),
    Form("JPEG 2000 10:1", uid.JPEG2000),
    Form("HTJ2K lossless", uid.HTJ2KLossless, _htj2k),
)
FORMS = (
    Form("uncompressed", uid.ExplicitVRLittleEndian),
    Form("RLE", uid.RLELossless),
    Form("JPEG lossless SV1", uid.JPEGLosslessSV1, _jpeg_lossless),
    Form("JPEG-LS", uid.JPEGLSLossless, _jpegls),
    *WAVELETS,
    Form("JPEG extended, 12 bit", uid.JPEGExtended12Bit, _jpeg),
    Form("JPEG baseline, 8 bit", uid.JPEGBaseline8Bit, _jpeg, bits=8),
)


def real_chest() -> Shares:
    """The chest radiograph of pydicom-data, 0.0 black to 1.0 white."""
    stored = dcmread(CHEST).pixel_array.astype(np.float32)  # MONOCHROME1
    black, white = np.percentile(stored, (99.9, 0.1))
    return np.asarray(np.clip((stored - black) / (white - black), 0, 1), np.float32)


def as_detected(shares: Shares, rows: int, columns: int, seed: int = 1) -> Words:
    """Enlarge a radiograph, and give it back the fine texture and the quantum noise of a detector.

    Shape:  (rows, columns) uint16.
    Units:  12 bits, white bones; noise grows with the square root of the signal.
    """
    enlarged = cv2.resize(shares.astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC)
    signal = DARKEST + SPAN * np.clip(enlarged, 0, 1)
    random = np.random.default_rng(seed)
    noise = random.standard_normal((rows, columns), np.float32) * NOISE_SD * np.sqrt(signal / NOISE_SD_AT)
    values = signal + TEXTURE_SD * _texture(rows, columns, random) + noise
    return np.asarray(np.clip(np.rint(values), 0, WHITEST), np.uint16)


def write_forms(folder: Path, words: Words, forms: Sequence[Form] = FORMS) -> dict[str, Path]:
    """Write the radiograph in each of these forms; the files, by their names."""
    paths = {form.name: folder / f"{number}.dcm" for number, form in enumerate(forms)}
    for form in forms:
        _in_form(words, form).save_as(paths[form.name], enforce_file_format=True)
    return paths


def _in_form(words: Words, form: Form) -> Dataset:
    stored = words if form.bits > 8 else (words >> 4).astype(np.uint8)  # noqa: PLR2004 - bits of a byte
    dataset = _uncompressed(stored, form.bits)
    if form.encode is not None:
        dataset.PixelData = encapsulate([form.encode(stored)])
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = form.syntax
    elif form.syntax == uid.JPEG2000:
        dataset.compress(form.syntax, generate_instance_uid=False, j2k_cr=[LOSSY_RATIO])
    elif form.syntax.is_compressed:
        dataset.compress(form.syntax, generate_instance_uid=False)
    return dataset


def _uncompressed(words: Words, bits: int) -> Dataset:
    """A DX with the header of the real radiograph."""
    dataset = dcmread(CHEST, stop_before_pixels=True)
    dataset.SOPClassUID = uid.DigitalXRayImageStorageForPresentation
    dataset.Modality = "DX"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.WindowCenter, dataset.WindowWidth = 2 ** (bits - 1), 2**bits
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.Rows, dataset.Columns = words.shape
    dataset.BitsAllocated = 8 * words.itemsize
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    dataset.add_new("PixelData", "OW", words.tobytes())
    return dataset


def _texture(rows: int, columns: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Smooth random structure of several sizes, the larger the stronger; standard deviation 1."""
    texture = np.zeros((rows, columns), np.float32)
    for side in TEXTURE_SIDES_PX:
        coarse = random.standard_normal((-(-rows // side), -(-columns // side)), np.float32)
        texture += np.sqrt(side) * cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return np.asarray(texture / texture.std(), np.float32)
