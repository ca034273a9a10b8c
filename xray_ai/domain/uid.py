"""Unique identifiers of DICOM objects (PS3.5 section 9)."""

import json
from typing import NewType
from uuid import UUID, uuid5

SOPInstanceUID = NewType("SOPInstanceUID", str)
StudyInstanceUID = NewType("StudyInstanceUID", str)
SOPClassUID = NewType("SOPClassUID", str)
TransferSyntaxUID = NewType("TransferSyntaxUID", str)

_NAMESPACE = UUID("6e0f4a3c-4a7f-5d0b-9d2e-3a1c5b8f7e60")


def derived_uid(*facts: str) -> str:
    """Make a UID of everything that decides an object's content, so that the same content has the same UID.

    Facts keep their order and their borders: ("ab", "c") and ("a", "bc") differ.
    Source: PS3.5 B.2 (UUID derived UIDs), RFC 9562 version 5.
    """
    return f"2.25.{uuid5(_NAMESPACE, json.dumps(facts, ensure_ascii=True)).int}"
