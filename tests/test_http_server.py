"""The API knows which processes live, and says in words what is missing."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from tests.receive.reception import NOW
from tests.records.databases import upgraded
from xray_ai.housekeeping import SILENT_S
from xray_ai.http_server import MOST_CONNECTIONS, NEEDED, BoundedConnection, not_ready
from xray_ai.records import workers
from xray_ai.records.database import writing


def missing(folder: Path, **seconds_ago: float) -> list[str]:
    """What is not ready, where each of these roles was last heard of so long ago."""
    with upgraded(f"sqlite:///{folder}/records.sqlite") as engine:
        with writing(engine) as connection:
            for role, age_s in seconds_ago.items():
                workers.beat(connection, f"{role}@here", role, NOW - timedelta(seconds=age_s))
        return not_ready(engine, NOW)


def test_the_service_is_ready_when_each_process_was_heard_of_lately(tmp_path: Path) -> None:
    assert missing(tmp_path, receiver=1, reader=2, reporter=3) == []


def test_each_process_that_is_missing_is_named(tmp_path: Path) -> None:
    assert missing(tmp_path, receiver=1, reader=SILENT_S + 1) == [NEEDED["reader"], NEEDED["reporter"]]


@contextmanager
def a_server() -> Iterator[int]:
    """An API that knows no route, on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(FastAPI(), http=BoundedConnection, log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        serving = threading.Thread(target=server.run, args=([listener],))
        serving.start()
        yield listener.getsockname()[1]
        server.should_exit = server.force_exit = True
        serving.join()


def test_of_connections_that_ask_nothing_the_oldest_gives_way() -> None:
    with a_server() as port, ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(MOST_CONNECTIONS)]
        last = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        last.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

        assert last.recv(100).startswith(b"HTTP/1.1 404")
        silent[0].settimeout(30)
        with suppress(ConnectionResetError):
            assert silent[0].recv(1) == b""
