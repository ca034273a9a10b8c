"""Verification SCU (PS3.4 annex A): asks whether a destination is there, and tells what it would take."""

from collections.abc import Iterable
from dataclasses import dataclass

from xray_ai.deliver.association import associated
from xray_ai.deliver.destinations import Destination, Forms
from xray_ai.deliver.presentation_contexts import (
    SC_FORMS,
    SR_FORMS,
    VERIFICATION,
    chosen_forms,
    is_taken,
    proposed_forms,
)
from xray_ai.domain.delivery import ResultKind
from xray_ai.domain.evidence import SCForm, SRForm

SUCCESS = 0x0000
NAMES = {
    SRForm.COMPREHENSIVE_3D: "Comprehensive 3D SR",
    SRForm.COMPREHENSIVE: "Comprehensive SR",
    SCForm.JPEG: "JPEG",
    SCForm.RLE: "RLE",
    SCForm.UNCOMPRESSED: "uncompressed",
}


@dataclass(frozen=True, slots=True)
class EchoReport:
    """What a destination that answers would take."""

    destination: Destination
    status: int | None  # of C-ECHO; None: it does not take the Verification SOP class
    sr: tuple[SRForm, ...]  # what it takes of what may be sent to it, the best first
    sc: tuple[SCForm, ...]
    forms: Forms  # what would be sent

    @property
    def is_ready(self) -> bool:
        """Whether every result that it wants can be sent."""
        return (bool(self.sr) or ResultKind.SR not in self.destination.results) and (
            bool(self.sc) or ResultKind.SC not in self.destination.results
        )

    def sentences(self) -> tuple[str, ...]:
        """The report for people."""
        peer = self.destination.peer
        return (
            f"{peer} accepts associations of {peer.calling_ae_title} and {self._answer()}.",
            f"Structured reports: {self._taken(ResultKind.SR, self.sr, self.forms.sr)}",
            f"Secondary captures: {self._taken(ResultKind.SC, self.sc, self.forms.sc)}",
        )

    def _answer(self) -> str:
        if self.status is None:
            return "does not offer C-ECHO"
        return "answers C-ECHO" if self.status == SUCCESS else f"answers C-ECHO with status 0x{self.status:04X}"

    def _taken(self, kind: ResultKind, taken: Iterable[SRForm | SCForm], sent: SRForm | SCForm) -> str:
        names = ", ".join(NAMES[form] for form in taken)
        if kind not in self.destination.results:
            return f"not wanted (destinations.results); it takes {names or 'none'}."
        if not names:
            return "it takes none that may be sent. Let it store that SOP class, or take this result from its results."
        return f"it takes {names}; {NAMES[sent]} is sent."


def echo(destination: Destination) -> EchoReport:
    """Associate with a destination as for sending, and verify it. Raises PeerUnavailable or DeliveryRefused."""
    with associated(destination.peer, [VERIFICATION, *proposed_forms(destination)]) as association:
        accepted = association.accepted
        status = association.echo() if VERIFICATION in accepted else None
    return EchoReport(
        destination,
        status,
        tuple(form for form, context in SR_FORMS.items() if is_taken(context, accepted)),
        tuple(form for form, context in SC_FORMS.items() if is_taken(context, accepted)),
        chosen_forms(destination, accepted),
    )
