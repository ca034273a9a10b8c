"""Storage SCU (PS3.4 annex B): sends results to a destination in a form that it takes, and files as they are."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from xray_ai.deliver import refusals
from xray_ai.deliver.association import OpenAssociation, associated
from xray_ai.deliver.destinations import Destination
from xray_ai.deliver.outgoing_file import OutgoingFile, outgoing_file
from xray_ai.deliver.presentation_contexts import (
    VERIFICATION,
    Context,
    chosen_forms,
    plainest,
    proposed_forms,
)
from xray_ai.domain.delivery import ObjectOutcome, Peer
from xray_ai.errors import StudyRejected

MOST_CONTEXTS = (
    127  # of 128 (PS3.8 9.3.2.2); one is for Verification, so that no mixture of files is refused as a whole
)
MOST_FILES = 1000  # on one association

Readable = OutgoingFile | ObjectOutcome  # a file that can be sent, or why it cannot


class ResultsAssociation:
    """An association for results of ours: the forms in which the destination takes them best, and the way to send."""

    def __init__(self, destination: Destination, association: OpenAssociation) -> None:
        self._peer = destination.peer
        self._association = association
        self.forms = chosen_forms(destination, association.accepted)

    def send(self, objects: Sequence[Path]) -> tuple[ObjectOutcome, ...]:
        """Send DICOM files of ours; what became of each, in their order.

        Sending them again does no harm: the same result is the same object. A result in Explicit VR goes in
        Implicit VR to a peer that takes nothing else; nothing else is ever changed.
        Raises PeerUnavailable, when the association is lost.
        """
        return tuple(_sent_as_taken(self._peer, self._association, outgoing_file(path)) for path in objects)


@contextmanager
def associated_for_results(destination: Destination) -> Iterator[ResultsAssociation]:
    """Associate for all forms of results that a destination may get. Raises PeerUnavailable or DeliveryRefused."""
    with associated(destination.peer, [VERIFICATION, *proposed_forms(destination)]) as association:
        yield ResultsAssociation(destination, association)


def send_files(paths: Iterable[Path], peer: Peer) -> Iterator[ObjectOutcome]:
    """Send DICOM files, unchanged, on as many associations as their kinds need; what became of each, in their order.

    Raises PeerUnavailable or DeliveryRefused, when there is no association or it is lost: the rest was not sent.
    """
    batch: list[Readable] = []
    contexts: set[Context] = set()
    for path in paths:
        file = _readable(path)
        new = {_context(file)} - contexts if isinstance(file, OutgoingFile) else set()
        if len(batch) >= MOST_FILES or len(contexts) + len(new) > MOST_CONTEXTS:
            yield from _sent(peer, batch, sorted(contexts))
            batch, contexts = [], set()
        batch.append(file)
        contexts |= new
    yield from _sent(peer, batch, sorted(contexts))


def _sent(peer: Peer, batch: Sequence[Readable], contexts: Sequence[Context]) -> Iterator[ObjectOutcome]:
    if not contexts:
        yield from (file for file in batch if isinstance(file, ObjectOutcome))
        return
    with associated(peer, [VERIFICATION, *contexts]) as association:
        for file in batch:
            yield _sent_unchanged(peer, association, file) if isinstance(file, OutgoingFile) else file


def _readable(path: Path) -> Readable:
    try:
        return outgoing_file(path)
    except StudyRejected as rejection:
        return ObjectOutcome(path, None, None, rejection)


def _sent_unchanged(peer: Peer, association: OpenAssociation, file: OutgoingFile) -> ObjectOutcome:
    if _context(file) not in association.accepted:
        return _refused(association, file)
    return _answered(peer, file, association.store(file))


def _sent_as_taken(peer: Peer, association: OpenAssociation, file: OutgoingFile) -> ObjectOutcome:
    if _context(file) in association.accepted or plainest(_context(file)) not in association.accepted:
        return _sent_unchanged(peer, association, file)
    return _answered(peer, file, association.store_in_implicit_vr(file))


def _refused(association: OpenAssociation, file: OutgoingFile) -> ObjectOutcome:
    return ObjectOutcome(file.path, file.sop_instance_uid, None, association.refusal_of(file))


def _answered(peer: Peer, file: OutgoingFile, status: int) -> ObjectOutcome:
    return ObjectOutcome(file.path, file.sop_instance_uid, status, refusals.not_stored(peer, status))


def _context(file: OutgoingFile) -> Context:
    return file.sop_class_uid, file.transfer_syntax_uid
