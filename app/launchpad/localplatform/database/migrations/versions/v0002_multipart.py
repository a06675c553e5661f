"""Uploads in parts, and objects that consist of several files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; objects learn of their pieces."""
    op.create_table(
        "upload",
        sa.Column("id", sa.String(36), primary_key=True),
        *(sa.Column(name, sa.String, nullable=False) for name in ("bucket", "key", "content_type", "created")),
    )
    op.create_index("ix_upload_key", "upload", ["bucket", "key"])
    op.create_table(
        "upload_part",
        sa.Column("upload_id", sa.String(36), sa.ForeignKey("upload.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.String, nullable=False) for name in ("crc32c", "etag", "file", "created")),
    )
    op.add_column("object", sa.Column("pieces", sa.JSON))
