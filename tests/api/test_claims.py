"""Who reads a study: one reader has it at a time, and everybody sees who."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from tests.api.edge import an_edge, of
from tests.api.people import enrol, sign_in
from tests.records.rows import STUDY, receive
from xray_ai.domain.access import Role
from xray_ai.records import audit
from xray_ai.records.audit import AuditQuery
from xray_ai.records.database import reading

CLAIM, RELEASE, FINISH = (f"/api/studies/{STUDY}/{word}" for word in ("claim", "release", "finish"))


@pytest.fixture
def maria(engine: Engine, tmp_path: Path) -> TestClient:
    receive(engine)
    return somebody(engine, tmp_path, "maria")


@pytest.fixture
def john(engine: Engine, tmp_path: Path) -> TestClient:
    return somebody(engine, tmp_path, "john")


def somebody(engine: Engine, tmp_path: Path, name: str, role: Role = Role.RADIOLOGIST) -> TestClient:
    enrol(engine, name, role)
    return sign_in(an_edge(engine, tmp_path), name)


def test_a_reader_claims_a_study_and_all_see_who_has_it(maria: TestClient, john: TestClient) -> None:
    assert of(maria.post(CLAIM))["is"] == "claimed"

    (seen,) = of(john.get("/api/worklist"))["items"]
    assert (seen["state"]["is"], seen["state"]["by"], seen["state"]["by_display_name"]) == ("claimed", "maria", "Maria")


def test_a_second_reader_is_told_who_has_it(maria: TestClient, john: TestClient) -> None:
    of(maria.post(CLAIM))

    refused = john.post(CLAIM)
    assert (refused.status_code, refused.json()["code"]) == (409, "already_claimed")
    assert "Maria" in refused.json()["detail"]


def test_claiming_again_what_one_has_changes_nothing(maria: TestClient) -> None:
    assert of(maria.post(CLAIM))["since"] == of(maria.post(CLAIM))["since"]


def test_what_a_reader_has_finished_is_finished(maria: TestClient) -> None:
    of(maria.post(CLAIM))

    assert of(maria.post(FINISH))["is"] == "finished"
    assert maria.post(CLAIM).status_code == 409


def test_who_does_not_have_a_study_neither_finishes_nor_releases_it(maria: TestClient, john: TestClient) -> None:
    of(maria.post(CLAIM))

    assert [john.post(path).json()["code"] for path in (FINISH, RELEASE)] == ["not_yours", "not_yours"]


def test_a_reader_gives_a_study_back_and_another_takes_it(maria: TestClient, john: TestClient) -> None:
    of(maria.post(CLAIM))

    assert of(maria.post(RELEASE))["is"] == "waiting"
    assert of(john.post(CLAIM))["by"] == "john"


def test_an_administrator_frees_what_somebody_left(engine: Engine, tmp_path: Path, maria: TestClient) -> None:
    of(maria.post(CLAIM))

    assert of(somebody(engine, tmp_path, "root", Role.ADMINISTRATOR).post(RELEASE))["is"] == "waiting"


def test_a_study_that_is_not_here_cannot_be_claimed(maria: TestClient) -> None:
    assert maria.post("/api/studies/9.9/claim").status_code == 404


def test_claims_go_to_the_audit_trail(engine: Engine, maria: TestClient) -> None:
    for path in (CLAIM, FINISH):
        of(maria.post(path))

    with reading(engine) as connection:
        trail = audit.page(connection, AuditQuery(10, study=STUDY)).items
    assert [entry.action for entry in trail] == ["study_finished", "study_claimed"]
