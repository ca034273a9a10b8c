"""Which destination wants which result of which study, and in what form."""

import re
from dataclasses import dataclass, replace

from xray_ai.domain.delivery import DestinationUnsound, Peer, ResultKind, StudyFacts
from xray_ai.domain.evidence import ResultOptions, SCForm, SRForm
from xray_ai.domain.finding import FindingKey
from xray_ai.domain.priority import Priority

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")  # it stands in records, metrics and logs


@dataclass(frozen=True, slots=True)
class Destination:
    """One receiver of results, as the site configured it."""

    peer: Peer
    results: frozenset[ResultKind] = frozenset(ResultKind)
    least_priority: Priority = Priority.ROUTINE
    findings: frozenset[FindingKey] = frozenset()  # any of them; empty: every study
    localisation: bool | None = None  # None: as for all results
    sr_form: SRForm | None = None  # None: the best that the peer takes
    sc_form: SCForm | None = None

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.peer.name):
            raise DestinationUnsound(
                f"{self.peer.name!r} is no name for a destination.",
                remedy="Use 1 to 32 letters, digits, dots, hyphens and underscores.",
            )
        if not self.results:
            raise DestinationUnsound(
                f"The destination {self.name} wants no result.", remedy="Name sr or sc in its results, or remove it."
            )

    @property
    def name(self) -> str:
        return self.peer.name


@dataclass(frozen=True, slots=True)
class Forms:
    """In which form a destination gets its objects."""

    sr: SRForm
    sc: SCForm


def wanted_by(destination: Destination, study: StudyFacts, *, localisation: bool) -> frozenset[ResultKind]:
    """Decide which results of a study a destination gets; `localisation` is the site's own switch.

    A study of which nothing was read counts as ROUTINE: silence must not pass for 'nothing found'.
    """
    priority = Priority.ROUTINE if study.priority is None else study.priority
    is_of_interest = not destination.findings or not destination.findings.isdisjoint(study.flagged)
    if priority < destination.least_priority or not is_of_interest:
        return frozenset()
    if not localises(destination, localisation=localisation):
        return destination.results - {ResultKind.SC}  # a heatmap is all that it shows
    return destination.results


def options_for(destination: Destination, site: ResultOptions, forms: Forms) -> ResultOptions:
    """How the results for one destination are composed."""
    localisation = localises(destination, localisation=site.localisation)
    return replace(site, localisation=localisation, sr_form=forms.sr, sc_form=forms.sc)


def localises(destination: Destination, *, localisation: bool) -> bool:
    """Whether its results show where findings are."""
    return localisation if destination.localisation is None else destination.localisation


def check_names(destinations: tuple[Destination, ...]) -> None:
    """Refuse two destinations of one name, since records know a destination by it. Raises DestinationUnsound."""
    names = [destination.name for destination in destinations]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DestinationUnsound(
            f"Several destinations are called {', '.join(twice)}.", remedy="Give each its own name."
        )
