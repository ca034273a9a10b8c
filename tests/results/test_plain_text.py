import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray_ai.results.plain_text import plain


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("RESEARCH USE - NOT FOR DIAGNOSIS", "RESEARCH USE - NOT FOR DIAGNOSIS"),
        ("Tràn khí màng phổi", "Tran khi mang phoi"),
        ("Đông đặc", "Dong dac"),
        ("気胸", "??"),
        ("a\\b~c", "a?b?c"),
        (" two\n lines\t", "two lines"),
        ("", "?"),
        ("\0", "?"),
    ],
)
def test_text_becomes_plain(text: str, written: str) -> None:
    assert plain(text) == written


@given(st.text(), st.sampled_from(["ascii", "latin-1", "shift_jis", "gb18030", "euc_kr", "utf-8", "iso8859-5"]))
def test_every_character_set_writes_it_with_the_same_bytes(text: str, encoding: str) -> None:
    assert plain(text).encode(encoding) == plain(text).encode("ascii")


@given(st.text(), st.integers(1, 64))
def test_it_is_never_empty_nor_too_long(text: str, longest: int) -> None:
    assert 1 <= len(plain(text, longest)) <= longest
