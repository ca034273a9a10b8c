"""People sign in and out, and nobody signs in for them."""

from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from tests.api.edge import an_edge, of
from tests.api.people import PASSWORD, enrol, sign_in
from tests.records.rows import after
from xray_ai.api.access import COOKIE, CSRF_HEADER
from xray_ai.domain.access import Role
from xray_ai.records.database import reading

NEW = "another horse, no staples"


@pytest.fixture
def browser(engine: Engine, tmp_path: Path) -> TestClient:
    """Maria's, signed in."""
    enrol(engine, "maria")
    return sign_in(an_edge(engine, tmp_path), "maria")


@pytest.fixture
def other(engine: Engine, tmp_path: Path) -> TestClient:
    return an_edge(engine, tmp_path)


def try_to_sign_in(client: TestClient, name: str, password: str = PASSWORD) -> int:
    status: int = client.post("/api/session", json={"name": name, "password": password}).status_code
    return status


def pass_time(client: TestClient, seconds: float) -> None:
    state = client.app.state  # type: ignore[attr-defined] # the client types its application loosely
    state.operations = replace(state.operations, now=lambda: after(100 + seconds))


def test_who_signs_in_is_told_who_they_are(browser: TestClient) -> None:
    me = of(browser.get("/api/session"))

    assert (me["name"], me["role"], me["language"], me["blind_mode"]) == ("maria", "radiologist", None, False)
    assert "studies.adjudicate" in me["permissions"]
    assert of(browser.get("/api/worklist"))["total"] == 0


def test_a_name_is_the_same_in_capitals(engine: Engine, edge: TestClient) -> None:
    enrol(engine, "maria")

    assert try_to_sign_in(edge, "Maria") == 200


def test_a_browser_keeps_the_cookie_from_scripts_and_from_other_sites(engine: Engine, edge: TestClient) -> None:
    enrol(engine, "maria")

    told = edge.post("/api/session", json={"name": "maria", "password": PASSWORD}).headers["set-cookie"]
    assert "HttpOnly" in told
    assert "SameSite=strict" in told
    assert "Secure" not in told


def test_under_tls_the_cookie_is_never_sent_in_the_clear(engine: Engine, edge: TestClient) -> None:
    enrol(engine, "maria")

    answer = edge.post("https://localhost/api/session", json={"name": "maria", "password": PASSWORD})
    assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize(("name", "password"), [("maria", "wrong"), ("nobody", PASSWORD), ("", ""), ("maria", "")])
def test_a_wrong_name_and_a_wrong_password_are_told_alike(
    engine: Engine, edge: TestClient, name: str, password: str
) -> None:
    enrol(engine, "maria")

    answer = edge.post("/api/session", json={"name": name, "password": password})
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_password")
    assert answer.json()["detail"] == "The name or the password is wrong."
    assert COOKIE not in edge.cookies


