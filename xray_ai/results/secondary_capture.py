"""Secondary Capture: the heatmap burnt into a picture, for viewers that can do no better."""

import hashlib
import re

from highdicom import PhotometricInterpretationValues
from highdicom.sc import ConversionTypeValues, SCImage
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from xray_ai import __version__
from xray_ai.domain.finding import Score
from xray_ai.domain.uid import SOPClassUID
from xray_ai.imaging.attributes import values_of, word_of
from xray_ai.imaging.codecs import ALWAYS_LOSSY
from xray_ai.results.capture_frame import Frame, Loss, frame_of
from xray_ai.results.heatmap_image import WARNING, HeatmapCaption, Picture, heatmap_picture
from xray_ai.results.identity import carry_identity
from xray_ai.results.measurement_report import MANUFACTURER
from xray_ai.results.plain_text import plain
from xray_ai.results.reading_time import stamp_reading_time
from xray_ai.results.result_uids import series_instance_uid, sop_instance_uid
from xray_ai.results.study_result import ReadImage, StudyResult

SOP_CLASS_UID = SOPClassUID(SecondaryCaptureImageStorage)
SERIES_DESCRIPTION = f"XRAY_AI heatmap - {WARNING}"
CLASS_ACTIVATION = CodedConcept("130402", "DCM", "Class activation")  # CID 217 Visual Explanation
LOSSY_COMPRESSION = CodedConcept("113040", "DCM", "Lossy Compression")  # CID 7203 Image Derivation
PROCESSED_FROM = CodedConcept("121322", "DCM", "Source image for image processing operation")  # CID 7202
ORIENTATION = re.compile(r"[APRLHF]{1,3}\\[APRLHF]{1,3}")  # of rows and of columns, PS3.3 C.7.6.1.1.1
LOSS = re.compile(r"[0-9.]{1,16}\\[A-Z0-9_]{1,16}")  # ratio and method
# What is repeated of the source beside its identity, and so decides the content.
REPEATED = ("BurnedInAnnotation", *(f"LossyImageCompression{what}" for what in ("", "Ratio", "Method")))


def secondary_capture(study: StudyResult, image: ReadImage) -> Dataset | None:
    """Draw one radiograph's heatmap into a DICOM image; None where there is, or may be, no heatmap to show."""
    score = _shown(image)
    if not study.options.localisation or score is None or image.display is None or image.source_shape is None:
        return None
    others = tuple(other for other in image.decision.because if other is not score)
    caption = HeatmapCaption(score, study.model, others, image.decision.priority)
    heatmap = image.reading.heatmap_of(score.finding.key)
    picture = heatmap_picture(image.display, heatmap, caption, image.source_shape)
    frame = frame_of(picture, study.options.sc_form)
    capture = _captured(study, image, picture, frame)
    carry_identity(image.source, capture)
    _stamp(capture, image, study)
    _describe(capture, image, score)
    _say_what_was_lost(capture, image.source, frame)
    _put(capture, frame)
    return capture


def _shown(image: ReadImage) -> Score | None:
    """The most urgent flagged finding whose heatmap shows anything."""
    flagged = image.decision.because
    return next((one for one in flagged if image.reading.heatmap_of(one.finding.key).values.any()), None)


def _captured(study: StudyResult, image: ReadImage, picture: Picture, frame: Frame) -> SCImage:
    """Let highdicom make and check the object with its pixels uncompressed; `_put` stores them as they should be."""
    headers = [one.header for one in study.read] + [one.header for one in study.unread]
    place = sorted(header.sop_instance_uid for header in headers).index(image.header.sop_instance_uid)
    repeated = [[str(value) for value in values_of(image.source, keyword)] for keyword in REPEATED]
    content = (image.header.sop_instance_uid, hashlib.sha256(frame.pixels).hexdigest(), repr(repeated))
    return SCImage(
        pixel_array=picture,
        photometric_interpretation=PhotometricInterpretationValues.RGB,
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "F"),  # highdicom wants one; `_describe` puts the source's own
        study_instance_uid=image.header.study_instance_uid,
        series_instance_uid=series_instance_uid(sop_instance_uid(study, SOP_CLASS_UID)),
        series_number=study.options.sc_series_number,
        series_description=SERIES_DESCRIPTION,
        sop_instance_uid=sop_instance_uid(study, SOP_CLASS_UID, *content),
        instance_number=place + 1,  # among all images of the study, whichever came first
        manufacturer=MANUFACTURER,
        manufacturer_model_name=plain(study.model.name, 64),
        software_versions=(plain(f"xray_ai {__version__}", 64), plain(f"model {study.model.version}", 64)),
        device_serial_number=plain(study.model.digest, 64),
        transfer_syntax_uid=ExplicitVRLittleEndian,
    )


