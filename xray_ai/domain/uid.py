"""Unique identifiers of DICOM objects (PS3.5 section 9)."""

from typing import NewType

SOPInstanceUID = NewType("SOPInstanceUID", str)
StudyInstanceUID = NewType("StudyInstanceUID", str)
SOPClassUID = NewType("SOPClassUID", str)
TransferSyntaxUID = NewType("TransferSyntaxUID", str)
