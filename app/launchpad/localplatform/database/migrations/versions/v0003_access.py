"""Grants and share tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "access_grant",
        sa.Column("id", sa.String(36), primary_key=True),
        *(
            sa.Column(name, sa.String, nullable=False)
            for name in (
                "resource_type",
                "resource_id",
                "subject_type",
                "subject_id",
                "relation",
                "created_by",
                "created_at",
            )
        ),
        sa.Column("revoked_at", sa.String),
    )
    op.create_index("grant_of_resource", "access_grant", ["resource_id"])
    op.create_index("grant_to_subject", "access_grant", ["subject_type", "subject_id"])
    op.create_table(
        "share_token",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("secret_hash", sa.String, nullable=False, unique=True),
        sa.Column("created_by", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("expires_at", sa.String),
        sa.Column("revoked_at", sa.String),
    )
    op.create_index("run_of_user", "run", ["submitted_by", "submitted_at"])
