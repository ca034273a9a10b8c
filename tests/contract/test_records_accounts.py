"""Accounts, sessions, tokens and the trail, on each database."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from tests.records.rows import NOW, STUDY, after
from xray_ai.domain.access import Permission, Role
from xray_ai.records import accounts, audit, sessions, tokens
from xray_ai.records.accounts import Account, NameTaken
from xray_ai.records.audit import AuditEntry, AuditQuery
from xray_ai.records.database import reading, writing
from xray_ai.records.sessions import Lasting, Session
from xray_ai.records.tokens import Token
from xray_ai.records.words import AuditAction

LASTING = Lasting(unused=timedelta(seconds=60), at_most=timedelta(seconds=100))
MARIA = Account("maria", "Nguyễn Thị Linh", Role.ADMINISTRATOR, is_active=True, created_at=NOW, password_hash="kept")  # noqa: S106 - none
SESSION = Session("d" * 64, "maria", "csrf", NOW, NOW)


@pytest.fixture
def maria(engine: Engine) -> Account:
    with writing(engine) as connection:
        accounts.add(connection, MARIA)
        sessions.open_session(connection, SESSION)
    return MARIA


def signed_in(engine: Engine, seconds: float) -> bool:
    with reading(engine) as connection:
        return sessions.find(connection, SESSION.digest, after(seconds), LASTING) is not None


def test_an_account_comes_back_as_it_was(engine: Engine, maria: Account) -> None:
    with reading(engine) as connection:
        assert accounts.find(connection, "Maria") == maria
        assert accounts.listed(connection) == (maria,)
        assert accounts.administrators(connection) == 1


@pytest.mark.usefixtures("maria")
def test_a_name_that_is_taken_spoils_nothing_else_of_the_transaction(engine: Engine) -> None:
    with writing(engine) as connection:
        accounts.change(connection, "maria", {"language": "vi"})
        with pytest.raises(NameTaken):
            accounts.add(connection, MARIA)

    with reading(engine) as connection:
        assert getattr(accounts.find(connection, "maria"), "language", None) == "vi"


@pytest.mark.parametrize(("seconds", "expected"), [(0, True), (59, True), (61, False), (101, False)])
@pytest.mark.usefixtures("maria")
def test_a_session_ends(engine: Engine, seconds: float, *, expected: bool) -> None:
    assert signed_in(engine, seconds) is expected


@pytest.mark.usefixtures("maria")
def test_a_session_that_is_used_lasts_on_but_not_for_ever(engine: Engine) -> None:
    with writing(engine) as connection:
        sessions.note_use(connection, SESSION, after(50))

    assert (signed_in(engine, 99), signed_in(engine, 101)) == (True, False)


@pytest.mark.usefixtures("maria")
def test_a_closed_account_is_signed_out(engine: Engine) -> None:
    with writing(engine) as connection:
        accounts.change(connection, "maria", {"is_active": False})

    assert not signed_in(engine, 1)


@pytest.mark.usefixtures("maria")
def test_an_invitation_is_taken_up_once_and_in_time(engine: Engine) -> None:
    with writing(engine) as connection:
        sessions.invite(connection, "maria", "a" * 64, after(10))
        sessions.invite(connection, "maria", "b" * 64, after(10))
        used = [sessions.redeem(connection, letter * 64, after(5)) for letter in "abb"]
        sessions.invite(connection, "maria", "c" * 64, after(10))
        used.append(sessions.redeem(connection, "c" * 64, after(10)))

    assert used == [None, "maria", None, None]


@pytest.mark.usefixtures("maria")
def test_what_has_ended_is_forgotten(engine: Engine) -> None:
    with writing(engine) as connection:
        sessions.forget_ended(connection, after(61), LASTING)

    assert not signed_in(engine, 0)


def test_a_token_is_found_by_its_digest_until_it_expires(engine: Engine) -> None:
    token = Token("1" * 16, "RIS", frozenset({Permission.SEE_STUDIES}), "maria", NOW, after(10))
    with writing(engine) as connection:
        tokens.add(connection, token, "d" * 64)

    with reading(engine) as connection:
        assert tokens.find(connection, "d" * 64, after(9)) == token
        assert tokens.find(connection, "d" * 64, after(10)) is None
    with writing(engine) as connection:
        assert [tokens.revoke(connection, token.token_id) for _ in range(2)] == ["RIS", None]


def test_the_trail_is_narrowed_to_a_study_or_to_somebody(engine: Engine) -> None:
    with writing(engine) as connection:
        audit.note(connection, AuditEntry(NOW, "maria", AuditAction.STUDY_VIEWED, STUDY))
        audit.note(connection, AuditEntry(NOW, "linh", AuditAction.SIGNED_IN))

    with reading(engine) as connection:
        pages = [
            audit.page(connection, AuditQuery(10, study=study, who=who))
            for study, who in [(STUDY, None), (None, "linh")]
        ]
    assert [[entry.who for entry in page.items] for page in pages] == [["maria"], ["linh"]]
