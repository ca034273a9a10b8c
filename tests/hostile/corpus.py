"""Files that nobody should send: made by code, the same each time, each with a name that says what is wrong."""

import os
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

from pydicom import uid
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from tests.factories import LOSSLESS, LOSSY, NATIVE, a_dataset, a_demo_file, as_part10, encode, some_pixels

Named = Iterator[tuple[str, bytes]]

PREFIX = b"\0" * 128 + b"DICM"
PIXEL_DATA = b"\xe0\x7f\x10\x00"
ITEM = b"\xfe\xff\x00\xe0"
END_OF_SEQUENCE = b"\xfe\xff\xdd\xe0\0\0\0\0"
REAL_FILES = ("RG1_J2KI", "RG3_J2KI")
TEST_FILES = (
    *("JPEG2000.dcm", "JPGExtended.dcm", "JPEGLSNearLossless_16.dcm", "MR_small_RLE.dcm", "MR_truncated.dcm"),
    *("J2K_pixelrep_mismatch.dcm", "JPEG-lossy.dcm", "image_dfl.dcm", "badVR.dcm", "UN_sequence.dcm"),
    *("MR_small_jpeg_ls_lossless.dcm", "ExplVR_BigEnd.dcm", "examples_palette.dcm", "meta_missing_tsyntax.dcm"),
)


def hostile_contents() -> Named:
    """All inputs that are bytes; `hostile_paths` adds those that are something else than a file."""
    yield from no_dicom()
    yield from cut_off()
    yield from bits_flipped()
    yield from wrong_lengths()
    yield from wrong_value_representations()
    yield from wrong_attributes()
    yield from wrong_tables()
    yield from wrong_framing()
    yield from bombs()
    yield from endless_headers()
    yield from odd_files()


def hostile_paths(folder: Path) -> Iterator[tuple[str, Path]]:
    """Paths in `folder` at which there is no file that can be read."""
    (folder / "folder").mkdir()
    (folder / "circle").symlink_to(folder / "circle")
    (folder / "dangling").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe")
    with (folder / "huge").open("wb") as sparse:
        sparse.truncate(2**40)
    for name in ("folder", "circle", "dangling", "pipe", "huge", "absent", "x" * 300, "nul\0byte"):
        yield f"path: {name[:20]!r}", folder / name
    yield "path: a device without end", Path("/dev/zero")


@cache
def sound(syntax: uid.UID = uid.ExplicitVRLittleEndian) -> bytes:
    bits = 8 if syntax == uid.JPEGBaseline8Bit else 12
    return as_part10(a_dataset(some_pixels(96, 110, bits=bits), bits_stored=bits, syntax=syntax))


def framed(syntax: uid.UID, value: bytes) -> bytes:
    """Put a whole encapsulated value of one's own into an otherwise sound file."""
    whole = sound(syntax)
    start = whole.index(PIXEL_DATA)
    return whole[:start] + PIXEL_DATA + b"OB\0\0\xff\xff\xff\xff" + value


def coded(syntax: uid.UID, change: Callable[[bytes], bytes]) -> bytes:
    """Change the codestream of an otherwise sound file."""
    return framed(syntax, encapsulate([change(encode(some_pixels(96, 110), syntax, 12))]) + END_OF_SEQUENCE)


def elements_of(content: bytes) -> list[tuple[int, str]]:
    """Where the elements of an explicit little-endian file begin, and their names."""
    places = []
    position = 132
    while position < len(content):
        tag, vr = struct.unpack_from("<HH", content, position), content[position + 4 : position + 6]
        places.append((position, f"{tag[0]:04x},{tag[1]:04x} {vr.decode('ascii', 'replace')}"))
        is_long = vr in {b"OB", b"OW", b"SQ", b"UN", b"UT"}
        length = struct.unpack_from("<L", content, position + 8)[0] if is_long else 0
        position += 12 + length if is_long else 8 + struct.unpack_from("<H", content, position + 6)[0]
    return places


