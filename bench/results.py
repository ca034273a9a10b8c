"""What the result objects of one study cost: CPU and bytes of each, in each form. Needs no peer.

The study is one radiograph of 15 MB; its objects are composed as it was read, and as if every finding were present.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from pydicom.dataset import Dataset

from bench.ours import SITE
from bench.radiograph import FORMS, FULL_SIZE, as_detected, real_chest, write_forms
from xray_ai.domain.evidence import ResultOptions, SCForm, SRForm
from xray_ai.reading_room import result_image, triage_file
from xray_ai.results.part10_bytes import encoded
from xray_ai.results.secondary_capture import secondary_capture
from xray_ai.results.structured_report import structured_report
from xray_ai.results.study_result import ReadImage, StudyResult
from xray_ai.triage import triage

QUICK_SIZE = (600, 500)
BAR_MS = 60.0
READ_AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cost:
    """One kind of object."""

    name: str
    cpu_ms: float  # median
    least_cpu_ms: float
    size_bytes: int


def read_image(size: tuple[int, int]) -> tuple[ReadImage, float]:
    """Read the radiograph; returns it with the CPU ms of opening it again and drawing what a viewer would show."""
    with TemporaryDirectory() as folder:
        path = write_forms(Path(folder), as_detected(real_chest(), *size), FORMS[:1])["uncompressed"]
        outcome = triage_file(SITE, path)
        started = time.process_time()
        image = result_image(path, outcome, ResultOptions())
        seconds = time.process_time() - started
    if not isinstance(image, ReadImage):
        raise image.rejection
    return image, 1e3 * seconds


def with_everything_present(image: ReadImage) -> ReadImage:
    """The same image, were each of its scores just above its operating point."""
    scores = tuple(
        replace(score, probability=max(score.probability, score.operating_point)) for score in image.reading.scores
    )
    decision = triage(scores, SITE.policy, SITE.ordered_priority)
    return replace(image, reading=replace(image.reading, scores=scores), decision=decision)


def study_of(image: ReadImage, options: ResultOptions) -> StudyResult:
    return StudyResult((image,), (), SITE.reader.pack.identity, SITE.policy, READ_AT, None, options)


def costs(image: ReadImage, kind: str, rounds: int) -> Iterator[Cost]:
    """Compose and encode each object in each of its forms."""
    for sr_form in SRForm:
        study = study_of(image, ResultOptions(sr_form=sr_form))
        yield _cost(f"SR {sr_form}, {kind}", partial(structured_report, study), rounds)
    for sc_form in SCForm:
        study = study_of(image, ResultOptions(sc_form=sc_form))
        yield _cost(f"SC {sc_form}, {kind}", partial(secondary_capture, study, image), rounds)


def _cost(name: str, compose: Callable[[], Dataset | None], rounds: int) -> Cost:
    milliseconds, size = [], 0
    for _ in range(rounds + 1):  # the first fills caches that a service has filled
        started = time.process_time()
        composed = compose()
        size = len(encoded(composed)) if composed is not None else 0
        milliseconds.append(1e3 * (time.process_time() - started))
    return Cost(name, statistics.median(milliseconds[1:]), min(milliseconds[1:]), size)


def main() -> None:
    """Read the arguments, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="How often each object is composed.")
    parser.add_argument("--json", type=Path, help="Write all figures into this file too.")
    parser.add_argument("--quick", action="store_true", help="One round on a small image: that it runs, not how fast.")
    arguments = parser.parse_args()

    rounds, size = (1, QUICK_SIZE) if arguments.quick else (arguments.rounds, FULL_SIZE)
    image, drawing_ms = read_image(size)
    kind = f"{len(image.decision.because)} flagged"
    found = [*costs(image, kind, rounds), *costs(with_everything_present(image), "all flagged", rounds)]
    print(f"{'object':36} {'CPU ms':>7} {'least':>7} {'bytes':>9}")
    for cost in found:
        print(f"{cost.name:36} {cost.cpu_ms:7.1f} {cost.least_cpu_ms:7.1f} {cost.size_bytes:9}")
    for kind_shown, (report, capture) in {kind: (found[0], found[2]), "all flagged": (found[5], found[7])}.items():
        print(f"SR + SC of one study, {kind_shown}: {report.cpu_ms + capture.cpu_ms:.1f} ms (bar {BAR_MS:.0f})")
    print(f"opening the file again and drawing its display: {drawing_ms:.1f} ms")
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        figures = {"drawing_ms": drawing_ms, "objects": [asdict(cost) for cost in found]}
        arguments.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