def test_after_five_wrong_passwords_one_waits(engine: Engine, edge: TestClient) -> None:
    enrol(engine, "maria")
    assert [try_to_sign_in(edge, "maria", "wrong") for _ in range(6)] == [401] * 5 + [429]

    answer = edge.post("/api/session", json={"name": "maria", "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
    assert 0 < int(answer.headers["retry-after"]) <= 300


def test_a_session_that_somebody_planted_is_not_the_one_that_opens(engine: Engine, other: TestClient) -> None:
    enrol(engine, "maria")
    other.cookies.set(COOKIE, "planted")

    sign_in(other, "maria")
    assert other.get("/api/session", headers={"Cookie": f"{COOKIE}=planted"}).status_code == 401


def test_signing_in_again_ends_the_session_before(browser: TestClient, other: TestClient) -> None:
    before = browser.cookies[COOKIE]

    sign_in(browser, "maria")
    assert browser.cookies[COOKIE] != before
    other.cookies.set(COOKIE, before)
    assert other.get("/api/session").status_code == 401


def test_who_signs_out_is_out(browser: TestClient) -> None:
    secret = browser.cookies[COOKIE]

    assert browser.delete("/api/session").status_code == 204
    assert COOKIE not in browser.cookies
    browser.cookies.set(COOKIE, secret)
    assert browser.get("/api/worklist").status_code == 401


@pytest.mark.parametrize(("idle_s", "status"), [(3500, 200), (3700, 401)])
def test_a_session_ends_when_it_is_not_used(browser: TestClient, idle_s: float, status: int) -> None:
    pass_time(browser, idle_s)

    assert browser.get("/api/session").status_code == status


def test_a_session_that_is_used_ends_after_a_shift(browser: TestClient) -> None:
    seen = []
    for hour in range(1, 26):
        pass_time(browser, hour * 1800)
        seen.append(browser.get("/api/session").status_code)

    assert seen == [200] * 23 + [401] * 2


@pytest.mark.parametrize("shown", [{CSRF_HEADER: ""}, {CSRF_HEADER: "other"}, {CSRF_HEADER: "ü".encode()}])
def test_a_change_without_the_sessions_own_token_is_refused(browser: TestClient, shown: dict[str, str | bytes]) -> None:
    answer = browser.patch("/api/session", json={"alerts": True}, headers=shown)  # type: ignore[arg-type] # bytes too

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_token")
    assert of(browser.get("/api/session"))["alerts"] is False


@pytest.mark.parametrize(
    "shown", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_page_of_another_site_changes_nothing_and_signs_nobody_in(browser: TestClient, shown: dict[str, str]) -> None:
    credentials = {"name": "maria", "password": PASSWORD}

    for answer in (
        browser.patch("/api/session", json={"alerts": True}, headers=shown),
        browser.post("/api/session", json=credentials, headers=shown),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "from_elsewhere")


def test_our_own_page_may_change_things(browser: TestClient) -> None:
    from_here = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}

    wishes = {"language": "vi", "blind_mode": True, "alerts": True}
    assert of(browser.patch("/api/session", json=wishes, headers=from_here))["language"] == "vi"
    assert of(browser.get("/api/session"))["blind_mode"] is True


def test_a_form_of_another_site_cannot_be_taken_for_json(browser: TestClient) -> None:
    answer = browser.post(
        "/api/session", content='{"name":"maria","password":"x"}', headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 422


def test_another_password_ends_the_other_sessions(browser: TestClient, other: TestClient) -> None:
    sign_in(other, "maria")

    assert browser.post("/api/session/password", json={"old": PASSWORD, "new": NEW}).status_code == 204
    assert (browser.get("/api/session").status_code, other.get("/api/session").status_code) == (200, 401)
    assert (try_to_sign_in(other, "maria"), try_to_sign_in(other, "maria", NEW)) == (401, 200)


@pytest.mark.parametrize(("old", "new", "status"), [("wrong", NEW, 403), (PASSWORD, "short", 422)])
def test_a_password_is_changed_by_who_knows_it_to_one_that_is_long(
    browser: TestClient, old: str, new: str, status: int
) -> None:
    assert browser.post("/api/session/password", json={"old": old, "new": new}).status_code == status
    assert try_to_sign_in(browser, "maria") == 200


def test_neither_passwords_nor_secrets_are_in_the_database(browser: TestClient, engine: Engine) -> None:
    with reading(engine) as connection:
        rows = [
            *connection.execute(text("SELECT * FROM sessions")),
            *connection.execute(text("SELECT * FROM accounts")),
        ]

    assert browser.cookies[COOKIE] not in str(rows)
    assert PASSWORD not in str(rows)
    assert "$argon2id$" in str(rows)


@pytest.mark.parametrize(("role", "is_needed"), [(Role.RADIOLOGIST, True), (Role.ADMINISTRATOR, False)])
def test_it_is_told_whether_nobody_can_administer(
    engine: Engine, edge: TestClient, role: Role, *, is_needed: bool
) -> None:
    enrol(engine, "maria", role)

    assert of(edge.get("/api/setup")) == {"is_needed": is_needed}
