"""The edge as it is served: by a real server, to several programs at once."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import httpx2
import pytest
import uvicorn
from sqlalchemy import Engine

from tests.records.rows import STUDY, receive
from xray_ai.api.app import create_app
from xray_ai.api.service import Operations, utc_now

TOKEN = "0123456789abcdef"  # noqa: S105 - of a server that lives as long as a test
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


@contextmanager
def served(engine: Engine, storage_root: Path, now: Callable[[], datetime] = utc_now) -> Iterator[str]:
    """Serve the edge with a token; its address."""
    operations = Operations(engine, storage_root, "cpu", dict, tuple, now)
    server = uvicorn.Server(uvicorn.Config(create_app(operations, TOKEN), port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    (listener,) = server.servers[0].sockets
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_many_programs_ask_at_once(engine: Engine, tmp_path: Path) -> None:
    receive(engine)

    with served(engine, tmp_path) as address, ThreadPoolExecutor(8) as programs:
        paths = ["/api/worklist", f"/api/studies/{STUDY}", "/api/deliveries", "/metrics", "/healthz", "/readyz"] * 8
        answers = list(programs.map(lambda path: httpx2.get(address + path, headers=SHOWN), paths))

    assert [answer.status_code for answer in answers] == [200] * len(paths)


def test_patients_and_numbers_are_behind_the_token_and_health_is_not(engine: Engine, tmp_path: Path) -> None:
    receive(engine)
    paths = ["/api/worklist", f"/api/studies/{STUDY}", "/api/deliveries", "/metrics", "/healthz", "/readyz"]

    with served(engine, tmp_path) as address:
        answers = {path: httpx2.get(address + path) for path in paths}

    assert {path for path, answer in answers.items() if answer.status_code == 200} == {"/healthz", "/readyz"}
    assert "Zzyzx" not in "".join(answer.text for answer in answers.values())


def test_what_a_defect_held_is_in_no_answer_and_in_no_log(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    def a_defect() -> datetime:
        message = "Zzyzx^Quimby"
        raise RuntimeError(message)

    with served(engine, tmp_path, now=a_defect) as address:
        answer = httpx2.get(f"{address}/api/worklist", headers=SHOWN)

    printed = capfd.readouterr()
    assert (answer.status_code, answer.json()["code"]) == (500, "defect")
    assert "Zzyzx" not in answer.text + caplog.text + printed.out + printed.err
    assert "test_served.py" in printed.out + printed.err