def no_dicom() -> Named:
    noise = chance_of(0)
    yield "empty", b""
    yield "one byte", b"\0"
    yield "text", b"Patient: somebody\n" * 100
    yield "PNG", b"\x89PNG\r\n\x1a\n" + noise.randbytes(4000)
    yield "PDF", b"%PDF-1.7\n" + noise.randbytes(4000)
    yield "ZIP", b"PK\x03\x04" + noise.randbytes(4000)
    yield "ELF", b"\x7fELF" + noise.randbytes(4000)
    yield "a bare codestream", encode(some_pixels(), uid.JPEG2000Lossless, 12)
    yield "preamble alone", PREFIX
    yield "preamble and zeros", PREFIX + b"\0" * 4000
    yield "preamble and ones", PREFIX + b"\xff" * 4000
    for seed in range(6):
        yield f"preamble and noise {seed}", PREFIX + chance_of(seed).randbytes(5000)
        yield f"group 8 and noise {seed}", b"\x08\0\x05\0CS" + chance_of(seed).randbytes(5000)


def chance_of(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - no secret: the same damage each time


def cut_off() -> Named:
    content = sound()
    for position, name in elements_of(content):
        yield f"cut before {name}", content[:position]
        yield f"cut within the head of {name}", content[: position + 5]
        yield f"cut within {name}", content[: position + 11]
    for syntax in NATIVE + LOSSLESS + LOSSY:
        whole = sound(syntax)
        for share in (0.3, 0.9, 0.999):
            yield f"{syntax.name} cut at {share:.1%}", whole[: int(share * len(whole))]


def bits_flipped() -> Named:
    for syntax in NATIVE + LOSSLESS + LOSSY:
        for seed in range(8):
            yield f"{syntax.name}, bits flipped {seed}", flipped(sound(syntax), seed, first=132)
    for name in REAL_FILES:
        for seed in range(4):
            yield f"{name}, bits of the header flipped {seed}", flipped(a_demo_file(name).read_bytes(), seed, last=3000)
            yield f"{name}, bits of the image flipped {seed}", flipped(a_demo_file(name).read_bytes(), seed, first=3000)


def flipped(content: bytes, seed: int, *, first: int = 0, last: int | None = None) -> bytes:
    chance = chance_of(seed)
    damaged = bytearray(content)
    for _ in range(chance.randint(1, 12)):
        damaged[chance.randrange(first, min(last or len(damaged), len(damaged)))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def wrong_lengths() -> Named:
    content = sound()
    for position, name in elements_of(content):
        is_long = name.endswith(("OB", "OW", "SQ", "UN", "UT"))
        place = position + (8 if is_long else 6)
        for length in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF) if is_long else (0, 1, 0x7FFF, 0xFFFF):
            packed = struct.pack("<L" if is_long else "<H", length)
            yield f"{name} has length {length}", content[:place] + packed + content[place + len(packed) :]


def wrong_value_representations() -> Named:
    content = sound()
    for position, name in elements_of(content):
        if name.startswith(("0028", "0008,0016", "0008,0018", "0008,0060", "0018")):
            for vr in (b"SQ", b"UN", b"PN", b"FD", b"AT", b"ZZ", b"\0\0"):
                yield f"{name} as {vr!r}", content[: position + 4] + vr + content[position + 6 :]


def wrong_attributes() -> Named:
    cases: dict[str, dict[str, Any]] = {
        "zero rows": {"Rows": 0},
        "an image of terabytes": {"Rows": 65535, "Columns": 65535, "NumberOfFrames": "999999"},
        "four gigapixels": {"Rows": 65535, "Columns": 65535},
        "no columns": {"Columns": None},
        "no pixel data": {"PixelData": None},
        "empty pixel data": {"PixelData": b""},
        "a frame of a few bytes": {"PixelData": b"\0\0"},
        "no bits": {"BitsAllocated": 0, "BitsStored": 0},
        "65535 bits": {"BitsAllocated": 65535, "BitsStored": 65535, "HighBit": 65535},
        "a high bit below the stored ones": {"HighBit": 1},
        "no photometric interpretation": {"PhotometricInterpretation": None},
        "colour": {"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3},
        "samples without number": {"SamplesPerPixel": 65535},
        "no slope": {"RescaleSlope": "0", "RescaleIntercept": "0"},
        "a slope beyond floats": {"RescaleSlope": "1e308", "RescaleIntercept": "-1e308"},
        "a window beyond floats": {"WindowCenter": "1e308", "WindowWidth": "1e-308", "VOILUTFunction": "SIGMOID"},
        "padding everywhere": {"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 4095},
        "no identifiers": {"SOPInstanceUID": None, "StudyInstanceUID": None},
        "character sets that do not exist": {"SpecificCharacterSet": ["ISO 2022 IR 999", "\\", "utf-99"]},
    }
    for name, changes in cases.items():
        yield name, as_part10(a_dataset(**changes))
    for syntax in ("1.2.3.4.5", "1.2.840.113619.5.2", uid.MPEG2MPML, "not a uid", ""):
        yield f"transfer syntax {syntax!r}", with_syntax(syntax)


def with_syntax(syntax: str) -> bytes:
    content = sound()
    place = content.index(b"\x02\0\x10\0UI")
    end = place + 8 + struct.unpack_from("<H", content, place + 6)[0]
    value = syntax.encode() + b"\0" * (len(syntax) % 2)
    return content[: place + 6] + struct.pack("<H", len(value)) + value + content[end:]


def wrong_tables() -> Named:
    for name, descriptor, entries in (
        ("no descriptor", None, [0, 1]),
        ("a descriptor of two", [2, 0], [0, 1]),
        ("a descriptor of 65536 entries and two", [0, 0, 16], [0, 1]),
        ("entries of no bits", [2, 0, 0], [0, 1]),
        ("entries of 65535 bits", [2, 0, 65535], [0, 1]),
        ("no entries", [2, 0, 16], None),
    ):
        table = a_table(descriptor, entries)
        yield f"a VOI LUT with {name}", as_part10(a_dataset(VOILUTSequence=[table]))
        yield f"a Modality LUT with {name}", as_part10(a_dataset(ModalityLUTSequence=[table]))


def a_table(descriptor: list[int] | None, entries: list[int] | None) -> Dataset:
    item = Dataset()
    if descriptor is not None:
        item.add_new("LUTDescriptor", "US", descriptor)
    if entries is not None:
        item.add_new("LUTData", "US", entries)
    return item


def wrong_framing() -> Named:
    frame = encode(some_pixels(96, 110), uid.JPEGLSLossless, 12)
    item = ITEM + struct.pack("<L", len(frame)) + frame
    for name, value in {
        "nothing": b"",
        "an end without a beginning": END_OF_SEQUENCE,
        "noise": chance_of(0).randbytes(500),
        "an offset table alone": ITEM + b"\0\0\0\0",
        "an offset table of noise": ITEM + struct.pack("<L", 40) + chance_of(1).randbytes(40) + item,
        "no offset table": item + END_OF_SEQUENCE,
        "an item of four gigabytes": ITEM + b"\0\0\0\0" + ITEM + b"\xfe\xff\xff\xff" + frame,
        "an item of undefined length": ITEM + b"\0\0\0\0" + ITEM + b"\xff\xff\xff\xff" + frame,
        "empty items without number": ITEM + b"\0\0\0\0" + (ITEM + b"\0\0\0\0") * 200_000 + END_OF_SEQUENCE,
        "a frame torn in bytes": ITEM
        + b"\0\0\0\0"
        + b"".join(ITEM + b"\1\0\0\0" + frame[i : i + 1] for i in range(len(frame))),
        "an item within the item": ITEM + b"\0\0\0\0" + ITEM + struct.pack("<L", len(item)) + item,
        "the frame twice": ITEM + b"\0\0\0\0" + item + item + END_OF_SEQUENCE,
    }.items():
        yield f"framing: {name}", framed(uid.JPEGLSLossless, value)
    for syntax in LOSSLESS:
        other = LOSSLESS[(LOSSLESS.index(syntax) + 2) % len(LOSSLESS)]
        yield f"{other.name} in {syntax.name}", framed(syntax, encapsulate([encode(some_pixels(96, 110), other, 12)]))


def bombs() -> Named:
    yield "deflate bomb", deflated(b"\0" * 2**28)
    yield "deflate bomb of small elements", deflated(b"\x09\0\x10\0LO\0\0" * 2**22)
    for name, place, value in (
        ("an image of 2**64 pixels", 8, b"\xff" * 8),
        ("tiles of one pixel", 24, b"\0\0\0\1" * 2),
        ("tiles of no pixel", 24, b"\0" * 8),
        ("tiles beyond the image", 32, b"\xff" * 8),
        ("16384 components", 40, b"\x40\0"),
        ("38 bits", 42, b"\x25"),
    ):
        for syntax in (uid.JPEG2000Lossless, uid.HTJ2KLossless):
            yield f"{syntax.name}: {name}", coded(syntax, partial(patched, position=place, value=value))
    for name, offset, value in (
        ("65535 layers", 6, b"\xff\xff"),
        ("255 levels", 9, b"\xff"),
        ("tiny code blocks", 10, b"\0\0"),
        ("huge code blocks", 10, b"\xff\xff"),
        ("precincts that are not there", 4, b"\1"),
    ):
        change = partial(patched_after, marker=b"\xff\x52", offset=offset, value=value)
        yield f"JPEG 2000 of {name}", coded(uid.JPEG2000Lossless, change)
    for syntax, marker in (
        (uid.JPEGLosslessSV1, b"\xff\xc3"),
        (uid.JPEGExtended12Bit, b"\xff\xc1"),
        (uid.JPEGLSLossless, b"\xff\xf7"),
    ):
        for size in (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\x60\xff\xff"):
            change = partial(patched_after, marker=marker, offset=5, value=size)
            yield f"{syntax.name} of size {size.hex()}", coded(syntax, change)
    yield "RLE of 4 billion segments", coded(uid.RLELossless, partial(patched, position=0, value=b"\xff" * 64))
    far = b"\xff\xff\xff\x7f" * 2
    yield "RLE of segments beyond its end", coded(uid.RLELossless, partial(patched, position=4, value=far))
    yield "RLE of nothing but repeats", coded(uid.RLELossless, lambda it: it[:64] + b"\x81\xff" * 200_000)


def patched(content: bytes, position: int, value: bytes) -> bytes:
    return content[:position] + value + content[position + len(value) :]


def patched_after(content: bytes, marker: bytes, offset: int, value: bytes) -> bytes:
    return patched(content, content.index(marker) + offset, value)


def deflated(content: bytes) -> bytes:
    whole = sound(uid.DeflatedExplicitVRLittleEndian)
    meta_end = 132 + 12 + struct.unpack_from("<L", whole, 140)[0]
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return whole[:meta_end] + packer.compress(content) + packer.flush()


def endless_headers() -> Named:
    meta = sound()[: elements_of(sound())[4][0]]
    opening = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff" + ITEM + b"\xff\xff\xff\xff"
    yield "sequences 100,000 deep", meta + opening * 100_000
    yield "sequences of known length 3,000 deep", meta + nested(3000)
    yield "a million elements", meta + b"".join(struct.pack("<HH2sH", 9, n % 65536, b"LO", 0) for n in range(1_000_000))
    yield "a million items", meta + b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff" + (ITEM + b"\0\0\0\0") * 1_000_000
    items = (ITEM + b"\0\0\0\0") * 500_000
    yield "a million items of known length", meta + b"\x08\0\x18\x22SQ\0\0" + struct.pack("<L", len(items)) + items
    yield "a private element of 64 MiB", meta + b"\x09\0\x10\x10OB\0\0" + struct.pack("<L", 2**26) + b"\0" * 2**26


def nested(depth: int) -> bytes:
    content = b""
    for _ in range(depth):
        item = ITEM + struct.pack("<L", len(content)) + content
        content = b"\x08\0\x18\x22SQ\0\0" + struct.pack("<L", len(item)) + item
    return content


def odd_files() -> Named:
    """pydicom's own odd files, whole and damaged, most of them passed off as a chest radiograph."""
    for name in TEST_FILES:
        path = get_testdata_file(name)
        content = Path(str(path)).read_bytes()
        yield name, content
        for seed in range(3):
            yield f"{name}, bits flipped {seed}", flipped(content, seed)
            yield f"{name}, cut {seed}", content[: len(content) * (seed + 1) // 4]
