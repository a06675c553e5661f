"""Sign-ins of the issuer: sessions, codes, refresh tokens, devices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String, nullable=False) for name in names]


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "issuer_session",
        sa.Column("id", sa.String(36), primary_key=True),
        *_texts("client_id", "scope", "kind", "created", "expires"),
        sa.Column("revoked", sa.String),
    )
    op.create_index("ix_issuer_session_expires", "issuer_session", ["expires"])
    op.create_table(
        "issuer_code",
        sa.Column("hash", sa.String(64), primary_key=True),
        *_texts("client_id", "redirect_uri", "challenge", "nonce", "scope", "expires"),
        sa.Column("used", sa.String),
        sa.Column("session_id", sa.String(36)),
    )
    op.create_table(
        "issuer_refresh",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("session_id", sa.String(36), sa.ForeignKey("issuer_session.id"), nullable=False),
        *_texts("created"),
        sa.Column("used", sa.String),
    )
    op.create_index("ix_issuer_refresh_session_id", "issuer_refresh", ["session_id"])
    op.create_table(
        "issuer_device",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("user_code_hash", sa.String(64), nullable=False, unique=True),
        *_texts("client_id", "scope", "state", "expires"),
        sa.Column("interval", sa.Integer, nullable=False),
        sa.Column("polled", sa.String),
    )
