"""A sender that costs next to nothing, so that the receiver is what is measured: PDUs are encoded beforehand.

Run as a command it stores many objects on several associations, one outstanding on each, and prints JSON.
"""

import argparse
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydicom import dcmread
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ, P_DATA, RELEASE_RQ, RELEASE_RP, ABORT = range(1, 8)
APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
COMMAND, LAST_COMMAND, DATASET, LAST_DATASET = 1, 3, 0, 2  # message control headers
STORE_RQ, ECHO_RQ = 0x0001, 0x0030
WITH_DATASET, NO_DATASET = 0x0000, 0x0101
LARGEST_PDU = 131_072  # what dcmtk sends at most
UID_OF_BENCH = "1.2.826.0.1.3680043.10.77"
Context = tuple[int, str, Sequence[str]]  # ID, abstract syntax, transfer syntaxes


def pdu(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxL", kind, len(content)) + content


def pdv(context_id: int, control: int, fragment: bytes) -> bytes:
    return struct.pack(">LBB", len(fragment) + 2, context_id, control) + fragment


def associate_rq(contexts: Sequence[Context], called: str = "XRAY_AI", calling: str = "RAW_SCU") -> bytes:
    """An A-ASSOCIATE-RQ (PS3.8 9.3.2)."""
    user = _item(0x51, struct.pack(">L", 0)) + _item(0x52, b"1.2.3.4")
    proposed = b"".join(
        _item(
            0x20,
            struct.pack(">Bxxx", number)
            + _item(0x30, abstract.encode())
            + b"".join(_item(0x40, syntax.encode()) for syntax in syntaxes),
        )
        for number, abstract, syntaxes in contexts
    )
    titles = called.encode().ljust(16) + calling.encode().ljust(16)
    content = struct.pack(">Hxx", 1) + titles + bytes(32) + _item(0x10, APPLICATION_CONTEXT.encode())
    return pdu(ASSOCIATE_RQ, content + proposed + _item(0x50, user))


def store_rq(sop_class: str, sop_instance: str, *, message_id: int = 1, priority: int = 0) -> bytes:
    """The command set of a C-STORE-RQ (PS3.7 9.3.1.1)."""
    return _command(
        (0x0002, _uid(sop_class)),
        (0x0100, struct.pack("<H", STORE_RQ)),
        (0x0110, struct.pack("<H", message_id)),
        (0x0700, struct.pack("<H", priority)),
        (0x0800, struct.pack("<H", WITH_DATASET)),
        (0x1000, _uid(sop_instance)),
    )


def echo_rq() -> bytes:
    """The command set of a C-ECHO-RQ (PS3.7 9.3.5.1)."""
    return _command(
        (0x0002, _uid("1.2.840.10008.1.1")),
        (0x0100, struct.pack("<H", ECHO_RQ)),
        (0x0110, struct.pack("<H", 1)),
        (0x0800, struct.pack("<H", NO_DATASET)),
    )


def status_of(p_data: bytes) -> int:
    """The Status of a response, from the content of its P-DATA-TF."""
    at = p_data.index(struct.pack("<HHL", 0x0000, 0x0900, 2)) + 8
    status: int = struct.unpack_from("<H", p_data, at)[0]
    return status


def fragments(context_id: int, content: bytes, longest: int) -> Iterator[bytes]:
    """A dataset as P-DATA-TF PDUs."""
    step = longest - 6
    for start in range(0, len(content), step):
        control = LAST_DATASET if start + step >= len(content) else DATASET
        yield pdu(P_DATA, pdv(context_id, control, content[start : start + step]))


def _command(*elements: tuple[int, bytes]) -> bytes:
    content = b"".join(struct.pack("<HHL", 0, number, len(value)) + value for number, value in elements)
    return struct.pack("<HHLL", 0, 0, 4, len(content)) + content


def _uid(text: str) -> bytes:
    return text.encode() + b"\0" * (len(text) % 2)


def _item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(content)) + content


