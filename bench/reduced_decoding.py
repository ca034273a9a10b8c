"""Does it show in a score that a wavelet codestream was decoded only in part? Largest changes over many radiographs.

Needs no peer. With `--data` (a folder with manifest.csv, as for training) it takes radiographs from there too, none of
them of a test patient.
"""

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.ours import change_by_reduced_decoding
from bench.radiograph import WAVELETS, Shares, as_detected, real_chest, write_forms
from xray_ai.imaging.grey_file import open_grey_file

SIZES = ((3000, 2500), (2500, 2048), (2022, 2022), (2320, 2828), (4280, 3520), (1760, 2140))  # of detectors
BAR = 0.01
FULL_SCALE = 255


def radiographs(data: Path | None, count: int) -> Iterator[tuple[str, Shares]]:
    """The real chest in each size, then others, evenly chosen; none of a test patient."""
    yield from (("RG1", real_chest()) for _ in SIZES)
    if data is None:
        return
    with (data / "manifest.csv").open(newline="", encoding="utf-8") as manifest:
        rows = [row for row in csv.DictReader(manifest) if row["dataset"] == "nih" and row["split"] != "test"]
    for row in rows[:: max(1, len(rows) // count)][:count]:
        yield row["image_id"], open_grey_file(data / row["path"]).values / FULL_SCALE


def main() -> None:
    """Read the arguments, score all radiographs twice in each wavelet form, and print what changed most."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="Folder with manifest.csv and the images.")
    parser.add_argument("--count", type=int, default=40, help="How many of them.")
    arguments = parser.parse_args()

    changes: dict[str, list[float]] = {form.name: [] for form in WAVELETS}
    for number, (name, shares) in enumerate(radiographs(arguments.data, arguments.count)):
        size = SIZES[number % len(SIZES)]
        with TemporaryDirectory() as folder:
            paths = write_forms(Path(folder), as_detected(shares, *size, seed=number), WAVELETS)
            found = {form: change_by_reduced_decoding(path) for form, path in paths.items()}
        print(
            f"{name:20} {size[0]} x {size[1]}  " + "  ".join(f"{form} {found[form]:.4f}" for form in found), flush=True
        )
        for form, change in found.items():
            changes[form].append(change)
    for form, all_changes in changes.items():
        above = sum(change > BAR for change in all_changes)
        print(f"{form:20} largest change {max(all_changes):.4f}, above {BAR}: {above} of {len(all_changes)}")


if __name__ == "__main__":
    main()
