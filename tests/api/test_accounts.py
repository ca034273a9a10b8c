"""An administrator lets people and programs in, and out again."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from tests.api.edge import an_edge, of
from tests.api.people import enrol, hand_out, sign_in
from tests.records.rows import STUDY, receive
from xray_ai.domain.access import Permission, Role

LINH = {"name": "linh", "display_name": "Nguyễn Thị Linh", "role": "radiologist"}
CHOSEN = "a password of her own"


@pytest.fixture
def root(engine: Engine, tmp_path: Path) -> TestClient:
    """The administrator's browser."""
    enrol(engine, "root", Role.ADMINISTRATOR)
    return sign_in(an_edge(engine, tmp_path), "root")


@pytest.fixture
def program(engine: Engine, tmp_path: Path) -> TestClient:
    return an_edge(engine, tmp_path)


def test_who_is_invited_chooses_a_password_and_is_in(root: TestClient, program: TestClient) -> None:
    invited = root.post("/api/accounts", json=LINH)
    assert (invited.status_code, invited.json()["account"]["display_name"]) == (201, "Nguyễn Thị Linh")

    taken_up = {"token": invited.json()["token"], "password": CHOSEN}
    assert of(program.post("/api/setup", json=taken_up))["name"] == "linh"
    assert of(program.get("/api/session"))["role"] == "radiologist"
    assert [one["name"] for one in of(root.get("/api/accounts"))["items"]] == ["linh", "root"]


def test_an_invitation_holds_once_and_an_earlier_one_no_longer(root: TestClient, program: TestClient) -> None:
    first = root.post("/api/accounts", json=LINH).json()["token"]
    second = root.post("/api/accounts/linh/invitation").json()["token"]

    tried = [program.post("/api/setup", json={"token": one, "password": CHOSEN}) for one in (first, second, second)]
    assert [answer.status_code for answer in tried] == [410, 200, 410]
    assert tried[0].json()["code"] == "invitation_over"


def test_a_name_is_given_once(root: TestClient) -> None:
    answers = [root.post("/api/accounts", json=LINH) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 409]


@pytest.mark.parametrize("changes", [{"name": "../x"}, {"name": "Linh"}, {"role": "service"}, {"display_name": ""}])
def test_an_account_that_makes_no_sense_is_refused(root: TestClient, changes: dict[str, str]) -> None:
    assert root.post("/api/accounts", json=LINH | changes).status_code == 422


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "researcher"}])
def test_who_is_let_out_or_changes_role_is_signed_out_at_once(
    engine: Engine, root: TestClient, program: TestClient, change: dict[str, object]
) -> None:
    enrol(engine, "linh")
    sign_in(program, "linh")

    of(root.patch("/api/accounts/linh", json=change))
    assert program.get("/api/session").status_code == 401


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "radiologist"}])
def test_the_last_administrator_stays_one(root: TestClient, change: dict[str, object]) -> None:
    answer = root.patch("/api/accounts/root", json=change)

    assert (answer.status_code, answer.json()["code"]) == (409, "last_administrator")
    assert of(root.get("/api/session"))["role"] == "administrator"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/api/accounts/nobody"),
        ("POST", "/api/accounts/nobody/invitation"),
        ("DELETE", f"/api/tokens/{0:016}"),
    ],
)
def test_nobody_is_not_found(root: TestClient, method: str, path: str) -> None:
    assert root.request(method, path, json={}).status_code == 404


def test_a_token_is_shown_once_and_lets_a_program_do_what_it_is_for(root: TestClient, program: TestClient) -> None:
    made = root.post("/api/tokens", json={"name": "RIS", "permissions": ["studies.see"], "days": 30})
    assert made.status_code == 201

    shown = {"Authorization": f"Bearer {made.json()['token']}"}
    assert program.get("/api/worklist", headers=shown).status_code == 200
    assert program.get("/metrics", headers=shown).status_code == 403
    assert made.json()["token"] not in root.get("/api/tokens").text
    assert of(root.get("/api/tokens"))["items"][0]["last_used_at"] is not None


def test_a_revoked_token_opens_nothing(root: TestClient, program: TestClient) -> None:
    made = root.post("/api/tokens", json={"name": "RIS", "permissions": ["studies.see"]}).json()

    assert root.delete(f"/api/tokens/{made['token_id']}").status_code == 204
    assert program.get("/api/worklist", headers={"Authorization": f"Bearer {made['token']}"}).status_code == 401


def test_a_token_that_has_expired_opens_nothing(engine: Engine, program: TestClient) -> None:
    hand_out(engine, "old", Permission.SEE_STUDIES, days=0)

    assert program.get("/api/worklist", headers={"Authorization": "Bearer old"}).status_code == 401


def test_a_token_may_do_no_more_than_who_makes_it(root: TestClient) -> None:
    wanted = {"name": "RIS", "permissions": ["studies.adjudicate"]}

    assert root.post("/api/tokens", json=wanted).status_code == 403


def test_the_trail_tells_who_saw_which_study(engine: Engine, root: TestClient, program: TestClient) -> None:
    receive(engine)
    enrol(engine, "linh")
    of(sign_in(program, "linh").get(f"/api/studies/{STUDY}"))

    (seen,) = of(root.get("/api/audit", params={"study": STUDY}))["items"]
    assert (seen["who"], seen["action"]) == ("linh", "study_viewed")


def test_the_trail_tells_the_newest_first_and_no_name_that_was_mistyped(root: TestClient, program: TestClient) -> None:
    program.post("/api/session", json={"name": "my secret password", "password": "x"})

    trail = of(root.get("/api/audit?limit=2"))
    assert [one["action"] for one in trail["items"]] == ["sign_in_failed", "signed_in"]
    assert "secret" not in str(trail)
    assert of(root.get("/api/audit?who=root&limit=1&offset=0"))["total"] == 1
