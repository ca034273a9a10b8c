"""Who may ask the HTTP edge, and how it says no."""

from pathlib import Path
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from xray_ai.api.access import May
from xray_ai.api.problems import MEDIA_TYPE, NotHere, tell_problems
from xray_ai.api.service import Operations
from xray_ai.config import is_loopback
from xray_ai.domain.access import Caller, Permission
from xray_ai.errors import OperatorNeeded, PeerUnavailable, RejectionCode, StudyRejected


def an_app(engine: Engine, token: str | None = None, error: Exception | None = None) -> TestClient:
    app = FastAPI()
    app.state.token = token
    app.state.operations = Operations(engine, Path(), "cpu", dict, tuple)
    tell_problems(app)

    @app.get("/thing")
    def thing(_caller: Annotated[Caller, Depends(May(Permission.SEE_STUDIES))], number: int = 1) -> int:
        if error is not None:
            raise error
        return number

    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)


@pytest.mark.parametrize(("shown", "status"), [("Bearer s3cret", 200), ("Bearer other", 401), ("Bearer ü", 401)])
def test_a_token_opens_the_door(engine: Engine, shown: str, status: int) -> None:
    assert (
        an_app(engine, "s3cret").get("/thing", headers={b"Authorization": shown.encode("latin-1")}).status_code
        == status
    )


def test_without_a_token_no_one_is_asked_for_it(engine: Engine) -> None:
    assert an_app(engine).get("/thing").json() == 1


@pytest.mark.parametrize("header", ["s3cret", "Basic s3cret", "Bearer", ""])
def test_a_token_that_is_not_shown_as_a_bearer_opens_nothing(engine: Engine, header: str) -> None:
    answer = an_app(engine, "s3cret").get("/thing", headers={"Authorization": header})

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["code"] == "unauthorized"


@pytest.mark.parametrize(
    ("name", "status"), [("localhost", 200), ("127.0.0.1:8080", 200), ("[::1]:8080", 200), ("evil.example", 403)]
)
def test_without_a_token_only_this_machines_own_names_are_served(engine: Engine, name: str, status: int) -> None:
    assert an_app(engine).get("/thing", headers={"Host": name}).status_code == status


def test_with_a_token_any_name_is_served(engine: Engine) -> None:
    shown = {"Host": "xray-ai.hospital.example", "Authorization": "Bearer s3cret"}

    assert an_app(engine, "s3cret").get("/thing", headers=shown).status_code == 200


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotHere("There is no such study."), 404),
        (StudyRejected(RejectionCode.BLANK, "It is blank."), 422),
        (PeerUnavailable("PACS1 does not answer.", remedy="It is asked again."), 503),
        (OperatorNeeded("The disk is full.", remedy="Make room."), 500),
    ],
)
def test_each_error_is_a_problem_that_says_what_to_do(engine: Engine, error: Exception, status: int) -> None:
    answer = an_app(engine, error=error).get("/thing")

    assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE)
    assert answer.json()["detail"] == str(error)
    assert answer.json()["code"]


def test_a_defect_tells_nothing_of_what_it_held(engine: Engine) -> None:
    answer = an_app(engine, error=ValueError("Doe^John")).get("/thing")

    assert (answer.status_code, answer.headers["content-type"]) == (500, MEDIA_TYPE)
    assert "Doe" not in answer.text


def test_a_wrong_parameter_is_named(engine: Engine) -> None:
    answer = an_app(engine).get("/thing?number=many")

    assert (answer.status_code, answer.headers["content-type"]) == (422, MEDIA_TYPE)
    assert "query.number" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("host", "expected"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("10.0.0.5", False)]
)
def test_an_address_of_this_machine_is_known(host: str, *, expected: bool) -> None:
    assert is_loopback(host) is expected
