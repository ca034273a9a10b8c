"""What a search asks for, and whether a header matches it (PS3.4 C.2.2.2, PS3.18 8.3.4)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset

from xray_ai.imaging.attributes import values_of

MOST_ANSWERED = 1000
RANGED = frozenset({"DA", "TM", "DT"})
FUZZY = "fuzzymatching is not done; names match as written"


class WrongQuery(ValueError):
    """The search cannot be understood."""


@dataclass(frozen=True, slots=True)
class Key:
    """One attribute and the value that it must have."""

    keyword: str
    vr: str
    value: str

    def matches(self, header: Dataset) -> bool:
        """Whether one of the header's values is what is asked."""
        if not self.value:
            return True
        return any(self._is_met(str(value).strip(" \0")) for value in values_of(header, self.keyword) or ("",))

    def _is_met(self, found: str) -> bool:
        if self.vr == "UI":
            return found in re.split(r"[,\\]", self.value)
        if self.vr in RANGED and "-" in self.value:
            first, _, last = self.value.partition("-")
            return bool(found) and found >= first and (not last or found[: len(last)] <= last)
        pattern = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in self.value)
        is_name = self.vr == "PN"
        return (
            re.fullmatch(pattern, found.rstrip("^") if is_name else found, re.IGNORECASE if is_name else 0) is not None
        )


@dataclass(frozen=True, slots=True)
class Search:
    """A search: keys, further attributes to be answered, which part, and what is passed over."""

    keys: tuple[Key, ...]
    include: frozenset[str]  # keywords; 'all'
    limit: int
    offset: int
    ignored: tuple[str, ...]  # sentences for the caller

    def value_of(self, keyword: str) -> str:
        """What is asked of one attribute; empty: anything."""
        return next((key.value for key in self.keys if key.keyword == keyword), "")

    def matches(self, header: Dataset) -> bool:
        return all(key.matches(header) for key in self.keys)


def search_of(parameters: Iterable[tuple[str, str]]) -> Search:
    """Read a query string. Raises WrongQuery."""
    keys, include, ignored = [], set(), []
    part = {"limit": MOST_ANSWERED, "offset": 0}
    for name, value in parameters:
        if name in part:
            part[name] = _count(name, value)
        elif name == "includefield":
            include |= {field if field == "all" else keyword_of(field) for field in value.split(",") if field}
        elif name == "fuzzymatching":
            ignored += [FUZZY] * (value.lower() == "true")
        elif "." in name:
            ignored.append("keys inside sequences are not matched")
        else:
            keyword = keyword_of(name)
            keys.append(Key(keyword, dictionary_VR(keyword), value))
    if part["limit"] > MOST_ANSWERED:
        ignored.append(f"at most {MOST_ANSWERED} are answered at once")
    limit = min(part["limit"], MOST_ANSWERED)
    return Search(tuple(keys), frozenset(include), limit, part["offset"], tuple(ignored))


def keyword_of(name: str) -> str:
    """The keyword of an attribute named by keyword or by tag. Raises WrongQuery."""
    if re.fullmatch(r"[0-9A-Fa-f]{8}", name):
        name = keyword_for_tag(int(name, 16))
    if not name or tag_for_keyword(name) is None:
        raise WrongQuery("A parameter names no attribute of DICOM.")
    return name


def _count(name: str, value: str) -> int:
    if re.fullmatch(r"[0-9]{1,9}", value) is None:
        raise WrongQuery(f"{name} must be a whole number, 0 or more.")
    return int(value)
