"""Which of the media types on offer a caller likes best."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

PARTS = re.compile(r'(?:[^,"]|"[^"]*")+')
PARAMETERS = re.compile(r'(?:[^;"]|"[^"]*")+')
ANY = "*"


@dataclass(frozen=True, slots=True)
class MediaType:
    """One media type; a multipart one by what its parts are."""

    name: str  # of a part, where it is multipart
    is_multipart: bool = False
    transfer_syntax: str = ""  # '': not said; '*': as stored
    quality: float = 1.0

    def takes(self, offer: "MediaType") -> bool:
        """Whether this range covers an offer."""
        major = self.name.split("/", maxsplit=1)[0]
        is_named = self.name in ("*/*", offer.name) or self.name == f"{major}/*" == f"{offer.name.split('/')[0]}/*"
        is_same_form = self.is_multipart == offer.is_multipart or self.name == "*/*"
        is_syntax = self.transfer_syntax in ("", ANY, offer.transfer_syntax)
        return is_named and is_same_form and is_syntax


def ranges_of(accept: str) -> tuple[MediaType, ...]:
    """Read an Accept header, the best liked first; nothing said is anything."""
    found = [_range_of(part) for part in PARTS.findall(accept or "*/*") if part.strip()]
    return tuple(sorted((one for one in found if one.quality > 0), key=lambda one: -one.quality))


def choose(accept: str, offers: Sequence[MediaType]) -> tuple[MediaType, MediaType] | None:
    """The best liked range with the offer that it takes; None: nothing on offer is liked."""
    return next(((wanted, offer) for wanted in ranges_of(accept) for offer in offers if wanted.takes(offer)), None)


def _range_of(text: str) -> MediaType:
    name, *rest = [part.strip() for part in PARAMETERS.findall(text)] or ["*/*"]
    said = {key.strip().lower(): value.strip().strip('"') for key, _, value in (part.partition("=") for part in rest)}
    is_multipart = name.lower() == "multipart/related"
    try:
        quality = float(said.get("q", "1"))
    except ValueError:
        quality = 0.0
    named = said.get("type", "*/*") if is_multipart else name
    return MediaType(named.lower(), is_multipart, said.get("transfer-syntax", ""), quality)
