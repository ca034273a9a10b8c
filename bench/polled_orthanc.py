"""The peer of push-to-flag: Orthanc receives, and a script asks each second what is new, fetches and scores it.

Run as a command it prints one JSON line for each radiograph: which, and when it was scored.
"""

import json
import sys
import time
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

from pydicom import dcmread

from bench.peer import read

POLL_S = 1.0


def get(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        content: bytes = answer.read()
    return content


def score_new(port: int, seen: int, file: Path) -> int:
    """Fetch and score what came after this change; the number of the last one."""
    changes = json.loads(get(port, f"/changes?since={seen}&limit=1000"))
    new = [change["ID"] for change in changes["Changes"] if change["ChangeType"] == "NewInstance"]
    for instance in new:
        file.write_bytes(get(port, f"/instances/{instance}/file"))
        read(file)
        uid = str(dcmread(file, stop_before_pixels=True).SOPInstanceUID)
        print(json.dumps({"sop_instance_uid": uid, "at": time.time()}), flush=True)
    return int(changes["Last"])


def main() -> None:
    """Poll the port that is named until this process is ended."""
    port, seen = int(sys.argv[1]), 0
    with TemporaryDirectory() as folder:
        while True:
            seen = score_new(port, seen, Path(folder, "radiograph.dcm"))
            time.sleep(POLL_S)


if __name__ == "__main__":
    main()
