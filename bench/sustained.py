"""Many radiographs a second for a long time: each gets its flag, what is urgent before others, and its report later.

Routine radiographs come at random moments on seven associations, and some that were ordered STAT on an eighth.
Disk for all of them is needed: 600 s of 15 images a second are 135 GB at 15 MB, and 9 GB at 1 MB.
"""

import argparse
import json
import statistics
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.process_figures import memory_mb, tree_of
from bench.push_load import Load, Pushed, Pusher
from bench.push_to_flag import Waited, flagged
from bench.radiograph import FORMS, as_detected, real_chest, write_forms
from bench.raw_scu import Template
from bench.receive import QUICK_SIZES, SIZES
from bench.running_service import RunningService, running_service
from bench.soak import numbers
from bench.watcher import Watcher

LOOK_EACH_S = 1.0
PATIENCE_S = 3600.0  # for the reports
ROUTINE_ASSOCIATIONS = 7
FIRST_STAT = 1_000_000  # copies have UIDs by their numbers


@dataclass(slots=True)
class Sustained:
    """What was seen."""

    routine: Waited
    stat: Waited
    pushed_s: float = 0.0
    answered_ms_p99: float = 0.0
    deepest_read_queue: int = 0
    reports_left: int = 0  # at the last push
    worked_off_s: float = 0.0  # after it
    memory_mb: list[float] = field(default_factory=list)  # of the tree, from start to end
    at_the_pacs: int = 0


def sustain(service: RunningService, template: Template, seconds: float, rate: float, stat_rate: float) -> Sustained:
    """Push both loads, wait for all flags, then for all reports."""
    service.wait_until_ready()
    loads = [
        (Load(round(seconds * (rate - stat_rate)), rate - stat_rate, ROUTINE_ASSOCIATIONS, seed=1), "XRAY_AI"),
        (Load(round(seconds * stat_rate), stat_rate, 1, seed=2, first_number=FIRST_STAT), "XRAY_STAT"),
    ]
    with Watcher(service.records) as watcher:
        pushers = [Pusher(service.dicom_port, template, load, called) for load, called in loads]
        for pusher in pushers:
            pusher.start()
        deepest, memory = _watch(service, pushers)
        pushed_s = time.time() - pushers[0].started_at
        left = round(numbers(service.http, "xray_ai_queue_depth"))
        waited = [flagged(watcher.seen, pusher.pushed) for pusher in pushers]
    worked_off_s = _until_worked_off(service)
    held = len(list(service.held.iterdir()))
    p99 = _p99_ms([one for pusher in pushers for one in pusher.pushed])
    return Sustained(waited[0], waited[1], pushed_s, p99, deepest, left, worked_off_s, memory, held)


def _watch(service: RunningService, pushers: list[Pusher]) -> tuple[int, list[float]]:
    """The deepest read queue, and the memory while they push."""
    deepest, memory = 0, []
    while not all(pusher.is_over() for pusher in pushers):
        deepest = max(deepest, round(numbers(service.http, 'xray_ai_queue_depth{queue="read"}')))
        memory.append(round(memory_mb(tree_of(service.process.pid)), 1))
        time.sleep(LOOK_EACH_S)
    return deepest, memory


def _until_worked_off(service: RunningService) -> float:
    started = time.monotonic()
    asking = service.http
    while numbers(asking, "xray_ai_queue_depth") + numbers(asking, "xray_ai_deliveries_pending"):
        if time.monotonic() - started > PATIENCE_S:
            raise TimeoutError
        time.sleep(LOOK_EACH_S)
    return time.monotonic() - started


def _p99_ms(pushed: list[Pushed]) -> float:
    waits = sorted(one.answered_at - one.last_byte_at for one in pushed)
    return 1e3 * waits[int(0.99 * len(waits))]


def show(seen: Sustained) -> None:
    for name, waited in (("ROUTINE", seen.routine), ("STAT", seen.stat)):
        print(f"{name:8} {waited.images:6} images  flagged p50 {waited.p50_ms:6.0f} ms  p95 {waited.p95_ms:6.0f} ms")
    images = seen.routine.images + seen.stat.images
    print(
        f"{images / seen.pushed_s:.1f} images/s for {seen.pushed_s:.0f} s; answered p99 {seen.answered_ms_p99:.0f} ms"
    )
    tenth = len(seen.memory_mb) // 10 + 1
    parts = [statistics.median(seen.memory_mb[at : at + tenth]) for at in range(0, len(seen.memory_mb), tenth)]
    print(f"deepest read queue {seen.deepest_read_queue}; memory of the tree at most {max(seen.memory_mb):.0f} MB")
    print("medians of its tenths in MB: " + " ".join(f"{part:.0f}" for part in parts))
    print(f"{seen.reports_left} jobs left at the last push, worked off in {seen.worked_off_s:.0f} s")
    print(f"{seen.at_the_pacs} results at the PACS")


def main() -> None:
    """Read the arguments, push, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--images-per-s", type=float, default=15.0)
    parser.add_argument("--stat-per-s", type=float, default=1.0, help="How many of them are ordered STAT.")
    parser.add_argument("--kind", choices=tuple(SIZES | QUICK_SIZES), default="1 MB")
    parser.add_argument("--json", type=Path, help="File for the figures.")
    arguments = parser.parse_args()

    with TemporaryDirectory() as kept, TemporaryDirectory() as folder:
        words = as_detected(real_chest(), *(SIZES | QUICK_SIZES)[arguments.kind])
        template = Template.of(write_forms(Path(kept), words, FORMS[:1])["uncompressed"])
        with running_service(Path(folder), quiet_s=10.0) as service:
            seen = sustain(service, template, arguments.seconds, arguments.images_per_s, arguments.stat_per_s)
    show(seen)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(asdict(seen), indent=1), "utf-8")


if __name__ == "__main__":
    main()
