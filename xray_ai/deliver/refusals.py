"""What a peer's refusals mean, in plain words: what was found, and what to do.

What may pass by itself is PeerUnavailable, what needs a person is DeliveryRefused. No word of the peer's own comes
in, since an Error Comment may name a patient.
"""

import socket
from types import MappingProxyType

from pydicom.uid import UID

from xray_ai.domain.delivery import DeliveryRefused, Peer
from xray_ai.errors import PeerUnavailable, XrayAiError

BY_ITSELF = "It is tried again by itself."
SEE_ITS_LOG = "Look into the log of that program."
TRANSIENT = 2  # PS3.8 table 9-21, Result
PROVIDER_PRESENTATION = 3  # Source: its reasons are congestion and limits
CALLING_UNKNOWN, CALLED_UNKNOWN, NO_DICOM_CONTEXT, OTHER_VERSION = (1, 3), (1, 7), (1, 2), (2, 2)  # source, reason

# PS3.7 annex C, PS3.4 B.2.3. Success, and warnings: the object is stored.
STORED = frozenset({0x0000, 0x0001, 0x0107, 0x0116, 0xB000, 0xB006, 0xB007})
OUT_OF_RESOURCES, CANNOT_UNDERSTAND = 0xA700, 0xC000  # families
DUPLICATE = 0x0111  # a repeat of the same object has the same UID: it is there
PASSING = frozenset({0x0110, 0x0213, 0xFE00})  # processing failure, resource limitation, cancelled
MEANINGS = MappingProxyType(
    {
        0x0110: "could not process it",
        0x0115: "holds an argument of the request for invalid",
        0x0117: "holds its SOP Instance UID for invalid",
        0x0122: "does not store its SOP class",
        0x0124: "does not let us store",
        0x0210: "says that the request came twice",
        0x0211: "does not know the operation",
        0x0212: "holds the request for mistyped",
        0x0213: "is short of resources",
        OUT_OF_RESOURCES: "is out of resources, such as disk space",
        0xA800: "does not store its SOP class",
        0xA900: "says that the object does not match its SOP class",
        CANNOT_UNDERSTAND: "does not understand the object",
        0xFE00: "cancelled the request",
    }
)


def unreachable(peer: Peer, error: OSError) -> PeerUnavailable:
    """Tell why there is no connection at all."""
    if isinstance(error, socket.gaierror):
        return PeerUnavailable(
            f"{peer} cannot be found: the name {peer.host} has no address.",
            remedy=f"Check its host, and the name server. {BY_ITSELF}",
        )
    if isinstance(error, ConnectionRefusedError):
        found = f"{peer} refused the connection: no program listens there."
        return PeerUnavailable(found, remedy=f"Start it, or check its host and port. {BY_ITSELF}")
    if isinstance(error, TimeoutError):
        found = f"{peer} did not take a connection within {peer.timeouts.connect_s:g} s."
        return PeerUnavailable(found, remedy=f"Check its host, and firewalls between. {BY_ITSELF}")
    found = f"{peer} cannot be reached: {error.strerror or type(error).__name__}."
    return PeerUnavailable(found, remedy=f"Check its host and the network. {BY_ITSELF}")


def rejected(peer: Peer, result: int, source: int, reason: int) -> XrayAiError:
    """Explain an A-ASSOCIATE-RJ. Source: PS3.8 table 9-21."""
    what = f"{peer} rejected the association"
    if source == PROVIDER_PRESENTATION:
        found = f"{what}: it has too many associations at present."
        return PeerUnavailable(found, remedy=f"{BY_ITSELF} If it lasts, raise the limit there.")
    words = {
        CALLING_UNKNOWN: (
            f"it does not know our calling AE title {peer.calling_ae_title}",
            f"Register {peer.calling_ae_title} there, or set destinations.calling_ae_title (--calling).",
        ),
        CALLED_UNKNOWN: (
            f"no application there is called {peer.ae_title}",
            "Set destinations.ae_title to the AE title of its storage service.",
        ),
        NO_DICOM_CONTEXT: ("it does not speak DICOM's application context", "Check its host and port."),
        OTHER_VERSION: ("it speaks another version of the protocol", "Check its host and port."),
    }
    why, remedy = words.get(
        (source, reason),
        ("it gives no reason", f"{SEE_ITS_LOG} Mostly an AE title or our address is not on its list."),
    )
    if result == TRANSIENT:
        return PeerUnavailable(f"{what} for now: {why}.", remedy=f"{BY_ITSELF} If it lasts: {remedy}")
    return DeliveryRefused(f"{what}: {why}.", remedy=remedy)


