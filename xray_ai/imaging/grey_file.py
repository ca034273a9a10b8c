"""8-bit images outside DICOM: public data sets and golden images come as JPEG or PNG."""

from pathlib import Path

import cv2
import numpy as np

from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.stored_image import StoredImage

LOSSY_SUFFIXES = frozenset({".jpg", ".jpeg"})


def open_grey_file(path: Path) -> StoredImage:
    """Open an image file as stored values, colours averaged to grey. Raises StudyRejected FILE_UNREADABLE."""
    read = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if read is None:
        found = "The file is no image that OpenCV can read."
        raise StudyRejected(RejectionCode.FILE_UNREADABLE, found, remedy="Give a JPEG or PNG file.")
    values = np.asarray(read, np.uint8)
    rows, columns = values.shape
    return StoredImage(values, rows, columns, reduction=0, lossy=path.suffix.lower() in LOSSY_SUFFIXES)
