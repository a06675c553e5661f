"""Claims and tries of items, fair share between users, the outbox of callbacks, indexes for limits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns, tables and indexes."""
    op.add_column("run", sa.Column("callback_url", sa.String(2083)))
    op.add_column("item", sa.Column("claim", sa.String))
    op.add_column("item", sa.Column("kills", sa.Integer, nullable=False, server_default="0"))
    op.add_column("item", sa.Column("failures", sa.Integer, nullable=False, server_default="0"))
    op.add_column("item", sa.Column("not_before", sa.Float))
    op.create_table(
        "fair_share",
        sa.Column("user_id", sa.String, primary_key=True),
        sa.Column("served", sa.Integer, nullable=False),
    )
    op.create_table(
        "callback",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("delivery", sa.String(36), nullable=False),
        sa.Column("run_id", sa.String(36), nullable=False),
        sa.Column("event", sa.String, nullable=False),
        sa.Column("url", sa.String(2083), nullable=False),
        sa.Column("body", sa.String, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("due", sa.Float, nullable=False),
    )
    op.create_index("callback_due", "callback", ["due"])
    op.create_index("run_of_organization", "run", ["organization_id", "submitted_at"])
    op.create_index("run_state", "run", ["state"])
