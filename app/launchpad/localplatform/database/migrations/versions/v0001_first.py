"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "installation",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.String(36), primary_key=True),
        *(sa.Column(name, sa.String, nullable=False) for name in ("application_id", "version_number", "state")),
        *(sa.Column(name, sa.String) for name in ("termination_reason", "error_code", "error_message")),
        sa.Column("custom_metadata", sa.JSON),
        sa.Column("callback_context", sa.JSON),
        *(sa.Column(name, sa.String, nullable=False) for name in ("submitted_at", "submitted_by", "organization_id")),
        *(sa.Column(name, sa.String) for name in ("terminated_at", "due_date", "deadline")),
    )
    op.create_index("run_submitted", "run", ["submitted_at"])
    op.create_table(
        "item",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("run_id", sa.String(36), sa.ForeignKey("run.id"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("external_id", sa.String(255), nullable=False),
        sa.Column("custom_metadata", sa.JSON),
        sa.Column("state", sa.String, nullable=False),
        *(sa.Column(name, sa.String) for name in ("termination_reason", "error_code", "error_message")),
        sa.Column("terminated_at", sa.String),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("lease_until", sa.Float),
    )
    op.create_index("item_of_run", "item", ["run_id", "position"])
    op.create_index("item_state", "item", ["state"])
    op.create_table(
        "input_artifact",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("item_id", sa.String(36), sa.ForeignKey("item.id"), nullable=False, index=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("download_url", sa.String(2083), nullable=False),
        sa.Column("metadata", sa.JSON, nullable=False),
    )
    op.create_table(
        "output_artifact",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("item_id", sa.String(36), sa.ForeignKey("item.id"), nullable=False, index=True),
        *(sa.Column(name, sa.String, nullable=False) for name in ("name", "state", "output")),
        *(sa.Column(name, sa.String) for name in ("termination_reason", "error_code", "error_message", "object_key")),
        sa.Column("metadata", sa.JSON),
    )
    op.create_table(
        "object",
        sa.Column("bucket", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.String, nullable=False) for name in ("crc32c", "etag", "content_type", "created")),
        *(sa.Column(name, sa.String) for name in ("file", "reference")),
        *(sa.Column(name, sa.BigInteger) for name in ("mtime_ns", "inode")),
    )
