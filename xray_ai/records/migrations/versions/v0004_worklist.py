"""What the worklist shows, sorts and searches by, who reads a study, and what readers answered."""

import sqlalchemy as sa
from alembic import op

from xray_ai.domain.search_text import folded

revision = "0004"
down_revision = "0003"

text = sa.String(256)
moment = sa.DateTime(timezone=True)
serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ADDED: tuple[sa.Column[object], ...] = (
    sa.Column("patient_age", text, nullable=False, server_default=""),
    sa.Column("station_name", text, nullable=False, server_default=""),
    sa.Column("modalities", text, nullable=False, server_default=""),
    sa.Column("search_text", sa.Text(), nullable=False, server_default=""),
    sa.Column("reason_code", sa.String(64)),
    sa.Column("effective_priority", sa.SmallInteger(), nullable=False, server_default="0"),
    sa.Column("flags", sa.JSON(), nullable=False, server_default="[]"),
    sa.Column("reader", sa.String(64)),
    sa.Column("reader_since", moment),
    sa.Column("is_finished", sa.Boolean(), nullable=False, server_default=sa.false()),
    sa.Column("version", sa.BigInteger(), nullable=False, server_default="0"),
)
SORTED_BY = (
    ("received_at",),
    ("study_date", "study_time"),
    ("search_text",),
    ("accession_number",),
)


def upgrade() -> None:
    """Add them, and fill in what the rows that are there say."""
    for column in ADDED:
        op.add_column("studies", column)
    fill_in()
    op.drop_index("ix_studies_urgency", "studies")
    order = tuple(map(sa.text, ("is_finished", "effective_priority DESC", "received_at", "study_instance_uid")))
    op.create_index("ix_studies_urgency", "studies", order)
    for columns in SORTED_BY:
        name = "_".join(("ix_studies", *columns, "study_instance_uid"))
        op.create_index(name, "studies", [*columns, "study_instance_uid"])
    op.create_index("ix_studies_version", "studies", ["version"])
    make_adjudications()


def fill_in() -> None:
    connection = op.get_bind()
    connection.execute(sa.text("UPDATE studies SET effective_priority = priority"))
    rows = connection.execute(
        sa.text("SELECT study_instance_uid, patient_name, patient_id, accession_number FROM studies")
    )
    found = [{"uid": uid, "words": folded(" ".join(said))} for uid, *said in rows]
    if found:
        connection.execute(sa.text("UPDATE studies SET search_text = :words WHERE study_instance_uid = :uid"), found)


def make_adjudications() -> None:
    op.create_table(
        "adjudications",
        sa.Column("number", serial, nullable=False),
        sa.Column("adjudication_id", sa.String(64), nullable=False),
        sa.Column("study_instance_uid", sa.String(64), nullable=False),
        sa.Column("sop_instance_uid", sa.String(64), nullable=False),
        sa.Column("finding", sa.String(64), nullable=False),
        sa.Column("verdict", sa.String(32), nullable=False),
        sa.Column("box", sa.JSON()),
        sa.Column("note", sa.Text()),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("saw_ai", sa.Boolean(), nullable=False),
        sa.Column("model_digest", sa.String(64)),
        sa.Column("withdraws", sa.String(64)),
        sa.PrimaryKeyConstraint("number", name="pk_adjudications"),
        sa.UniqueConstraint("adjudication_id", name="uq_adjudications_adjudication_id"),
        sa.UniqueConstraint("withdraws", name="uq_adjudications_withdraws"),
    )
    op.create_index("ix_adjudications_study_instance_uid", "adjudications", ["study_instance_uid"])
