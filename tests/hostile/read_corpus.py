"""Reads the whole corpus as the service would, within limits, and prints one line of JSON for each input.

Run in a process of its own, since a limit of memory holds for a process, and a crash would take the tests along.
"""

import json
import resource
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pydicom.dataset import Dataset

from tests.factories import RECIPE, an_acceptance
from tests.hostile.corpus import hostile_contents, hostile_paths
from xray_ai.acceptance import accept_header
from xray_ai.errors import StudyRejected
from xray_ai.imaging.decode import decode
from xray_ai.imaging.grayscale import grayscale_of
from xray_ai.imaging.header import header_of
from xray_ai.imaging.part10 import open_part10, parse_part10
from xray_ai.imaging.preprocess import prepare

ADDRESS_SPACE_BYTES = 3 * 2**30


def outcome_of(step: Callable[[], object]) -> str:
    """Say `read`, or the code of the refusal; anything else that is raised ends the process."""
    try:
        step()
    except StudyRejected as refusal:
        return refusal.code.value
    return "read"


def outcomes_of(opening: Callable[[], Dataset]) -> list[str]:
    """Take one input as far as it goes; the pixels also where the header alone would have stopped it."""
    opened: list[Dataset] = []
    outcomes = [outcome_of(lambda: opened.append(opening()))]
    for dataset in opened:
        steps = (accept, prepare_for_model, decode_for_viewer)
        outcomes += [outcome_of(partial(step, dataset)) for step in steps]
    return outcomes


def accept(dataset: Dataset) -> None:
    accept_header(header_of(dataset), an_acceptance(secondary_capture=True))


def prepare_for_model(dataset: Dataset) -> None:
    prepare(decode(dataset, least_side=RECIPE.rows // 4), grayscale_of(dataset), RECIPE)


def decode_for_viewer(dataset: Dataset) -> None:
    image = decode(dataset, least_side=None)
    grayscale_of(dataset).for_display(image.values)


def report(**line: object) -> None:
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    warnings.simplefilter("error")  # a warning may quote a patient's name
    warnings.filterwarnings("ignore", module="pydicom")
    for name, content in hostile_contents():
        report(begun=name)  # names the culprit, should its outcomes never come
        report(name=name, outcomes=outcomes_of(partial(parse_part10, content)))
    for name, path in hostile_paths(Path(sys.argv[1])):
        report(begun=name)
        report(name=name, outcomes=outcomes_of(partial(open_part10, path)))
    report(peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


if __name__ == "__main__":
    main()
