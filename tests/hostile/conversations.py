"""What nobody should say to a Storage SCP: made by code, the same each time, each with a name for what is wrong."""

import random
import socket
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from pydicom import uid

from bench.raw_scu import (
    ASSOCIATE_RQ,
    EXPLICIT,
    IMPLICIT,
    LAST_COMMAND,
    LAST_DATASET,
    P_DATA,
    RELEASE_RQ,
    RawAssociation,
    associate_rq,
    fragments,
    pdu,
    pdv,
    store_rq,
)
from tests.factories import MARKED_NAME, a_dataset, some_pixels
from tests.receive.dimse_peers import DX, INSTANCE, STORAGE, VERIFICATION, a_command, a_store, encoded

DEFLATED = str(uid.DeflatedExplicitVRLittleEndian)
CONTEXTS = [*STORAGE, (5, DX, [DEFLATED])]
ABORT = pdu(7, bytes(4))
RELEASE = pdu(RELEASE_RQ, bytes(4))
HANGS_AFTER_S = 30
MARK = MARKED_NAME.partition("^")[0]
ODD_TEXTS = {
    "nothing": "",
    "blanks": " " * 16,
    "a path upwards": "../../etc/passwd",
    "an absolute path": "/etc/passwd",
    "a Windows path": "..\\..\\win.ini",
    "a home": "~root/.ssh",
    "NUL bytes": "1.2\0.3\0\0",
    "line ends": "1.2\r\n1.3\n",
    "a terminal's escapes": "\x1b[2J\x1b]0;x\x07",
    "letters of other scripts": "\u653e\u5c04\u7dda\u202e",
    "format directives": "%s%n{0}${x}",
    "SQL": "';DROP TABLE x--",
    "a name": MARK,
    "dots": "." * 64,
    "a UID with a name in it": f"1.2.{MARK}",
    "a UID of 65 characters": "1" * 65,
    "a UID of 4,000 characters": "1.2" * 1333,
}
PREAMBLES = {
    "ELF": b"\x7fELF\x02\x01\x01",
    "PE": b"MZ\x90\0\x03",
    "ZIP": b"PK\x03\x04",
    "HTML": b"<html><script>alert(1)</script>",
    "PDF": b"%PDF-1.7\n",
    "a shell script": b"#!/bin/sh\nrm -rf ~\n#",
    "GIF": b"GIF89a",
    "TIFF": b"II*\0\x08\0\0\0",
}
LENGTHS = (0, 1, 3, 0x7F, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
STATES: Mapping[str, tuple[bytes, ...]] = MappingProxyType(
    {
        "on an association": (),
        "in the middle of a command": (pdu(P_DATA, pdv(1, 1, store_rq(DX, INSTANCE)[:40])),),
        "before a dataset": (a_command(),),
        "in the middle of a dataset": (a_command(), pdu(P_DATA, pdv(1, 0, bytes(9)))),
        "after a release": (RELEASE,),
        "after an abort": (ABORT,),
    }
)


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is said on a connection of its own, and whether an association is agreed upon before."""

    name: str
    said: tuple[bytes, ...]
    is_associated: bool = True
    breaks_off: bool = False  # as a plug that is pulled: the connection is reset

    def hold(self, port: int) -> None:
        """Say it all, and hang up once the service has said what it has to say."""
        with suppress(OSError), RawAssociation(port) as association:
            association.socket.settimeout(HANGS_AFTER_S)
            if self.is_associated:
                association.associate(CONTEXTS)
            for message in self.said:
                association.send(message)
            if self.breaks_off:
                reset(association.socket)
                return
            association.socket.shutdown(socket.SHUT_WR)
            while association.socket.recv(4096):
                pass


def reset(connection: socket.socket) -> None:
    """Close at once and without a farewell."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def chance_of(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - no secret: the same damage each time


def noise(count: int) -> bytes:
    return chance_of(count).randbytes(count)


@cache
def a_radiograph() -> bytes:
    return encoded(a_dataset(some_pixels(128, 96), PatientName=MARKED_NAME))


def radiograph_with(**attributes: Any) -> bytes:  # noqa: ANN401 - any attribute's value
    return encoded(a_dataset(some_pixels(128, 96), PatientName=MARKED_NAME, **attributes))


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Flip, cut, repeat or insert."""
    at, other = sorted(chance.sample(range(len(content)), 2))
    return chance.choice(
        (
            content[:at],
            content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :],
            content[:at] + chance.randbytes(other - at) + content[other:],
            content[:other] + content[at:],
            content[:2] + chance.randbytes(4) + content[6:],
        )
    )


BEFORE_AN_ASSOCIATION: Mapping[str, bytes] = {
    "nothing": b"",
    "half a header": b"\x01\x00\x00",
    "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "an unknown PDU": pdu(9, b"x"),
    "zeros": bytes(100_000),
    "four gigabytes announced": b"\x01\x00\xff\xff\xff\xff" + bytes(1000),
    "a request cut off": associate_rq(STORAGE)[:-7],
    "a request of noise": pdu(ASSOCIATE_RQ, noise(500)),
    "an empty request": pdu(ASSOCIATE_RQ, b""),
    "a request without contexts": associate_rq([]),
    "a dataset before any request": a_store(),
    "ten thousand contexts": associate_rq([(1, DX, [EXPLICIT])] * 10_000),
    "six thousand contexts": associate_rq([(1, DX, [EXPLICIT])] * 6_000),
    "a context of three thousand transfer syntaxes": associate_rq([(1, DX, [IMPLICIT] * 3_000)]),
    "a request of empty items": pdu(ASSOCIATE_RQ, associate_rq([])[6:80] + b"\x20\0\0\0" * 100_000),
    "a request of nothing but users": pdu(ASSOCIATE_RQ, associate_rq([])[6:80] + b"\x50\0\0\0" * 100_000),
    "contexts of even numbers": associate_rq([(number, DX, [EXPLICIT]) for number in range(0, 254, 2)]),
    "a SOP class that is a name": associate_rq([(1, MARK, [EXPLICIT])]),
    "a SOP class of sixty thousand characters": associate_rq([(1, MARK * 12_000, [EXPLICIT])]),
    "a SOP class that is a path": associate_rq([(1, "../../etc/passwd", [EXPLICIT])]),
    "a transfer syntax that is a path": associate_rq([(1, DX, ["../../etc/passwd"])]),
    "a SOP class that we do not take": associate_rq([(1, "1.2.840.10008.5.1.4.1.1.2", [EXPLICIT])]),
}
ON_AN_ASSOCIATION: Mapping[str, bytes] = {
    "a second request": associate_rq(STORAGE),
    "an empty P-DATA-TF": pdu(P_DATA, b""),
    "a value longer than its PDU": pdu(P_DATA, b"\x00\x00\xff\xff\x01\x03abc"),
    "a value shorter than its header": pdu(P_DATA, b"\x00\x00\x00\x01\x01"),
    "a dataset without a command": pdu(P_DATA, pdv(1, 2, b"x")),
    "a command in a dataset": a_command() + a_command(),
    "a dataset in another context": a_command() + pdu(P_DATA, pdv(3, 2, b"x")),
    "a context that was not agreed": pdu(P_DATA, pdv(77, LAST_COMMAND, store_rq(DX, INSTANCE))),
    "a command of noise": pdu(P_DATA, pdv(1, LAST_COMMAND, noise(300))),
    "a command without end": pdu(P_DATA, pdv(1, 1, bytes(2**17))),
    "a command without an instance": pdu(P_DATA, pdv(1, LAST_COMMAND, store_rq(DX, ""))),
    "a UID of 65 characters": pdu(P_DATA, pdv(1, LAST_COMMAND, store_rq(DX, "1" * 65))),
    "a C-STORE in the context of C-ECHO": pdu(P_DATA, pdv(3, LAST_COMMAND, store_rq(DX, INSTANCE))),
    "an answer": pdu(
        P_DATA, pdv(1, LAST_COMMAND, store_rq(DX, INSTANCE).replace(b"\x01\x00\x00\x00", b"\x01\x80\x00\x00"))
    ),
    "half a dataset and an abort": a_command() + pdu(P_DATA, pdv(1, 0, bytes(9))) + ABORT,
    "half a dataset and noise": a_command() + pdu(P_DATA, pdv(1, 0, bytes(9))) + b"\xff" * 99,
    "four gigabytes announced": b"\x07\x00\xff\xff\xff\xff" + bytes(1000),
}


def before_an_association() -> Iterator[Conversation]:
    for name, said in BEFORE_AN_ASSOCIATION.items():
        yield Conversation(name, (said,), is_associated=False)


def on_an_association() -> Iterator[Conversation]:
    for name, said in ON_AN_ASSOCIATION.items():
        yield Conversation(name, (said,))


def in_the_wrong_state() -> Iterator[Conversation]:
    """Each kind of PDU, known or not, in each state."""
    for kind in (0, *range(1, 8), 8, 255):
        for state, before in STATES.items():
            yield Conversation(f"PDU {kind} {state}", (*before, pdu(kind, bytes(4))))
            yield Conversation(f"noise of PDU {kind} {state}", (*before, pdu(kind, noise(100))))


def of_wrong_lengths() -> Iterator[Conversation]:
    request, command, dataset = associate_rq(STORAGE), a_command(), a_radiograph()
    for length in LENGTHS:
        for place in (2, *_items_of(request)):
            width = 4 if place == 2 else 2
            yield Conversation(
                f"a request with length {length:x} at {place}", (_put(request, place, length, width),), False
            )
        for place, what in ((2, "PDU"), (6, "value"), (16, "element"), (28, "element"), (66, "element")):
            width = 4
            yield Conversation(f"a command's {what} of length {length:x} at {place}", (_put(command, place, length),))
        for place in (6, 6 + 8 + 26, len(dataset) - 128 * 96 * 2 - 4):
            yield Conversation(
                f"a dataset's element of length {length:x} at {place}", (a_store(_put(dataset, place, length, 2, "<")),)
            )


def _items_of(request: bytes) -> Iterator[int]:
    """Where an A-ASSOCIATE-RQ tells the length of an item, at either depth."""
    places = [74]
    while places[-1] < len(request):
        kind, length = struct.unpack_from(">BxH", request, places[-1])
        yield places[-1] + 2
        inner = places[-1] + {0x20: 8, 0x50: 4}.get(kind, 4 + length)
        if inner < places[-1] + 4 + length:
            yield inner + 2
        places.append(places[-1] + 4 + length)


def _put(content: bytes, place: int, number: int, width: int = 4, order: str = ">") -> bytes:
    largest = 2 ** (8 * width) - 1
    value = struct.pack(f"{order}{'H' if width == 2 else 'L'}", min(number, largest))
    return content[:place] + value + content[place + width :]


def of_odd_titles() -> Iterator[Conversation]:
    for name, text in ODD_TEXTS.items():
        title = text.encode()[:16].ljust(16)
        if MARK.encode() in title:
            continue  # titles are logged
        whole = associate_rq(STORAGE)
        yield Conversation(f"a calling title of {name}", (whole[:26] + title + whole[42:],), False)
        yield Conversation(f"a called title of {name}", (whole[:10] + title + whole[26:],), False)


def of_odd_uids() -> Iterator[Conversation]:
    dataset = b"".join(fragments(1, a_radiograph(), 16_384))
    for name, text in ODD_TEXTS.items():
        raw = text.encode()
        yield Conversation(f"an instance of {name}, as the command tells", (_command_for(DX.encode(), raw), dataset))
        yield Conversation(f"a class of {name}", (_command_for(raw, INSTANCE.encode()), dataset))
        for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SOPClassUID"):
            changed = a_radiograph().replace(*_element(keyword, raw))
            yield Conversation(f"{keyword} of {name}", (a_store(changed),))
    yield Conversation("another instance than announced", (a_store(command=a_command("1.2.3.4")),))
    yield Conversation("another class than announced", (a_store(radiograph_with(SOPClassUID=VERIFICATION)),))
    yield Conversation("no instance", (a_store(radiograph_with(SOPInstanceUID=None)),))
    yield Conversation("no study", (a_store(radiograph_with(StudyInstanceUID=None)),))


def _element(keyword: str, value: bytes) -> tuple[bytes, bytes]:
    """An element of the radiograph as it is, and as it shall be."""
    padded = value + b"\0" * (len(value) % 2)
    at = {"SOPClassUID": (8, 0x16), "SOPInstanceUID": (8, 0x18), "StudyInstanceUID": (0x20, 0x0D)}[keyword]
    head = struct.pack("<HH", *at) + b"UI"
    content = a_radiograph()
    start = content.index(head)
    length = struct.unpack_from("<H", content, start + 6)[0]
    return content[start : start + 8 + length], head + struct.pack("<H", len(padded)) + padded


def _command_for(sop_class: bytes, instance: bytes) -> bytes:
    """A C-STORE-RQ whose UIDs are whatever is given."""
    places = store_rq("", "")
    ends = places.index(struct.pack("<HHL", 0, 2, 0)), places.index(struct.pack("<HHL", 0, 0x1000, 0))
    for place, (element, value) in zip(reversed(ends), ((0x1000, instance), (2, sop_class)), strict=True):
        padded = value + b"\0" * (len(value) % 2)
        places = places[:place] + struct.pack("<HHL", 0, element, len(padded)) + padded + places[place + 8 :]
    return pdu(P_DATA, pdv(1, LAST_COMMAND, places[:8] + struct.pack("<L", len(places) - 12) + places[12:]))


def of_files_that_are_two_things() -> Iterator[Conversation]:
    for name, head in PREAMBLES.items():
        polyglot = head.ljust(128, b"\0") + b"DICM" + a_radiograph()
        yield Conversation(f"a preamble of {name}", (a_store(polyglot),))
        yield Conversation(f"{name} instead of a dataset", (a_store(head * 500),))
        yield Conversation(f"{name} instead of PDUs", (head * 500,))


def of_absurd_images() -> Iterator[Conversation]:
    for rows, columns in ((0, 0), (65535, 65535), (1, 65535), (65535, 1), (128, 95)):
        uids = {"SOPInstanceUID": f"{INSTANCE}.7.{rows}.{columns}", "StudyInstanceUID": f"{INSTANCE}.7"}
        dataset = radiograph_with(Rows=rows, Columns=columns, **uids)
        yield Conversation(
            f"{rows} rows and {columns} columns", (a_store(dataset, command=a_command(uids["SOPInstanceUID"])),)
        )
    for name, content in (
        ("zeros", bytes(2**26)),
        ("small elements", b"\x09\0\x10\0LO\0\0" * 2**20),
        ("a radiograph with a tail of zeros", a_radiograph() + bytes(2**26)),
        ("items in items", b"\x08\0\x15\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" * 2**18),
    ):
        yield Conversation(f"a bomb of {name}", _deflated(content))
    for depth in (100, 5_000):
        item = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" * depth
        yield Conversation(f"sequences {depth} deep", (a_store(_head_of_radiograph() + item),))


def _head_of_radiograph() -> bytes:
    """Its elements up to the SOP Instance UID."""
    _, instance = _element("SOPInstanceUID", INSTANCE.encode())
    content = a_radiograph()
    return content[: content.index(instance) + len(instance)]


def _deflated(content: bytes) -> tuple[bytes, ...]:
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    packed = packer.compress(content) + packer.flush()
    step = 60_000
    pieces = [packed[start : start + step] for start in range(0, len(packed), step)]
    command = pdu(P_DATA, pdv(5, LAST_COMMAND, store_rq(DX, INSTANCE)))
    return command, *(pdu(P_DATA, pdv(5, LAST_DATASET if piece is pieces[-1] else 0, piece)) for piece in pieces)


def broken_off() -> Iterator[Conversation]:
    """A sound session up to somewhere, and then the plug."""
    chance, request, whole = chance_of(1), associate_rq(CONTEXTS), a_store(a_radiograph(), longest=1024)
    for _ in range(60):
        at = chance.randrange(len(whole))
        yield Conversation(f"a transfer aborted at byte {at}", (whole[:at],), breaks_off=True)
        yield Conversation(f"a transfer cut at byte {at}", (whole[:at],))
    for at in range(0, len(request), 10):
        yield Conversation(f"a request aborted at byte {at}", (request[:at],), is_associated=False, breaks_off=True)
    yield Conversation("the plug pulled before a word", (), is_associated=False, breaks_off=True)


def mutations() -> Iterator[Conversation]:
    chance = chance_of(2)
    templates = associate_rq(CONTEXTS), a_command(), a_store(a_radiograph(), longest=1024), RELEASE
    for number in range(250):
        said = mutated(chance.choice(templates), chance), b"\0"
        yield Conversation(f"mutation {number}", said, is_associated=number % 3 > 0)


CONVERSATIONS: Mapping[str, Callable[[], Iterable[Conversation]]] = {
    "before an association": before_an_association,
    "on an association": on_an_association,
    "in the wrong state": in_the_wrong_state,
    "of wrong lengths": of_wrong_lengths,
    "of odd titles": of_odd_titles,
    "of odd UIDs": of_odd_uids,
    "of files that are two things": of_files_that_are_two_things,
    "of absurd images": of_absurd_images,
    "broken off": broken_off,
    "mutated": mutations,
}