def _stamp(capture: SCImage, image: ReadImage, study: StudyResult) -> None:
    """Every date and time is that of the reading, so that the same reading gives the same bytes."""
    stamp_reading_time(capture, study.read_at, image.source)
    del capture.ContributingEquipmentSequence  # it says highdicom, and now
    capture.DateOfSecondaryCapture, capture.TimeOfSecondaryCapture = capture.ContentDate, capture.ContentTime


def _describe(capture: SCImage, image: ReadImage, score: Score) -> None:
    """Say what the picture is, what it was made from, and what it gives away (PS3.3 C.7.6.1, C.8.6, C.12.4)."""
    capture.ImageType = ["DERIVED", "SECONDARY"]
    capture.ConversionType = ConversionTypeValues.WSD.value
    finding = plain(score.finding.name)
    capture.DerivationDescription = f"Class activation map of {finding} over the radiograph, with words. {WARNING}"
    capture.DerivationCodeSequence = [CLASS_ACTIVATION]
    capture.SourceImageSequence = [_made_from(image)]
    capture.BodyPartExamined = "CHEST"  # it was read as one; and a chest is not one of a pair, so no Laterality (2C)
    capture.PatientOrientation = _orientation_of(image.source)
    # It means: enough is burnt in to identify the patient and the date. Our words never do; the radiograph's own may.
    capture.BurnedInAnnotation = "YES" if _may_name_the_patient(image) else "NO"
    capture.RecognizableVisualFeatures = "NO"  # a chest shows no face


def _made_from(image: ReadImage) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = image.header.sop_class_uid
    item.ReferencedSOPInstanceUID = image.header.sop_instance_uid
    item.PurposeOfReferenceCodeSequence = [PROCESSED_FROM]
    item.SpatialLocationsPreserved = "NO"  # it is reduced, and stands between words
    return item


def _orientation_of(source: Dataset) -> list[str]:
    """Patient Orientation as the source says it; empty where that is not sound, since a guess may swap the sides."""
    words = "\\".join(map(str, values_of(source, "PatientOrientation")))
    return words.split("\\") if ORIENTATION.fullmatch(words) else []


def _may_name_the_patient(image: ReadImage) -> bool:
    """Whether the radiograph says that a name is burnt into it, or is a film scan that does not deny it."""
    stated = word_of(image.source, "BurnedInAnnotation")
    return stated == "YES" or (stated != "NO" and image.header.sop_class_uid == SOP_CLASS_UID)


def _say_what_was_lost(capture: SCImage, source: Dataset, frame: Frame) -> None:
    """Lossy once is lossy for ever: the source's compressions come before ours (PS3.3 C.7.6.1.1.5)."""
    was_lossy = word_of(source, "LossyImageCompression") == "01" or _is_stored_lossy(source)
    losses = [*(_losses_of(source) if was_lossy else ()), *((frame.loss,) if frame.loss else ())]
    capture.LossyImageCompression = "01" if was_lossy or frame.loss else "00"
    if losses:
        capture.LossyImageCompressionRatio = [loss.ratio for loss in losses]
        capture.LossyImageCompressionMethod = [loss.method for loss in losses]
    if frame.loss:
        capture.DerivationCodeSequence.append(LOSSY_COMPRESSION)


def _is_stored_lossy(source: Dataset) -> bool:
    """Whether the pixels lay in a transfer syntax that always loses something, whatever the header says."""
    meta = getattr(source, "file_meta", None)
    return meta is not None and word_of(meta, "TransferSyntaxUID") in ALWAYS_LOSSY


def _losses_of(source: Dataset) -> tuple[Loss, ...]:
    """Each compression that the source has been through; none where it does not say so soundly."""
    ratios, methods = (values_of(source, f"LossyImageCompression{what}") for what in ("Ratio", "Method"))
    losses = tuple(Loss(str(ratio), str(method)) for ratio, method in zip(ratios, methods, strict=False))
    is_sound = len(ratios) == len(methods) and all(LOSS.fullmatch("\\".join(loss)) for loss in losses)
    return losses if is_sound else ()


def _put(capture: SCImage, frame: Frame) -> None:
    capture.file_meta.TransferSyntaxUID = frame.syntax
    capture.PhotometricInterpretation = frame.photometric.value
    stored = encapsulate([frame.pixels]) if frame.syntax.is_encapsulated else frame.pixels
    capture.add_new("PixelData", "OB", stored + b"\0" * (len(stored) % 2))
    capture["PixelData"].is_undefined_length = frame.syntax.is_encapsulated
