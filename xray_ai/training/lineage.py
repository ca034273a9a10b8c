"""Which state of the code a pack comes from."""

import shutil
import subprocess


def source_commit() -> str:
    """Name the commit that the pack was made from; a changed checkout says so."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    named = subprocess.run(  # noqa: S603 - fixed arguments
        [git, "describe", "--always", "--abbrev=40", "--dirty"], capture_output=True, text=True, check=False
    )
    return named.stdout.strip() or "unknown"
