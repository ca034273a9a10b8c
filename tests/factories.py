"""Synthetic objects for tests, one line each to use: a test names what matters to it and nothing else."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import data_store
import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import RLELosslessEncoder

from xray_ai.acceptance import CR_STORAGE, DX_FOR_PRESENTATION, Acceptance
from xray_ai.domain.radiograph import RadiographHeader, ViewPosition
from xray_ai.domain.uid import SOPClassUID, SOPInstanceUID, StudyInstanceUID
from xray_ai.imaging.preprocess import CollimationRecipe, RangeRecipe, Recipe

Pixels = NDArray[np.integer[Any]]
RECIPE = Recipe(
    rows=64,
    columns=64,
    collimation=CollimationRecipe(flat_span=0.04, largest_share=0.2),
    grey_range=RangeRecipe(low_percentile=1.0, high_percentile=99.0, central_share=0.9),
    smoothing_px=0.0,
    mean=0.5,
    standard_deviation=0.25,
    polarity=None,
)
MARKED_NAME = "Zzyzx^Quimby"  # a patient's name that must not appear in any output

NATIVE = (
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.DeflatedExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
)
LOSSLESS = (
    uid.RLELossless,
    uid.JPEGLossless,
    uid.JPEGLosslessSV1,
    uid.JPEGLSLossless,
    uid.JPEG2000Lossless,
    uid.HTJ2KLossless,
    uid.HTJ2KLosslessRPCL,
)
LOSSY = (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLSNearLossless, uid.JPEG2000, uid.HTJ2K)


def some_pixels(rows: int = 203, columns: int = 301, *, bits: int = 12, signed: bool = False) -> Pixels:
    """Something with the look of a chest: two dark lungs between bright bones, and noise over the whole range."""
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    lungs = np.exp(-(((np.abs(x) - 0.45) / 0.3) ** 2) - (y / 0.6) ** 2)
    noise = np.random.default_rng(0).normal(0, 0.005, (rows, columns))
    share = np.clip(0.95 - 0.85 * lungs + 0.04 * np.sin(25 * y) + noise, 0, 1)
    values = np.rint(share * (2**bits - 1)).astype(np.int32) - (2 ** (bits - 1) if signed else 0)
    return np.asarray(values, f"{'i' if signed else 'u'}{1 if bits == 8 else 2}")


def a_dataset(
    pixels: Pixels | None = None,
    *,
    photometric: str = "MONOCHROME2",
    bits_stored: int = 12,
    signed: bool = False,
    syntax: uid.UID = uid.ExplicitVRLittleEndian,
    **attributes: Any,  # noqa: ANN401 - any attribute's value
) -> Dataset:
    """Make a whole DX image of a frontal chest; further attributes by keyword, None takes one away."""
    image = some_pixels(bits=bits_stored, signed=signed) if pixels is None else pixels
    dataset = _a_header()
    dataset.PhotometricInterpretation = photometric
    dataset.Rows, dataset.Columns = image.shape
    dataset.BitsAllocated = 8 * image.dtype.itemsize
    dataset.BitsStored, dataset.HighBit = bits_stored, bits_stored - 1
    dataset.PixelRepresentation = int(signed)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    content = _native(image, syntax) if syntax in NATIVE else encapsulate([encode(image, syntax, bits_stored)])
    dataset.add_new("PixelData", "OW" if syntax in NATIVE else "OB", content)
    dataset["PixelData"].is_undefined_length = syntax not in NATIVE
    for keyword, value in attributes.items():
        if value is None:
            del dataset[keyword]
        else:
            setattr(dataset, keyword, value)
    return dataset


def a_demo_file(name: str) -> Path:
    """Find a real radiograph of PyPI's pydicom-data: RG1_* is a chest CR, RG3_* a tibia."""
    return Path(str(data_store.__file__)).parent / "data" / f"{name}.dcm"


