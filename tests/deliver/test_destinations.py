"""Which destination gets which result of a study, and in what form."""

from dataclasses import replace

import pytest

from tests.deliver.peers import a_destination
from xray_ai.deliver.destinations import Destination, Forms, check_names, options_for, wanted_by
from xray_ai.domain.delivery import DestinationUnsound, Peer, ResultKind, StudyFacts, Timeouts
from xray_ai.domain.evidence import ResultOptions, SCForm, SRForm
from xray_ai.domain.finding import FindingKey
from xray_ai.domain.priority import Priority

BOTH = frozenset(ResultKind)
PNEUMOTHORAX = FindingKey("pneumothorax")
URGENT = StudyFacts(Priority.STAT, frozenset({PNEUMOTHORAX}))
CALM = StudyFacts(Priority.ROUTINE, frozenset())
UNREAD = StudyFacts(None, frozenset())


def wanted(study: StudyFacts, *, localisation: bool = True, **rules: object) -> frozenset[ResultKind]:
    return wanted_by(a_destination(104, **rules), study, localisation=localisation)


@pytest.mark.parametrize("study", [URGENT, CALM, UNREAD])
def test_a_destination_without_rules_gets_everything_about_every_study(study: StudyFacts) -> None:
    assert wanted(study) == BOTH


def test_a_destination_gets_the_results_that_it_names() -> None:
    assert wanted(URGENT, results=frozenset({ResultKind.SR})) == {ResultKind.SR}


@pytest.mark.parametrize(("study", "expected"), [(URGENT, BOTH), (CALM, frozenset()), (UNREAD, frozenset())])
def test_a_least_priority_keeps_calmer_studies_away(study: StudyFacts, expected: frozenset[ResultKind]) -> None:
    assert wanted(study, least_priority=Priority.HIGH) == expected


def test_a_study_as_urgent_as_the_least_priority_is_wanted() -> None:
    assert wanted(replace(URGENT, priority=Priority.HIGH), least_priority=Priority.HIGH) == BOTH


def test_any_of_the_findings_is_enough() -> None:
    findings = frozenset({PNEUMOTHORAX, FindingKey("mass")})

    assert wanted(URGENT, findings=findings) == BOTH
    assert wanted(CALM, findings=findings) == frozenset()


@pytest.mark.parametrize(
    ("site", "override", "expected"), [(True, False, False), (False, True, True), (True, None, True)]
)
def test_a_destination_overrides_localisation_and_without_it_there_is_no_capture(
    *, site: bool, override: bool | None, expected: bool
) -> None:
    destination = a_destination(104, localisation=override)

    assert (ResultKind.SC in wanted_by(destination, URGENT, localisation=site)) is expected
    forms = Forms(SRForm.COMPREHENSIVE, SCForm.RLE)
    assert options_for(destination, ResultOptions(localisation=site), forms).localisation is expected


def test_results_are_composed_in_the_forms_that_were_negotiated() -> None:
    site = ResultOptions(sr_series_number=77)

    options = options_for(a_destination(104), site, Forms(SRForm.COMPREHENSIVE, SCForm.RLE))

    assert options == ResultOptions(sr_form=SRForm.COMPREHENSIVE, sc_form=SCForm.RLE, sr_series_number=77)


@pytest.mark.parametrize("title", ["", " PACS", "PACS ", "A" * 17, "PA\\CS", "PÄCS", "PA\nCS"])
def test_an_ae_title_that_dicom_forbids_is_refused(title: str) -> None:
    with pytest.raises(DestinationUnsound, match="no AE title"):
        Peer("PACS1", title, "10.0.0.5", 104)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_no_network_has_is_refused(port: int) -> None:
    with pytest.raises(DestinationUnsound, match="no port"):
        Peer("PACS1", "PACS1", "10.0.0.5", port)


def test_a_destination_that_wants_nothing_is_refused() -> None:
    with pytest.raises(DestinationUnsound, match="wants no result"):
        a_destination(104, results=frozenset())


@pytest.mark.parametrize("name", ["", "main PACS", "../PACS", "P" * 33])
def test_a_name_that_cannot_stand_in_records_is_refused(name: str) -> None:
    with pytest.raises(DestinationUnsound, match="no name"):
        Destination(Peer(name, "PACS1", "10.0.0.5", 104))


def test_a_time_limit_of_nothing_is_refused() -> None:
    with pytest.raises(DestinationUnsound, match="time limit"):
        Timeouts(connect_s=0.0)


def test_two_destinations_of_one_name_are_refused() -> None:
    with pytest.raises(DestinationUnsound, match="called PACS1"):
        check_names((a_destination(104), a_destination(105)))


@pytest.mark.parametrize("address", ["PACS1@10.0.0.5:104", "PACS1@[::1]:104", "MAIN PACS@pacs.example:11112"])
def test_an_address_on_the_command_line_is_title_host_and_port(address: str) -> None:
    peer = Peer.at(address, "XRAY_AI")

    assert f"{peer.ae_title}@{peer.host}:{peer.port}" == address.replace("[", "").replace("]", "")


@pytest.mark.parametrize("address", ["PACS1", "PACS1@10.0.0.5", "10.0.0.5:104", "PACS1@:104", "PACS1@host:port", ""])
def test_an_address_that_lacks_something_is_refused_with_an_example(address: str) -> None:
    with pytest.raises(DestinationUnsound, match="AE@HOST:PORT"):
        Peer.at(address, "XRAY_AI")
