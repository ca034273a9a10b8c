"""Every route as everybody: who may, who may not, and no route that nobody thought of."""

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from tests.api.edge import an_edge
from tests.api.people import enrol, hand_out, sign_in
from tests.house.shape import ROOT
from tests.records.rows import receive
from xray_ai.domain.access import GRANTS, Permission, Role

ROW = re.compile(r"^\| `([A-Z]+) (/[^`]*)` \| `?([a-z. ]+?)`? \|$", re.MULTILINE)
ROUTES = [(method, path, needed) for method, path, needed in ROW.findall((ROOT / "docs" / "api.md").read_text("utf-8"))]
GUARDED = [route for route in ROUTES if "." in route[2]]
PEOPLE = [role for role in Role if role is not Role.SERVICE]
VALUES = {"{uid}": "1.2.3.4", "{name}": "nobody", "{token_id}": "0" * 16} | {
    "{study}": "1.2.3.1",
    "{series}": "1.2.3.2",
    "{instance}": "1.2.3.4",
    "{numbers}": "1",
}
LET_IN = {200, 201, 204, 400, 404, 406, 409, 422, 503}  # whoever is not refused is answered by the route itself


def asked(client: TestClient, method: str, path: str, **shown: str) -> int:
    for word, value in VALUES.items():
        path = path.replace(word, value)
    status: int = client.request(method, path, headers=shown).status_code
    return status


@pytest.fixture
def stranger(engine: Engine, tmp_path: Path) -> TestClient:
    """A browser that nobody signed in with, at a service that has an account."""
    enrol(engine, "root", Role.ADMINISTRATOR)
    receive(engine)
    edge = an_edge(engine, tmp_path)
    edge.app.state.changes.close()  # type: ignore[attr-defined] # of FastAPI; else whoever listens stays
    return edge


def test_the_manual_names_a_permission_for_every_route(edge: TestClient) -> None:
    there = {
        (method, path) for path, methods in edge.get("/openapi.json").json()["paths"].items() for method in methods
    }
    shown = {(method.lower(), path) for method, path, _ in ROUTES}

    assert there - shown == set()


@pytest.mark.parametrize("role", PEOPLE)
@pytest.mark.parametrize(("method", "path", "needed"), GUARDED)
def test_a_role_reaches_what_it_is_here_for_and_nothing_else(
    engine: Engine, stranger: TestClient, role: Role, method: str, path: str, needed: str
) -> None:
    enrol(engine, "maria", role)

    status = asked(sign_in(stranger, "maria"), method, path)
    assert (status in LET_IN) is (Permission(needed) in GRANTS[role])
    assert status in LET_IN | {403}


@pytest.mark.parametrize(("method", "path", "needed"), GUARDED)
def test_a_token_reaches_what_it_was_made_for_and_nothing_else(
    engine: Engine, stranger: TestClient, method: str, path: str, needed: str
) -> None:
    hand_out(engine, "right", Permission(needed))
    hand_out(engine, "wrong", *(set(Permission) - {Permission(needed)}))

    assert asked(stranger, method, path, Authorization="Bearer right") in LET_IN
    assert asked(stranger, method, path, Authorization="Bearer wrong") == 403


@pytest.mark.parametrize(("method", "path", "needed"), [route for route in ROUTES if route[2] != "open to all"])
def test_who_is_not_signed_in_reaches_nothing(stranger: TestClient, method: str, path: str, needed: str) -> None:
    assert asked(stranger, method, path) == 401, needed


@pytest.mark.parametrize("path", ["/api/studies/1.2.3.1", "/api/worklist"])
def test_a_researcher_sees_no_patient_even_by_the_right_uid(engine: Engine, stranger: TestClient, path: str) -> None:
    enrol(engine, "rita", Role.RESEARCHER)

    answer = sign_in(stranger, "rita").get(path)
    assert (answer.status_code, "Zzyzx" in answer.text) == (403, False)
