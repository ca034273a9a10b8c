"""Text as people look for it: without case, and without the marks that a keyboard may lack."""

import unicodedata

# Letters that Unicode does not take apart into a plain letter and a mark.
PLAIN = str.maketrans(
    {"đ": "d", "ð": "d", "ł": "l", "ø": "o", "\N{LATIN SMALL LETTER DOTLESS I}": "i", "^": " ", "=": " "}
)


def folded(text: str) -> str:
    """Lower case without marks: 'NGUYỄN^Văn Đức' gives 'nguyen van duc'; runs of blanks become one."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return " ".join(bare.translate(PLAIN).split())
