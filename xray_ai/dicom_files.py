"""The files that a command is to work on, from the paths that it was given."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path


def dicom_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Files in the order given; folders in the order of their names, without following links into other folders."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        closed: list[OSError] = []  # folders that may not be listed: named among what was not read, never passed over
        for folder, subfolders, names in os.walk(path, onerror=closed.append):
            subfolders.sort()
            yield from (Path(folder, name) for name in sorted(names) if name != "DICOMDIR")
        yield from (Path(error.filename) for error in closed)


def shown(path: Path) -> str:
    """A file's name for the eye; bytes in it that are no UTF-8 would stop the terminal."""
    return os.fsencode(path.name).decode("utf-8", "replace")
