"""The first tables: studies, received instances, readings, evidence, deliveries, hops, workers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

uid = sa.String(64)
digest = sa.String(64)
key = sa.String(64)
word = sa.String(32)
moment = sa.DateTime(timezone=True)
serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    make_studies()
    make_received_instances()
    make_readings()
    make_evidence()
    make_deliveries()
    make_hops_and_workers()


def make_studies() -> None:
    patient = ("patient_name", "patient_id", "patient_birth_date", "patient_sex")
    study = ("study_date", "study_time", "accession_number", "study_description")
    op.create_table(
        "studies",
        sa.Column("study_instance_uid", uid, nullable=False),
        *(sa.Column(name, sa.String(256), nullable=False) for name in patient + study),
        sa.Column("status", word, nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("ordered_priority", sa.SmallInteger(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("because", sa.JSON(), nullable=False),
        sa.Column("abnormality", sa.Float()),
        sa.Column("conflicts", sa.Integer(), nullable=False),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("last_received_at", moment, nullable=False),
        sa.Column("read_at", moment),
        sa.PrimaryKeyConstraint("study_instance_uid", name="pk_studies"),
    )
    op.create_index("ix_studies_priority_received_at", "studies", ["priority", "received_at"])
    op.create_index("ix_studies_last_received_at", "studies", ["last_received_at"])


def make_received_instances() -> None:
    op.create_table(
        "received_instances",
        sa.Column("number", serial, nullable=False),
        sa.Column("sop_instance_uid", uid, nullable=False),
        sa.Column("study_instance_uid", uid, nullable=False),
        sa.Column("sop_class_uid", uid, nullable=False),
        sa.Column("transfer_syntax_uid", uid, nullable=False),
        sa.Column("digest", digest, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("repeat", word, nullable=False),
        sa.Column("calling_ae_title", sa.String(255), nullable=False),
        sa.Column("called_ae_title", sa.String(255), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("via", word, nullable=False),
        sa.Column("first_received_at", moment, nullable=False),
        sa.Column("last_received_at", moment, nullable=False),
        sa.Column("times_received", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_received_instances"),
        sa.UniqueConstraint("sop_instance_uid", "digest", name="uq_received_instances_sop_instance_uid_digest"),
    )
    op.create_index("ix_received_instances_digest", "received_instances", ["digest"])
    op.create_index("ix_received_instances_study_instance_uid", "received_instances", ["study_instance_uid"])


def make_readings() -> None:
    op.create_table(
        "readings",
        sa.Column("sop_instance_uid", uid, nullable=False),
        sa.Column("model_digest", digest, nullable=False),
        sa.Column("study_instance_uid", uid, nullable=False),
        sa.Column("source_digest", digest, nullable=False),
        sa.Column("is_listed", sa.Boolean(), nullable=False),
        sa.Column("status", word, nullable=False),
        sa.Column("reason_code", sa.String(64)),
        sa.Column("reason_text", sa.Text()),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("because", sa.JSON(), nullable=False),
        sa.Column("priority", sa.SmallInteger()),
        sa.Column("abnormality", sa.Float()),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("heatmap_digest", digest),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("read_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("sop_instance_uid", "model_digest", name="pk_readings"),
    )
    op.create_index("ix_readings_study_instance_uid", "readings", ["study_instance_uid"])
    op.create_index("ix_readings_heatmap_digest", "readings", ["heatmap_digest"])


def make_evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("evidence_key", key, nullable=False),
        sa.Column("study_instance_uid", uid, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("predecessor", key),
        sa.Column("composed_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("evidence_key", name="pk_evidence"),
        sa.UniqueConstraint("study_instance_uid", "revision", name="uq_evidence_study_instance_uid_revision"),
    )
    op.create_table(
        "evidence_objects",
        sa.Column("sop_instance_uid", uid, nullable=False),
        sa.Column("evidence_key", key, nullable=False),
        sa.Column("item", sa.String(128), nullable=False),
        sa.Column("form", sa.String(64), nullable=False),
        sa.Column("localisation", sa.Boolean(), nullable=False),
        sa.Column("sop_class_uid", uid, nullable=False),
        sa.Column("transfer_syntax_uid", uid, nullable=False),
        sa.Column("digest", digest, nullable=False),
        sa.PrimaryKeyConstraint("sop_instance_uid", name="pk_evidence_objects"),
        sa.ForeignKeyConstraint(
            ["evidence_key"], ["evidence.evidence_key"], "fk_evidence_objects_evidence_key", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_evidence_objects_evidence_key", "evidence_objects", ["evidence_key"])
    op.create_index("ix_evidence_objects_digest", "evidence_objects", ["digest"])
    op.create_table(
        "evidence_images",
        sa.Column("evidence_key", key, nullable=False),
        sa.Column("sop_instance_uid", uid, nullable=False),
        sa.Column("source_digest", digest, nullable=False),
        sa.Column("outcome_digest", digest, nullable=False),
        sa.PrimaryKeyConstraint("evidence_key", "sop_instance_uid", name="pk_evidence_images"),
        sa.ForeignKeyConstraint(
            ["evidence_key"], ["evidence.evidence_key"], "fk_evidence_images_evidence_key", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_evidence_images_outcome_digest", "evidence_images", ["outcome_digest"])


def make_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("number", serial, nullable=False),
        sa.Column("evidence_key", key, nullable=False),
        sa.Column("item", sa.String(128), nullable=False),
        sa.Column("destination", sa.String(128), nullable=False),
        sa.Column("study_instance_uid", uid, nullable=False),
        sa.Column("status", word, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text()),
        sa.Column("planned_at", moment, nullable=False),
        sa.Column("next_try_at", moment),
        sa.Column("delivered_at", moment),
        sa.Column("delivered_uid", uid),
        sa.PrimaryKeyConstraint("number", name="pk_deliveries"),
        sa.UniqueConstraint("evidence_key", "item", "destination", name="uq_deliveries_evidence_key_item_destination"),
        sa.ForeignKeyConstraint(
            ["evidence_key"], ["evidence.evidence_key"], "fk_deliveries_evidence_key", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_deliveries_status_next_try_at", "deliveries", ["status", "next_try_at"])
    op.create_index("ix_deliveries_study_instance_uid", "deliveries", ["study_instance_uid"])


def make_hops_and_workers() -> None:
    op.create_table(
        "hops",
        sa.Column("number", serial, nullable=False),
        sa.Column("study_instance_uid", uid, nullable=False),
        sa.Column("sop_instance_uid", uid),
        sa.Column("at", moment, nullable=False),
        sa.Column("what", word, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_hops"),
    )
    op.create_index("ix_hops_study_instance_uid", "hops", ["study_instance_uid"])
    op.create_table(
        "workers",
        sa.Column("worker", sa.String(128), nullable=False),
        sa.Column("role", sa.String(64), nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("heartbeat_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("worker", name="pk_workers"),
    )
