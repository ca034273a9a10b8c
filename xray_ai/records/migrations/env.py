"""Runs the migrations on the connection that `records.database.upgrade` hands over."""

from alembic import context

from xray_ai.records.tables import metadata


def run() -> None:
    """Migrate inside the caller's transaction."""
    context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
    context.run_migrations()


if __name__ == "env_py":  # the name under which Alembic runs this file
    run()