def as_part10(dataset: Dataset) -> bytes:
    """Write it as a DICOM file."""
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def encode(pixels: Pixels, syntax: uid.UID, bits_stored: int) -> bytes:
    """Compress one frame by the codec that the transfer syntax wants."""
    unsigned = pixels.view(f"u{pixels.dtype.itemsize}") & (2**bits_stored - 1)
    if syntax == uid.RLELossless:
        return _encode_rle(pixels)
    if syntax in {uid.JPEGLossless, uid.JPEGLosslessSV1}:
        predictor = 1 if syntax == uid.JPEGLosslessSV1 else 4
        return bytes(imagecodecs.jpeg8_encode(unsigned, lossless=True, predictor=predictor, bitspersample=bits_stored))
    if syntax in {uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit}:
        return bytes(imagecodecs.jpeg8_encode(unsigned, level=95, bitspersample=8 if bits_stored == 8 else 12))
    if syntax in {uid.JPEGLSLossless, uid.JPEGLSNearLossless}:
        return bytes(imagecodecs.jpegls_encode(unsigned, level=2 if syntax == uid.JPEGLSNearLossless else 0))
    if syntax in {uid.JPEG2000, uid.JPEG2000Lossless}:
        level = 60 if syntax == uid.JPEG2000 else None
        reversible = syntax != uid.JPEG2000
        return bytes(
            imagecodecs.jpeg2k_encode(
                pixels, level=level, codecformat="J2K", bitspersample=bits_stored, reversible=reversible
            )
        )
    is_lossy = syntax == uid.HTJ2K
    return bytes(imagecodecs.htj2k_encode(pixels, level=0.0005 if is_lossy else None, reversible=not is_lossy))


def a_radiograph_header(**changes: Any) -> RadiographHeader:  # noqa: ANN401 - any field of the header
    """A PA chest radiograph of an adult, as its header describes it."""
    header = RadiographHeader(
        sop_instance_uid=SOPInstanceUID("1.2.826.0.1.3680043.10.1"),
        study_instance_uid=StudyInstanceUID("1.2.826.0.1.3680043.10.2"),
        sop_class_uid=SOPClassUID(DX_FOR_PRESENTATION),
        modality="DX",
        body_part_examined="CHEST",
        view_position=ViewPosition.PA,
        patient_age_years=60.0,
        presentation_intent="FOR PRESENTATION",
    )
    return replace(header, **changes)


def an_acceptance(**changes: Any) -> Acceptance:  # noqa: ANN401 - any field of the acceptance
    """What a model for adults' frontal chest radiographs may judge."""
    acceptance = Acceptance(
        sop_class_uids=frozenset({CR_STORAGE, DX_FOR_PRESENTATION}),
        secondary_capture=False,
        modalities=frozenset({"CR", "DX", "RG"}),
        body_parts=frozenset({"CHEST", "THORAX", "LUNG"}),
        view_positions=frozenset({ViewPosition.PA, ViewPosition.AP}),
        youngest_age_years=16.0,
        oldest_age_years=None,
    )
    return replace(acceptance, **changes)


def _a_header() -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID = DX_FOR_PRESENTATION
    dataset.SOPInstanceUID = "1.2.826.0.1.3680043.10.1"
    dataset.StudyInstanceUID = "1.2.826.0.1.3680043.10.2"
    dataset.SeriesInstanceUID = "1.2.826.0.1.3680043.10.3"
    dataset.Modality = "DX"
    dataset.PatientName = MARKED_NAME
    dataset.PatientID = "XRAY-0001"
    dataset.PatientBirthDate = "19600704"
    dataset.StudyDate = "20200704"
    dataset.BodyPartExamined = "CHEST"
    dataset.ViewPosition = "PA"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.SamplesPerPixel = 1
    return dataset


def _native(pixels: Pixels, syntax: uid.UID) -> bytes:
    """Lay pixels out as OW: little-endian or big-endian words of 16 bits, also for two pixels of 8 bits."""
    content = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    padded = np.frombuffer(content + b"\0" * (len(content) % 2), "<u2")
    return padded.astype(">u2" if syntax == uid.ExplicitVRBigEndian else "<u2").tobytes()


def _encode_rle(pixels: Pixels) -> bytes:
    rows, columns = pixels.shape
    return RLELosslessEncoder.encode(
        pixels.astype(pixels.dtype.newbyteorder("<")).tobytes(),
        rows=rows,
        columns=columns,
        samples_per_pixel=1,
        bits_allocated=8 * pixels.dtype.itemsize,
        bits_stored=8 * pixels.dtype.itemsize,
        pixel_representation=0,
        number_of_frames=1,
        photometric_interpretation="MONOCHROME2",
        encoding_plugin="pydicom",
    )
