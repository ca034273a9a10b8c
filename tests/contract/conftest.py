"""The records, once on each database."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.records.databases import a_postgres_database, running_postgres, upgraded
from xray_ai.records.database import open_database, writing
from xray_ai.records.tables import metadata

NUMBERS = count()
BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    with running_postgres() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def migrated_postgres(cluster: str) -> Iterator[Engine]:
    with a_postgres_database(cluster, "shared") as url, upgraded(url) as engine:
        yield engine


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("migrated") / "records.sqlite"
    with upgraded(f"sqlite:///{file}"):
        return file


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where an empty database is."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/records.sqlite"
    else:
        with a_postgres_database(request.getfixturevalue("cluster"), f"test_{next(NUMBERS)}") as url:
            yield url


@pytest.fixture(params=BOTH)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Records with all migrations and no row."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "records.sqlite")
        engine = open_database(f"sqlite:///{tmp_path}/records.sqlite")
        yield engine
        engine.dispose()
    else:
        engine = request.getfixturevalue("migrated_postgres")
        yield engine
        with writing(engine) as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
