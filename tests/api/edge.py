"""The HTTP edge for tests: over a real database, asked as a program on this machine would."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import Engine

from tests.records.rows import after
from xray_ai.api.app import create_app
from xray_ai.api.service import Operations

LATER_S = 100.0  # the edge's clock, after the rows' NOW


def an_edge(
    engine: Engine,
    storage_root: Path,
    *,
    token: str | None = None,
    queues: Mapping[str, int] = {"read": 0},
    not_ready: Sequence[str] = (),
) -> TestClient:
    operations = Operations(engine, storage_root, "cpu", lambda: queues, lambda: not_ready, now=lambda: after(LATER_S))
    return TestClient(create_app(operations, token), base_url="http://localhost", raise_server_exceptions=False)


def of(asked: Any) -> Any:  # noqa: ANN401 - JSON
    """The answer's JSON; it must be one."""
    assert asked.status_code == 200, asked.text
    return asked.json()
