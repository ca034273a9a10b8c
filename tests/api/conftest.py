"""Records for the HTTP edge: SQLite in a file, with all migrations and no row."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from tests.api.edge import an_edge
from tests.records.databases import upgraded


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with upgraded(f"sqlite:///{tmp_path}/records.sqlite") as engine:
        yield engine


@pytest.fixture
def edge(engine: Engine, tmp_path: Path) -> TestClient:
    return an_edge(engine, tmp_path)
