"""What leaves to other programs: which results, to whom, and what they answered."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from xray_ai.domain.finding import FindingKey
from xray_ai.domain.priority import Priority
from xray_ai.domain.uid import SOPInstanceUID
from xray_ai.errors import OperatorNeeded, XrayAiError

AE_TITLE = re.compile(r"(?! )[ -\[\]-~]{1,16}(?<! )")  # PS3.5 6.2, VR AE: no backslash, spaces at the ends do not count
ADDRESS = re.compile(r"(?P<title>[^@]+)@(?P<host>\[[^\]]+\]|[^@:\[\]]+):(?P<port>[0-9]{1,5})")
LARGEST_PORT = 65535


class ResultKind(StrEnum):
    """Which of our objects."""

    SR = "sr"
    SC = "sc"


class DestinationUnsound(OperatorNeeded):
    """A destination cannot be what the configuration or the command says."""


class DeliveryRefused(OperatorNeeded):
    """A destination will not take what is sent, now or later, until a person changes something there or here."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a peer may take."""

    connect_s: float = 10.0
    association_s: float = 30.0  # to accept or reject an association
    answer_s: float = 60.0  # to answer what was sent, and for any standstill of the connection

    def __post_init__(self) -> None:
        if min(self.connect_s, self.association_s, self.answer_s) <= 0:
            raise DestinationUnsound("A time limit is not above 0 s.", remedy="Give seconds.")


@dataclass(frozen=True, slots=True)
class Peer:
    """A DICOM application that we call."""

    name: str  # ours for it, as people say it
    ae_title: str
    host: str
    port: int  # 1 to 65535
    calling_ae_title: str = "XRAY_AI"
    timeouts: Timeouts = Timeouts()

    def __post_init__(self) -> None:
        for title in (self.ae_title, self.calling_ae_title):
            if not AE_TITLE.fullmatch(title):
                raise DestinationUnsound(
                    f"{title!r} is no AE title.", remedy="Use 1 to 16 printable ASCII characters, no backslash."
                )
        if not 1 <= self.port <= LARGEST_PORT:
            raise DestinationUnsound(f"{self.port} is no port.", remedy=f"Ports go from 1 to {LARGEST_PORT}.")
        if not self.host:
            raise DestinationUnsound(f"{self.name} has no host.", remedy="Give a name or an address.")

    def __str__(self) -> str:
        return f"{self.name} at {self.host}:{self.port}"

    @classmethod
    def at(cls, address: str, calling_ae_title: str) -> "Peer":
        """Read AE@HOST:PORT; an IPv6 address stands in brackets. Raises DestinationUnsound."""
        parts = ADDRESS.fullmatch(address)
        if parts is None:
            raise DestinationUnsound(
                f"{address!r} is no address of a DICOM application.",
                remedy="Write AE@HOST:PORT, as in PACS1@10.0.0.5:104.",
            )
        title, host = parts["title"], parts["host"].strip("[]")
        return cls(title, title, host, int(parts["port"]), calling_ae_title)


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """What decides where a study's results go."""

    priority: Priority | None  # None: no image of it was read
    flagged: frozenset[FindingKey]


@dataclass(frozen=True, slots=True)
class ObjectOutcome:
    """What became of one object that was to be sent."""

    path: Path
    sop_instance_uid: SOPInstanceUID | None  # None: the file does not say
    status: int | None  # of the DIMSE answer (PS3.7 annex C); None: it was not sent
    failure: XrayAiError | None  # None: the peer holds it

    @property
    def is_stored(self) -> bool:
        return self.failure is None
