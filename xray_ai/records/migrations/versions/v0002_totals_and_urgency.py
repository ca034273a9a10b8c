"""A table for the numbers of what was deleted, and the index of the worklist's order."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table, and the index that the worklist is read by instead of the one by rising priority."""
    op.create_table(
        "carried_totals",
        sa.Column("counted", sa.String(64), nullable=False),
        sa.Column("label", sa.String(128), nullable=False),
        sa.Column("total", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("counted", "label", name="pk_carried_totals"),
    )
    op.drop_index("ix_studies_priority_received_at", "studies")
    columns = tuple(map(sa.text, ("priority DESC", "received_at", "study_instance_uid")))
    op.create_index("ix_studies_urgency", "studies", columns)
