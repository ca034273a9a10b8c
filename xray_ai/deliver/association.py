"""An association with a peer: asked for, used and released here; when it fails, the reason is told in plain words."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.filereader import dcmread
from pynetdicom import build_context, evt
from pynetdicom.association import Association
from pynetdicom.pdu import A_ABORT_RQ, A_ASSOCIATE_RJ

from xray_ai.deliver import refusals
from xray_ai.deliver.calling_ae import CallingAE, Line, bound_memory, keep_answers
from xray_ai.deliver.outgoing_file import OutgoingFile
from xray_ai.deliver.presentation_contexts import Context
from xray_ai.domain.delivery import DeliveryRefused, Peer
from xray_ai.domain.uid import SOPClassUID, TransferSyntaxUID
from xray_ai.errors import PeerUnavailable, XrayAiError

UNLIMITED_PDU = 0
ACCEPTED, ABSTRACT_SYNTAX_NOT_SUPPORTED = 0, 3  # PS3.8 table 9-18
MEDIUM = 0  # C-STORE priority, PS3.7 9.1.1.1.6
LAST_MESSAGE_ID = 0xFFFF


class OpenAssociation:
    """An association that stands: what the peer takes on it, and the way to send."""

    def __init__(self, peer: Peer, association: Association, ending: "_Ending") -> None:
        self._peer = peer
        self._association = association
        self._ending = ending
        self._message_id = 0
        self.accepted = frozenset(
            (SOPClassUID(str(context.abstract_syntax)), TransferSyntaxUID(context.transfer_syntax[0]))
            for context in association.accepted_contexts
        )
        self._unknown_classes = {
            str(context.abstract_syntax)
            for context in association.rejected_contexts
            if context.result == ABSTRACT_SYNTAX_NOT_SUPPORTED
        }

    def refusal_of(self, file: OutgoingFile) -> DeliveryRefused:
        """Why a file of a context that is not accepted cannot be sent."""
        syntax = None if file.sop_class_uid in self._unknown_classes else file.transfer_syntax_uid
        return refusals.context_refused(self._peer, file.sop_class_uid, syntax)

    def store(self, file: OutgoingFile) -> int:
        """Send a file, byte for byte; the status. Raises PeerUnavailable, when the association is lost."""
        return self._stored(file.path)

    def store_in_implicit_vr(self, file: OutgoingFile) -> int:
        """Send an uncompressed object in the default transfer syntax; otherwise as `store`."""
        return self._stored(dcmread(file.path))

    def _stored(self, content: Path | Dataset) -> int:
        self._message_id = self._message_id % LAST_MESSAGE_ID + 1
        try:
            return self._status(self._association.send_c_store(content, self._message_id, MEDIUM))
        except RuntimeError as error:  # the association ended after the last answer
            raise self._ending.in_the_middle() from error

    def echo(self) -> int:
        """Ask whether the application is there; the status. Raises PeerUnavailable."""
        return self._status(self._association.send_c_echo())

    def _status(self, answer: Dataset) -> int:
        status = answer.get("Status")
        if status is None:
            raise self._ending.in_the_middle()
        return int(status)


@contextmanager
def associated(peer: Peer, contexts: Sequence[Context]) -> Iterator[OpenAssociation]:
    """Associate for these contexts, at most 128, each with its one transfer syntax; release at the end.

    Raises PeerUnavailable or DeliveryRefused.
    """
    ending = _Ending(peer)
    association = _requested(peer, contexts, ending)
    try:
        if not association.is_established:
            raise ending.before_the_start(association)
        bound_memory(association)
        keep_answers(association)
        yield OpenAssociation(peer, association, ending)
        association.release()
    finally:
        association.abort()  # does nothing after a release
        association.dul.join()
        ending.line.close()


def _requested(peer: Peer, contexts: Sequence[Context], ending: "_Ending") -> Association:
    calling = CallingAE(peer)
    proposed = [build_context(sop_class, syntax) for sop_class, syntax in contexts]
    handlers = [(evt.EVT_PDU_RECV, ending.note)]
    try:
        association = calling.associate(
            peer.host, peer.port, proposed, peer.ae_title, UNLIMITED_PDU, evt_handlers=list(handlers)
        )
    except OSError as error:  # the name has no address
        raise refusals.unreachable(peer, error) from error
    ending.line = calling.line
    return association


class _Ending:
    """How an association ended, told from what the line and the PDUs said.

    Not from what pynetdicom says of it: a rejection or an abort that comes faster than its thread wakes is a connection
    that failed to it.
    """

    line: Line

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._speaks_dicom = False
        self._was_aborted = False
        self._rejection: A_ASSOCIATE_RJ | None = None

    def note(self, event: evt.Event) -> None:
        """See a PDU of the peer's."""
        self._speaks_dicom = True
        self._was_aborted |= isinstance(event.pdu, A_ABORT_RQ)
        if isinstance(event.pdu, A_ASSOCIATE_RJ):
            self._rejection = event.pdu

    def before_the_start(self, association: Association) -> XrayAiError:
        """Explain why there is no association."""
        answer = association.acceptor.primitive
        if not self.line.is_connected:
            return refusals.unreachable(self._peer, self.line.failure or ConnectionError())
        if (no := self._rejection) is not None:
            return refusals.rejected(self._peer, no.result or 0, no.source or 0, no.reason_diagnostic or 0)
        if answer is not None and answer.result == ACCEPTED:
            return refusals.nothing_accepted(self._peer)
        if self._was_aborted:
            return refusals.aborted(self._peer)
        if self.line.has_heard and not self._speaks_dicom:
            return refusals.no_dicom(self._peer)
        return refusals.silent(self._peer) if self.line.failure is None else refusals.closed(self._peer)

    def in_the_middle(self) -> PeerUnavailable:
        """Explain why an answer did not come."""
        if self._was_aborted:
            return refusals.aborted(self._peer)
        is_at_a_standstill = self.line.failure is None or isinstance(self.line.failure, BlockingIOError)
        return refusals.unanswered(self._peer) if is_at_a_standstill else refusals.lost(self._peer)
