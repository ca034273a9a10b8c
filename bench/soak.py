"""The service under load for a long time, its processes killed at random: nothing may be lost, nothing count twice.

It prints how fast images were flagged, what the tree cost, and whether each image that was answered with success was
read, and each result delivered once. Exit code 1: it was not so.
"""

import argparse
import http.client
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.process_figures import memory_mb, processor_s, tree_of
from bench.push_load import Load, Pusher
from bench.radiograph import FORMS, FULL_SIZE, as_detected, real_chest, write_forms
from bench.raw_scu import Template
from bench.running_service import Http, RunningService, running_service

LOOK_EACH_S = 2.0
IDLE_S = 20.0
PATIENCE_S = 600.0  # for what is left after the last push
QUICK_SIZE = (300, 250)


@dataclass(slots=True)
class Soaked:
    """What was seen."""

    stored: int = 0  # images that were answered with success
    refused: int = 0  # or lost with their association: their sender sends them again
    kills: int = 0
    read: int = 0
    delivered: int = 0
    at_the_pacs: int = 0
    dead_letters: int = 0
    worked_off_s: float = 0.0  # after the last push
    idle_share: float = 0.0  # of a core, when nothing comes
    memory_mb: list[float] = field(default_factory=list)  # of the tree, from start to end
    deepest_queue: int = 0

    def faults(self) -> list[str]:
        """What must not be."""
        found = {
            f"{self.stored - self.read} images were stored and not read": self.read < self.stored,
            f"{self.delivered} results were delivered and the PACS holds {self.at_the_pacs}": self.delivered
            != self.at_the_pacs,
            f"{self.dead_letters} results were given up": self.dead_letters > 0,
            f"{self.stored - self.delivered} results are missing": self.delivered < self.stored,
        }
        return [words for words, is_so in found.items() if is_so]


def soak(service: RunningService, template: Template, load: Load, kills: int) -> Soaked:
    """Push the load, kill at random, wait until all is worked off, and count."""
    seen = Soaked()
    service.wait_until_ready()
    pusher = Pusher(service.dicom_port, template, load)
    draw = random.Random(load.seed)  # noqa: S311 - it guards nothing
    lasts_s = load.images / load.images_per_s
    moments = sorted(draw.uniform(0.1, 0.9) * lasts_s for _ in range(kills))
    pusher.start()
    while moments or not pusher.is_over():
        if moments and time.time() - pusher.started_at > moments[0]:
            moments.pop(0)
            seen.kills += _kill_one(service, draw)
        _look(service, seen)
        time.sleep(LOOK_EACH_S if not moments else min(LOOK_EACH_S, 0.2))
    last_push = time.monotonic()
    stored = {one.study_instance_uid for one in pusher.pushed if one.is_stored}
    seen.stored, seen.refused = len(stored), len(pusher.pushed) - len(stored)
    _until(lambda: _is_worked_off(service, seen))
    seen.worked_off_s = time.monotonic() - last_push
    _count(service, seen, stored)
    seen.idle_share = _idle_share(service)
    _look(service, seen)
    return seen


def _kill_one(service: RunningService, draw: random.Random) -> int:
    """End a process of the tree as a power cut would; when it is the first of it, the service is started again."""
    victim = draw.choice(tree_of(service.process.pid))
    with suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)
    if victim == service.process.pid:
        service.process.wait()
        time.sleep(1.0)  # its children see that it is gone
        _until(lambda: _is_started_again(service))
    return 1


def _is_started_again(service: RunningService) -> bool:
    """Whether it runs; children of the killed one that still work off what they had begun hold the storage."""
    if service.process.poll() is None:
        return service.http.is_ready()
    service.start_again()
    time.sleep(1.0)
    return False


def _look(service: RunningService, seen: Soaked) -> None:
    seen.memory_mb.append(round(memory_mb(tree_of(service.process.pid)), 1))
    with suppress(OSError, http.client.HTTPException):
        waiting = numbers(service.http, "xray_ai_queue_depth")
        seen.deepest_queue = max(seen.deepest_queue, round(waiting))


def _is_worked_off(service: RunningService, seen: Soaked) -> bool:
    """Whether all was read and delivered, and nothing waits any more."""
    with suppress(OSError, http.client.HTTPException, ValueError):
        asking = service.http
        read = asking.json("/api/worklist?status=read&limit=1")["total"]
        is_over = numbers(asking, "xray_ai_queue_depth") + numbers(asking, "xray_ai_deliveries_pending") == 0
        return bool(read >= seen.stored and is_over)
    return False


def _count(service: RunningService, seen: Soaked, stored: set[str]) -> None:
    """Ask what was read and delivered, and look what the PACS holds: its files are named by SOP Instance UIDs."""
    asking = service.http
    read: set[str] = set()
    delivered: set[str] = set()
    for offset in range(0, asking.json("/api/worklist?limit=1")["total"], 200):
        items = asking.json(f"/api/worklist?status=read&sort=newest&limit=200&offset={offset}")["items"]
        read |= {item["study_instance_uid"] for item in items}
    for offset in range(0, asking.json("/api/deliveries?limit=1")["total"], 200):
        items = asking.json(f"/api/deliveries?status=delivered&limit=200&offset={offset}")["items"]
        delivered |= {item["delivered_uid"] for item in items}
    seen.read = len(read & stored)
    seen.delivered = len(delivered)
    seen.at_the_pacs = len(list(service.held.iterdir()))
    seen.dead_letters = round(numbers(asking, "xray_ai_dead_letters"))


def _idle_share(service: RunningService) -> float:
    tree = tree_of(service.process.pid)
    before = processor_s(tree)
    time.sleep(IDLE_S)
    return (processor_s(tree) - before) / IDLE_S


def numbers(asking: Http, metric: str) -> float:
    """The sum of a metric's samples."""
    lines = asking.text("/metrics").splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{metric} ", f"{metric}{{")))


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > deadline:
            return  # what is missing is counted
        time.sleep(0.5)


def show(seen: Soaked) -> None:
    print(f"{seen.stored} images stored, {seen.refused} not; {seen.kills} processes killed")
    print(f"{seen.read} read, {seen.delivered} results delivered, {seen.at_the_pacs} at the PACS")
    print(f"worked off {seen.worked_off_s:.0f} s after the last push; deepest queue {seen.deepest_queue}")
    first, last = seen.memory_mb[0], seen.memory_mb[-1]
    print(f"memory of the tree: {first:.0f} MB at first, {max(seen.memory_mb):.0f} at most, {last:.0f} at the end")
    print(f"idle: {seen.idle_share:.1%} of a core")
    for fault in seen.faults():
        print(f"FAULT: {fault}")


def main() -> None:
    """Read the arguments, soak, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--images-per-s", type=float, default=4.0)
    parser.add_argument("--kills", type=int, default=0, help="How many processes are killed, at random moments.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--small", action="store_true", help="Small images: the path, not the volume.")
    parser.add_argument("--json", type=Path, help="File for the figures.")
    arguments = parser.parse_args()

    load = Load(arguments.images, arguments.images_per_s, seed=arguments.seed)
    with TemporaryDirectory() as kept, TemporaryDirectory() as folder:
        words = as_detected(real_chest(), *(QUICK_SIZE if arguments.small else FULL_SIZE))
        template = Template.of(write_forms(Path(kept), words, FORMS[:1])["uncompressed"])
        with running_service(Path(folder), quiet_s=2.0) as service:
            seen = soak(service, template, load, arguments.kills)
    show(seen)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(asdict(seen), indent=1), "utf-8")
    if seen.faults():
        sys.exit(1)


if __name__ == "__main__":
    main()
