"""What stands before a dataset in a DICOM file (PS3.10 section 7): preamble, prefix and File Meta Information."""

from pydicom.tag import Tag

from xray_ai.domain.received import Sender
from xray_ai.results.explicit_vr import framed
from xray_ai.results.part10_bytes import IMPLEMENTATION_CLASS_UID, PREAMBLE


def part10_head(sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str, sender: Sender) -> bytes:
    """Write it for a dataset that came by C-STORE, where the command says what a file's head would."""
    meta = framed(Tag(0x0002, 0x0001), "OB", b"\0\1") + b"".join(
        framed(Tag(0x0002, element), vr, _padded(value, vr))
        for element, vr, value in (
            (0x0002, "UI", sop_class_uid),
            (0x0003, "UI", sop_instance_uid),
            (0x0010, "UI", transfer_syntax_uid),
            (0x0012, "UI", IMPLEMENTATION_CLASS_UID),
            (0x0016, "AE", sender.calling_ae_title),
        )
    )
    return PREAMBLE + framed(Tag(0x0002, 0x0000), "UL", len(meta).to_bytes(4, "little")) + meta


def _padded(value: str, vr: str) -> bytes:
    encoded = value.encode("ascii", "replace")
    return encoded + (b"\0" if vr == "UI" else b" ") * (len(encoded) % 2)
