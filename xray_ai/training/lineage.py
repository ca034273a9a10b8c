"""Which state of the code a pack comes from, and what its card for people says of that."""

import shutil
import subprocess

from xray_ai.inference.pack_card import LineageCard


def source_commit() -> str:
    """Name the commit that the pack was made from; a changed checkout says so."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    named = subprocess.run(  # noqa: S603 - fixed arguments
        [git, "describe", "--always", "--abbrev=40", "--dirty"], capture_output=True, text=True, check=False
    )
    return named.stdout.strip() or "unknown"


def lineage_section(lineage: LineageCard, sources: str) -> list[str]:
    """Lines of a model card: the cohort, the commit, the seed, and whose images they are."""
    return [
        "## Where it comes from",
        "",
        (
            f"{lineage.cohort_description} Cohort SHA-256 `{lineage.cohort_sha256}`. Source commit"
            f" `{lineage.source_commit}`, seed {lineage.seed}. The run's every parameter is in `pack.json` under"
            " `lineage.run`."
        ),
        "",
        sources,
    ]