class RawAssociation:
    """A connection on which anything can be sent."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection((host, port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, content: bytes | memoryview) -> None:
        self.socket.sendall(content)

    def answer(self) -> tuple[int, bytes]:
        """The next PDU's kind and content. Raises ConnectionError when there is none."""
        kind, length = struct.unpack(">BxL", self._exactly(6))
        return kind, self._exactly(length)

    def associate(self, contexts: Sequence[Context], called: str = "XRAY_AI", calling: str = "RAW_SCU") -> bytes:
        """Ask, and return the content of the A-ASSOCIATE-AC. Raises ConnectionError when there is none."""
        self.send(associate_rq(contexts, called, calling))
        kind, content = self.answer()
        if kind != ASSOCIATE_AC:
            raise ConnectionRefusedError(content.hex())
        return content

    def release(self) -> None:
        self.send(pdu(RELEASE_RQ, bytes(4)))
        self.answer()

    def _exactly(self, count: int) -> bytes:
        content = b""
        while len(content) < count:
            piece = self.socket.recv(count - len(content))
            if not piece:
                raise ConnectionResetError
            content += piece
        return content


def longest_pdu(accepted: bytes) -> int:
    """The PDU length to send, from an A-ASSOCIATE-AC that names the longest its sender takes."""
    theirs: int = struct.unpack_from(">L", accepted, accepted.index(b"\x51\x00\x00\x04") + 4)[0]
    return min(theirs or LARGEST_PDU, LARGEST_PDU)


@dataclass(frozen=True, slots=True)
class Template:
    """One radiograph, of which each copy has UIDs of its own."""

    sop_class: str
    content: bytes

    @classmethod
    def of(cls, file: Path) -> Self:
        dataset = dcmread(file)
        dataset.SOPInstanceUID, dataset.StudyInstanceUID, dataset.SeriesInstanceUID = map(uid_of, range(3))
        buffer = DicomBytesIO()
        buffer.is_implicit_VR, buffer.is_little_endian = False, True
        write_dataset(buffer, dataset)
        return cls(str(dataset.SOPClassUID), buffer.getvalue())

    def messages(self, longest: int, numbers: Sequence[int]) -> Iterator[tuple[bytes, bytes]]:
        """A C-STORE of each copy: what differs, and the rest."""
        first, *others = fragments(1, self.content, longest)
        rest = b"".join(others)
        for number in numbers:
            start = first
            for kind in range(3):
                start = start.replace(uid_of(kind).encode(), uid_of(kind, number).encode())
            yield pdu(P_DATA, pdv(1, LAST_COMMAND, store_rq(self.sop_class, uid_of(0, number)))) + start, rest


def uid_of(kind: int, number: int = 0) -> str:
    return f"{UID_OF_BENCH}.{kind + 1}.{10**9 + number}"


def store_many(port: int, called: str, template: Template, numbers: Sequence[int]) -> list[float]:
    """Store copies on one association; the seconds of each, from its first byte to its answer."""
    seconds = []
    with RawAssociation(port) as association:
        longest = longest_pdu(association.associate([(1, template.sop_class, [EXPLICIT])], called))
        for start, rest in template.messages(longest, numbers):
            started = time.perf_counter()
            association.send(start)
            association.send(rest)
            _, answer = association.answer()
            seconds.append(time.perf_counter() - started)
            if status_of(answer) != 0:
                raise ConnectionError(hex(status_of(answer)))
        association.release()
    return seconds


def main() -> None:
    """Read the arguments, store, and print seconds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--called", default="XRAY_AI")
    parser.add_argument("--associations", type=int, default=1)
    parser.add_argument("--objects", type=int, default=40)
    arguments = parser.parse_args()

    template = Template.of(arguments.file)
    each: list[list[float]] = [[] for _ in range(arguments.associations)]

    def one_association(index: int) -> None:
        numbers = range(index, arguments.objects, arguments.associations)
        each[index] = store_many(arguments.port, arguments.called, template, numbers)

    threads = [threading.Thread(target=one_association, args=(index,)) for index in range(arguments.associations)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(
        json.dumps({"wall_s": time.perf_counter() - started, "seconds": [one for seconds in each for one in seconds]})
    )


if __name__ == "__main__":
    main()
