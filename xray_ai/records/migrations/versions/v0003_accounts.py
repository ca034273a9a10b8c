"""Accounts, their sessions and invitations, tokens of programs, and the audit trail."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

name = sa.String(64)
digest = sa.String(64)
moment = sa.DateTime(timezone=True)
serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    make_accounts()
    make_sessions_and_invitations()
    make_tokens()
    make_audit()


def make_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("name", name, nullable=False),
        sa.Column("display_name", sa.String(128), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("password_hash", sa.String(256)),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(16)),
        sa.Column("blind_mode", sa.Boolean(), nullable=False),
        sa.Column("alerts", sa.Boolean(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("last_seen_at", moment),
        sa.PrimaryKeyConstraint("name", name="pk_accounts"),
    )


def make_sessions_and_invitations() -> None:
    op.create_table(
        "sessions",
        sa.Column("digest", digest, nullable=False),
        sa.Column("account", name, nullable=False),
        sa.Column("csrf_token", sa.String(64), nullable=False),
        sa.Column("opened_at", moment, nullable=False),
        sa.Column("used_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_sessions"),
        sa.ForeignKeyConstraint(["account"], ["accounts.name"], name="fk_sessions_account"),
    )
    op.create_index("ix_sessions_account", "sessions", ["account"])
    op.create_table(
        "invitations",
        sa.Column("digest", digest, nullable=False),
        sa.Column("account", name, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_invitations"),
        sa.ForeignKeyConstraint(["account"], ["accounts.name"], name="fk_invitations_account"),
    )
    op.create_index("ix_invitations_account", "invitations", ["account"])


def make_tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("token_id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("digest", digest, nullable=False),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("last_used_at", moment),
        sa.PrimaryKeyConstraint("token_id", name="pk_tokens"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
    )


def make_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", serial, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("who", sa.String(128), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("study_instance_uid", sa.String(64)),
        sa.Column("detail", sa.String(256), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
    )
    op.create_index("ix_audit_study_instance_uid", "audit", ["study_instance_uid"])
    op.create_index("ix_audit_who", "audit", ["who"])
