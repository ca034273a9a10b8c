"""What is kept of passwords and secrets."""

import pytest

from xray_ai.credentials import digest_of, hash_of, is_right, new_secret

KEPT = hash_of("correct horse battery")


@pytest.mark.parametrize(("password", "expected"), [("correct horse battery", True), ("", False), ("ü\0", False)])
def test_a_password_is_told_from_another(password: str, *, expected: bool) -> None:
    assert is_right(password, KEPT) is expected


def test_the_same_password_is_kept_in_another_way_each_time() -> None:
    assert hash_of("correct horse battery") != KEPT


@pytest.mark.parametrize("kept", [None, "", "no hash"])
def test_where_no_password_is_kept_none_is_right(kept: str | None) -> None:
    assert not is_right("correct horse battery", kept)


def test_what_is_kept_of_a_secret_does_not_tell_it() -> None:
    secret = new_secret()

    assert secret != new_secret()
    assert secret not in digest_of(secret)