def silent(peer: Peer) -> PeerUnavailable:
    """Explain a connection on which nobody answers the association request."""
    found = f"{peer} took the connection, but did not answer the association within {peer.timeouts.association_s:g} s."
    return PeerUnavailable(
        found, remedy=f"Check that it is a DICOM port, without TLS, and that it is not stuck. {BY_ITSELF}"
    )


def no_dicom(peer: Peer) -> DeliveryRefused:
    """Explain an answer that is no DICOM."""
    return DeliveryRefused(f"{peer} answered with something that is no DICOM.", remedy="Check its port.")


def closed(peer: Peer) -> PeerUnavailable:
    """Explain a connection that ended before the association stood."""
    found = f"{peer} closed the connection without a word about the association."
    return PeerUnavailable(found, remedy=f"{SEE_ITS_LOG} It may want TLS, or not let our address in. {BY_ITSELF}")


def aborted(peer: Peer) -> PeerUnavailable:
    """Explain an A-ABORT."""
    return PeerUnavailable(f"{peer} aborted the association.", remedy=f"{SEE_ITS_LOG} {BY_ITSELF}")


def lost(peer: Peer) -> PeerUnavailable:
    """Explain a connection that broke while something was sent or awaited."""
    return PeerUnavailable(f"The connection to {peer} was lost on the way.", remedy=f"{SEE_ITS_LOG} {BY_ITSELF}")


def unanswered(peer: Peer) -> PeerUnavailable:
    """Explain an object that was sent and is not answered."""
    found = f"{peer} gave no proper answer within {peer.timeouts.answer_s:g} s to what was sent."
    return PeerUnavailable(found, remedy=f"{SEE_ITS_LOG} {BY_ITSELF}")


def nothing_accepted(peer: Peer) -> DeliveryRefused:
    """Explain an association of which every presentation context was refused."""
    found = f"{peer} takes the association, but none of the objects that would be sent."
    return DeliveryRefused(found, remedy="Let it store their SOP classes, or send them elsewhere.")


def context_refused(peer: Peer, sop_class: str, syntax: str | None) -> DeliveryRefused:
    """Explain a refused presentation context; without a syntax, it is the SOP class that the peer does not know."""
    name = UID(sop_class).name
    if syntax is None:
        found = f"{peer} does not take {name}."
        return DeliveryRefused(found, remedy="Let it store this SOP class, or send it elsewhere.")
    found = f"{peer} does not take {name} in {UID(syntax).name}."
    return DeliveryRefused(found, remedy="Let it store this SOP class in this transfer syntax.")


def not_stored(peer: Peer, status: int) -> XrayAiError | None:
    """Explain the status of a C-STORE; None where the peer holds the object."""
    if status in STORED or status == DUPLICATE:
        return None
    family = CANNOT_UNDERSTAND if status & 0xF000 == CANNOT_UNDERSTAND else status & 0xFF00
    meaning = MEANINGS.get(status) or MEANINGS.get(family, "gives a status that DICOM does not know")
    found = f"{peer} did not store the object: it {meaning} (status 0x{status:04X})."
    if status in PASSING or family == OUT_OF_RESOURCES:
        return PeerUnavailable(found, remedy=f"{SEE_ITS_LOG} {BY_ITSELF}")
    return DeliveryRefused(found, remedy=f"{SEE_ITS_LOG} Then retry the delivery.")
