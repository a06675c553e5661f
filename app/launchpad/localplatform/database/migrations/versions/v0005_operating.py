"""Refresh tokens for programs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TOKEN = ("client_id", "user_id", "organization_id", "role", "scope", "created", "used")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "refresh_token",
        sa.Column("hash", sa.String(64), primary_key=True),
        *(sa.Column(name, sa.String, nullable=False) for name in _TOKEN),
    )
