"""Elements of a source, byte for byte, for the results that repeat them.

The border to pydicom, which would decode a text and encode it anew; what it cannot decode it would lose.
"""

from collections.abc import Iterable, Iterator

from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag

from xray_ai.imaging.attributes import attempt, items_of
from xray_ai.results.explicit_vr import as_pydicom_writes, framed, is_known, item, raw_element, value_of

CHARACTER_SET = Tag("SpecificCharacterSet")
# Numbers in these VRs depend on the byte order; all others are bytes or characters.
ORDERED_BYTES = frozenset({"AT", "FD", "FL", "OD", "OF", "OL", "OV", "OW", "SL", "SS", "SV", "UL", "US", "UV"})


def tags_of(keywords: Iterable[str]) -> tuple[BaseTag, ...]:
    """Tags in the order in which they are written."""
    return tuple(sorted({BaseTag(tag_for_keyword(keyword) or 0) for keyword in keywords}))


def carried(source: Dataset, tags: Iterable[BaseTag]) -> Iterator[RawDataElement]:
    """Those of the elements that the source has, as bytes of Explicit VR Little Endian.

    An element that pydicom has decoded already is encoded anew, in the character set of the source. A
    sequence keeps its items without their private elements; a damaged one is empty.
    """
    for tag in tags:
        if tag in source:
            yield raw_element(tag, *_as_found(source, source.get_item(tag, keep_deferred=True)))


def sound_items_of(source: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """The items of a sequence; none where it is damaged in whatever way.

    pydicom may have decoded a sequence and then raise over another element: asked again, it answers.
    """
    return attempt(lambda: items_of(source, keyword)) or attempt(lambda: items_of(source, keyword)) or ()


def empty(tag: BaseTag) -> RawDataElement:
    return raw_element(tag, dictionary_VR(tag), b"")


def character_sets_of(source: Dataset) -> list[str]:
    """The values of Specific Character Set, without having pydicom decode the element in its place."""
    stated = _undecoded(source.get_item(CHARACTER_SET, keep_deferred=True)) if CHARACTER_SET in source else ""
    return [word.strip(" \0") for word in stated.split("\\")] if stated else ["ISO_IR 6"]


def _undecoded(found: DataElement | RawDataElement) -> str:
    value: object = found.value
    if isinstance(value, bytes):
        return value.decode("ascii", "replace")
    return "\\".join(str(word) for word in value) if isinstance(value, MultiValue) else str(value or "")


def _as_found(source: Dataset, found: DataElement | RawDataElement) -> tuple[str, bytes]:
    vr = _vr_of(found.tag, found.VR)
    if vr == "SQ":
        return vr, b"".join(_item(inner) for inner in sound_items_of(source, keyword_for_tag(found.tag)))
    if isinstance(found, RawDataElement) and (found.is_little_endian or vr not in ORDERED_BYTES):
        return vr, found.value or b""
    return vr, attempt(lambda: value_of(as_pydicom_writes(source[found.tag], character_sets_of(source)))) or b""


def _vr_of(tag: BaseTag, stated: str | None) -> str:
    """The VR that the source states; in Implicit VR the dictionary's, and UN where there is none."""
    vr = stated or (dictionary_VR(tag) if dictionary_has_tag(tag) else "UN")
    return vr if is_known(vr) else "UN"


def _item(inner: Dataset) -> bytes:
    tags = sorted(tag for tag in inner.keys() if not tag.is_private)  # noqa: SIM118 - iterating a Dataset decodes it
    return item(b"".join(framed(one.tag, str(one.VR), one.value or b"") for one in carried(inner, tags)))
