"""Text that every character set of DICOM writes with the same bytes."""

import re
import unicodedata

# A backslash parts values, and in ISO_IR 13 it is a yen sign, as the tilde is a line over the letter.
NOT_PLAIN = re.compile(r"[^ -\[\]-}]")


def plain(text: str, longest: int | None = None) -> str:
    """Keep printable ASCII, take the accents off letters, and put a question mark for all else; never empty.

    A result has the character set of its source, whatever that is, and carries the source's names in it.
    """
    letters = unicodedata.normalize("NFKD", text.replace("\N{LATIN SMALL LETTER D WITH STROKE}", "d"))
    letters = letters.replace("\N{LATIN CAPITAL LETTER D WITH STROKE}", "D")
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return NOT_PLAIN.sub("?", re.sub(r"\s+", " ", bare).strip())[:longest].rstrip() or "?"
