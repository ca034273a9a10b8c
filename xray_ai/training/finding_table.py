"""The findings that a network is trained on: names, codes and stated prevalence, as data."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from xray_ai.inference.pack_card import CodeCard

FINDINGS_FILE = Path(__file__).parent / "findings.toml"


class FindingEntry(BaseModel):
    """One finding of findings.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    prevalence: float = Field(gt=0, lt=1)
    code: CodeCard


def finding_table() -> dict[str, FindingEntry]:
    """Read the table; its keys are finding keys."""
    return TypeAdapter(dict[str, FindingEntry]).validate_python(tomllib.loads(FINDINGS_FILE.read_text("utf-8")))
