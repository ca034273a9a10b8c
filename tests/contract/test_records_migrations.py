"""The migrations make the tables that the queries expect, on both databases."""

from concurrent.futures import ThreadPoolExecutor

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect

from xray_ai.records.database import open_database, reading, upgrade
from xray_ai.records.tables import metadata


def test_after_all_migrations_the_database_has_the_tables_of_the_code(engine: Engine) -> None:
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)

    assert differences == []


def test_migrating_what_is_up_to_date_changes_nothing(engine: Engine) -> None:
    before = sorted(inspect(engine).get_table_names())

    upgrade(engine)

    assert sorted(inspect(engine).get_table_names()) == before


def test_processes_that_start_at_once_migrate_once(database_url: str) -> None:
    engines = [open_database(database_url) for _ in range(2)]

    with ThreadPoolExecutor(len(engines)) as starting:
        list(starting.map(upgrade, engines))

    assert set(metadata.tables) <= set(inspect(engines[0]).get_table_names())
    for engine in engines:
        engine.dispose()
